import { afterEach, beforeEach, describe, expect } from "bun:test"
import { tellSkipped, testAsRoot as test } from "../../test/support/as-root.ts"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { joinStorageSplit, storageSplitBytes } from "./storage-split.ts"

tellSkipped("storage-split.test.ts")

let directory: string
let split: string
let tree: string

beforeEach(() => {
  directory = mkdtempSync("/tmp/skiff-storage-split-")
  split = join(directory, "x.tar-split.gz")
  tree = join(directory, "tree")
  mkdirSync(join(tree, "d"), { recursive: true })
  writeFileSync(join(tree, "d/f"), "content")
})
afterEach(() => rmSync(directory, { recursive: true }))

const segment = (text: string) => ({ type: 2, payload: Buffer.from(text).toString("base64"), position: 0 })
const write = (...lines: unknown[]) =>
  writeFileSync(
    split,
    gzipSync(lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n")),
  )

async function joined(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of joinStorageSplit(split, tree)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

test("segments and files come out in their order; a file without content is only its header", async () => {
  write(segment("head"), { type: 1, name: "d/", payload: null }, { type: 1, name: "d/f", size: 7 }, segment("tail"))
  expect(await joined()).toBe("headcontenttail")
  expect(await storageSplitBytes(split)).toBe(15)
})

test("a name that is no UTF-8 stands in base64", async () => {
  const raw = Buffer.from([0x6f, 0xff])
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), raw]), "odd")
  write({ type: 1, name_raw: raw.toString("base64"), size: 3 })
  expect(await joined()).toBe("odd")
})

describe("is refused", () => {
  test.each<[string, unknown[]]>([
    ["a line that is not JSON", ["{"]],
    ["a line of no known type", [{ type: 3 }]],
    ["a negative size", [{ type: 1, name: "d/f", size: -1 }]],
    ["a file without a name", [{ type: 1, size: 1 }]],
    ["a size other than the file's", [{ type: 1, name: "d/f", size: 8 }]],
    ["a file that is not there", [{ type: 1, name: "d/g", size: 1 }]],
    ["a link that leads outside", [{ type: 1, name: "link", size: 7 }]],
    ["a directory that leads outside", [{ type: 1, name: "out/f", size: 7 }]],
    ["a way up", [{ type: 1, name: "../secret", size: 7 }]],
  ])("%s", async (_, lines) => {
    writeFileSync(join(directory, "secret"), "private")
    mkdirSync(join(directory, "host"))
    writeFileSync(join(directory, "host/f"), "private")
    symlinkSync("../secret", join(tree, "link"))
    symlinkSync("../host", join(tree, "out"))
    write(...lines)
    await expect(joined()).rejects.toThrow()
  })
})
