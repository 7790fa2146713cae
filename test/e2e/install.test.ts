/** scripts/install.sh: what it puts under a prefix works from there, and goes again without a trace. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { asRootOnly, testUnless } from "../support/store.ts"

// some thousand small programs, one for each step of each file
setDefaultTimeout(300_000)

const directory = mkdtempSync(join(tmpdir(), "skiff-install-"))
const prefix = join(directory, "usr")
afterAll(() => rmSync(directory, { recursive: true }))

const SCRIPT = join(import.meta.dir, "../../scripts/install.sh")
const install = (...words: string[]) =>
  spawnSync("sh", [SCRIPT, "--prefix", prefix, ...words], { encoding: "utf8", env: { ...process.env, DESTDIR: "" } })

function filesOf(top: string): string[] {
  return readdirSync(top, { recursive: true, encoding: "utf8" })
    .filter((name) => !statSync(join(top, name)).isDirectory())
    .toSorted()
}

// the files are root's wherever a package puts them; once is enough
const once = testUnless(asRootOnly)

once("the executable, a man page for each name, and completions of three shells are installed", () => {
  expect(install()).toMatchObject({ status: 0, stderr: "" })
  const files = filesOf(prefix)
  for (const name of [
    "bin/skiff",
    "share/man/man1/skiff.1",
    "share/man/man1/skiff-run.1",
    "share/man/man1/skiff-container-run.1",
    "share/bash-completion/completions/skiff",
    "share/zsh/site-functions/_skiff",
    "share/fish/vendor_completions.d/skiff.fish",
  ])
    expect(files).toContain(name)
  expect(spawnSync(join(prefix, "bin/skiff"), ["--version"], { encoding: "utf8" }).stdout).toMatch(/^skiff version /)
  expect(readFileSync(join(prefix, "share/man/man1/skiff-run.1"), "utf8")).toContain(".SH OPTIONS")
  expect(statSync(join(prefix, "bin/skiff")).mode & 0o777).toBe(0o755)
})

once("a second time replaces the files, also under a skiff that runs", () => {
  expect(install().status).toBe(0)
  expect(filesOf(prefix).filter((name) => name.endsWith(".new"))).toEqual([])
})

once("uninstalling removes what was installed, and nothing else", () => {
  const own = join(prefix, "share/man/man1/other.1")
  writeFileSync(own, "")
  expect(install("--uninstall")).toMatchObject({ status: 0, stderr: "" })
  expect(filesOf(prefix)).toEqual(["share/man/man1/other.1"])
  expect(install("--uninstall")).toMatchObject({ status: 1, stderr: expect.stringContaining("is not installed under") })
})

once("a list of files that was tampered with leads nowhere outside of the prefix", () => {
  const outside = join(directory, "kept")
  writeFileSync(outside, "")
  chmodSync(directory, 0o755)
  mkdirSync(join(prefix, "share/skiff"), { recursive: true })
  writeFileSync(join(prefix, "share/skiff/installed"), `../kept\n${outside}\nshare/../../kept\n`)
  expect(install("--uninstall").status).toBe(0)
  expect(statSync(outside).isFile()).toBe(true)
})

test("a wrong word and a relative prefix are refused", () => {
  expect(spawnSync("sh", [SCRIPT, "--prefix", "usr"]).status).toBe(2)
  expect(spawnSync("sh", [SCRIPT, "--nope"]).status).toBe(2)
})
