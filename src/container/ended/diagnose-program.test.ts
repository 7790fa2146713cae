import { afterAll, expect, test } from "bun:test"
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { diagnoseProgram } from "./diagnose-program.ts"

const root = mkdtempSync(join(tmpdir(), "skiff-diagnose-"))
afterAll(() => rmSync(root, { recursive: true }))
mkdirSync(join(root, "bin"))
const add = (name: string, content: string | Uint8Array, mode = 0o755) => {
  writeFileSync(join(root, name), content)
  chmodSync(join(root, name), mode)
}
const diagnose = (name: string) => diagnoseProgram(root, { name, path: "/usr/bin:/bin", workdir: "/" })

test("a link that leads out of the tree is followed inside it only", () => {
  symlinkSync("../../../../../../bin/sh", join(root, "bin/outside"))
  expect(diagnose("outside")).toMatchObject({ kind: "missing" })
})

test("an absolute link is the tree's own", () => {
  add("bin/real", "#!/bin/interpreter\n")
  symlinkSync("/bin/real", join(root, "bin/linked"))
  expect(diagnose("linked")).toMatchObject({ kind: "interpreter", interpreter: "/bin/interpreter" })
})

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a cut head", Buffer.from("\x7fELF\x02\x01\x01", "latin1")],
  ["headers beyond its end", Buffer.concat([Buffer.from("\x7fELF\x02\x01\x01", "latin1"), Buffer.alloc(121, 0xff)])],
])("a program of %s is looked at without harm", (_, content) => {
  add("bin/odd", content)
  expect(diagnose("odd")?.kind).toMatch(/format|architecture/)
})

test("a later directory's executable wins over an earlier one's plain file", () => {
  mkdirSync(join(root, "usr/bin"), { recursive: true })
  add("usr/bin/both", "x", 0o644)
  add("bin/both", "#!/bin/real\n")
  expect(diagnose("both")).toBeUndefined()
})
