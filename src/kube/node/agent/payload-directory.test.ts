import { expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../../../test/support/temp-directory.ts"
import { writePayload } from "./payload-directory.ts"

const root = tempDirectory("skiff-payload-")
const file = (name: string, text: string) => ({ name, data: Buffer.from(text), mode: 0o600 })

test("files change all at once by one link, and what is named no more goes", () => {
  const directory = join(root, "one")
  mkdirSync(directory)
  expect(writePayload(directory, [file("a", "1"), file("deep/b", "2")])).toBe(true)
  expect(readlinkSync(join(directory, "a"))).toBe("..data/a")
  expect(readFileSync(join(directory, "deep/b"), "utf8")).toBe("2")
  expect(statSync(join(directory, "a")).mode & 0o777).toBe(0o600)
  const before = readlinkSync(join(directory, "..data"))
  expect(writePayload(directory, [file("a", "1"), file("deep/b", "2")])).toBe(false)
  expect(writePayload(directory, [file("a", "3")])).toBe(true)
  const after = readlinkSync(join(directory, "..data"))
  expect(after).not.toBe(before)
  expect(readdirSync(directory).toSorted()).toEqual([after, "..data", "a"].toSorted())
  expect(readFileSync(join(directory, "a"), "utf8")).toBe("3")
})
