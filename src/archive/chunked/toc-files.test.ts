import { expect, test } from "bun:test"
import { listToc } from "./toc-files.ts"

const toc = (type: string): Uint8Array => Buffer.from(JSON.stringify({ entries: [{ type, name: "a" }] }))

test("listToc() takes the types of archives, and no word that objects have", () => {
  expect(listToc(toc("dir"))).toMatchObject([{ entry: { type: "directory", name: "a" } }])
  for (const type of ["x", "constructor", "toString", "__proto__"])
    expect(() => listToc(toc(type))).toThrow("unknown type")
})
