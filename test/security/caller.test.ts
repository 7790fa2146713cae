/** Where a command is called from says nothing about what it does: a directory may be a stranger's repository. */
import { afterAll, expect, test } from "bun:test"
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const directory = mkdtempSync(join(tmpdir(), "skiff-caller-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

test("settings of Bun, npm or dotenv in the working directory are not read", async () => {
  chmodSync(directory, 0o777)
  const mark = join(directory, "was-here")
  writeFileSync(join(directory, "preload.js"), `require("fs").writeFileSync(${JSON.stringify(mark)}, "")`)
  writeFileSync(join(directory, "bunfig.toml"), 'preload = ["./preload.js"]\n')
  writeFileSync(join(directory, "package.json"), "{ not JSON")
  writeFileSync(join(directory, "tsconfig.json"), "{ not JSON")
  writeFileSync(join(directory, ".env"), "SKIFF_TRACE=1\nHTTP_PROXY=http://127.0.0.1:9\n")
  const { code, stdout, stderr } = await skiff.run(["ps", "-aq"], { cwd: directory })
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" })
  expect(existsSync(mark)).toBe(false)
})

test("a store that is named by a relative path is the one below the caller's directory", async () => {
  const command = ["--root", "store", "--runroot", "run", "volume"]
  const made = await skiff.run([...command, "create", "v"], { cwd: skiff.home })
  expect(made).toMatchObject({ code: 0, stdout: "v\n" })
  expect(existsSync(join(skiff.home, "store", "skiff.db"))).toBe(true)
})
