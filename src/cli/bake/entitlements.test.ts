import { afterAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { BakeTarget } from "../../bake/bake.ts"
import { checkEntitlements } from "./entitlements.ts"

const parent = mkdtempSync(join(tmpdir(), "skiff-bake-"))
afterAll(() => rmSync(parent, { recursive: true, force: true }))
const directory = join(parent, "here")
mkdirSync(directory)
symlinkSync(parent, join(directory, "up"))

function checked(target: BakeTarget, ...allow: string[]): () => void {
  return () => checkEntitlements({ group: {}, target: { a: target }, linked: [] }, allow, directory)
}

test("what a file asks for beyond its directory must be allowed", () => {
  expect(checked({ context: ".", contexts: { a: "docker-image://alpine", b: "target:b" } })).not.toThrow()
  expect(checked({ context: "https://example.org/x.git" })).not.toThrow()
  expect(checked({ context: ".", output: [{ type: "local", dest: "out" }] })).not.toThrow()
  expect(checked({ context: ".." })).toThrow("to read ..")
  expect(checked({ context: "up" })).toThrow("to read up")
  expect(checked({ context: ".." }, "fs.read=..")).not.toThrow()
  expect(checked({ context: ".." }, "fs.write=..")).toThrow("to read ..")
  expect(checked({ output: [{ type: "local", dest: "/etc" }] })).toThrow("to write /etc")
  expect(checked({ output: [{ type: "local", dest: "up/new/x" }] })).toThrow("to write up/new/x")
  expect(checked({ secret: [{ id: "k", src: "/etc/shadow" }] }, "fs=*")).not.toThrow()
  expect(checked({ secret: [{ id: "k", src: "/etc/shadow" }] })).toThrow("to read /etc/shadow")
  expect(checked({ entitlements: ["network.host"] })).toThrow("network.host")
  expect(checked({ entitlements: ["network.host"] }, "network.host")).not.toThrow()
})
