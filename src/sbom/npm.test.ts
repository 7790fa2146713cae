import { expect, test } from "bun:test"
import { parseNpmPackage } from "./npm.ts"

const document = (more: string) => `{"name":"left","version":"1.0.0","more":${more}}`

test("parseNpmPackage() takes no document that is made to fill the memory", () => {
  expect(parseNpmPackage(document("[[1]]"), "f")?.name).toBe("left")
  expect(parseNpmPackage(document(`[${"[],".repeat(60_000)}1]`), "f")).toBeUndefined()
  expect(parseNpmPackage(document(`${"[".repeat(100)}${"]".repeat(100)}`), "f")).toBeUndefined()
})
