import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import { copy, Lab, missing } from "./lab.suite.ts"
import { SourceDigests } from "./source-digest.ts"
import type { FileAction, RunMount, RunOperation } from "../plan/definition.ts"
import type { Source } from "./executor.ts"

const digestOf = (lab: Lab, actions: readonly FileAction[], source: Source) =>
  new SourceDigests(lab.deps.root).digest({ kind: "files", actions }, 1, source)

const all = [copy(["/"], "/x")]

function tree(lab: Lab, name = "ctx"): string {
  return lab.makeFiles(name, { a: "A", "d/b": "B", "d/e/": "", l: "->a" })
}

/** Back in time, so that the index trusts it. */
function age(path: string): void {
  spawnSync("find", [path, "-exec", "touch", "-h", "-d", "2020-01-01", "{}", "+"])
}

describe.skipIf(missing !== undefined)("sourceDigest", () => {
  test("is the same for equal trees, wherever they lie and whatever their times and, from a context, owners", async () => {
    await using lab = new Lab()
    const [one, two] = [tree(lab), tree(lab, "other")]
    age(two)
    chownSync(join(two, "a"), 5, 5)
    const [first, second] = [one, two].map((path) => digestOf(lab, all, { path, keepsOwners: false }))
    expect(await first).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(await first).toBe(await second)
    expect(await digestOf(lab, all, { path: one, keepsOwners: true })).not.toBe(
      await digestOf(lab, all, { path: two, keepsOwners: true }),
    )
  })

  const changes: Record<string, (path: string) => void> = {
    "a byte": (path) => writeFileSync(join(path, "a"), "a"),
    "a mode": (path) => chmodSync(join(path, "d/b"), 0o755),
    "the mode of a directory": (path) => chmodSync(join(path, "d/e"), 0o700),
    "a name": (path) => renameSync(join(path, "d/b"), join(path, "d/c")),
    "a new file": (path) => writeFileSync(join(path, "d/e/n"), ""),
    "a new empty directory": (path) => mkdirSync(join(path, "n")),
    "a link's target": (path) => {
      rmSync(join(path, "l"))
      symlinkSync("d", join(path, "l"))
    },
    "a file moved one directory up": (path) => renameSync(join(path, "d/b"), join(path, "b")),
    "a file become a directory": (path) => {
      rmSync(join(path, "a"))
      mkdirSync(join(path, "a"))
    },
  }
  for (const [what, change] of Object.entries(changes))
    test(`differs by ${what}`, async () => {
      await using lab = new Lab()
      const source = { path: tree(lab), keepsOwners: false }
      const before = await digestOf(lab, all, source)
      change(source.path)
      expect(await digestOf(lab, all, source)).not.toBe(before)
    })

  test("is of what the operation reads, and of nothing else", async () => {
    await using lab = new Lab()
    const source = { path: tree(lab), keepsOwners: false }
    const one = [copy(["/d"], "/x")]
    const before = await digestOf(lab, one, source)
    writeFileSync(join(source.path, "a"), "other")
    expect(await digestOf(lab, one, source)).toBe(before)
    const parents = [copy(["/d/b"], "/x", { parents: true })]
    const beforeParents = await digestOf(lab, parents, source)
    mkdirSync(join(source.path, "n/m"), { recursive: true })
    expect(await digestOf(lab, parents, source)).toBe(beforeParents)
    const mounts: RunMount[] = [{ type: "bind", target: "/m", from: 1, source: "/d", writable: false }]
    const run: RunOperation = {
      kind: "run",
      argv: ["x"],
      env: [],
      cwd: "/",
      user: "",
      mounts,
      network: "none",
      security: "sandbox",
    }
    expect(await new SourceDigests(lab.deps.root).digest(run, 1, source)).toBeDefined()
    expect(await new SourceDigests(lab.deps.root).digest(run, 2, source)).toBeUndefined()
    expect(await digestOf(lab, [{ do: "mkdir", path: "/w", mode: 0o755 }], source)).toBeUndefined()
    await expect(digestOf(lab, [copy(["/gone"], "/x")], source)).rejects.toThrow('"/gone": not found')
  })

  test("leaves out what the ignore file and --exclude leave out", async () => {
    await using lab = new Lab()
    const matcher = ignoreMatcher(["*.log", "d"])
    const source = {
      path: tree(lab),
      keepsOwners: false,
      excludes: (name: string) => matcher.excludes(name),
      mayHoldIncluded: (name: string) => matcher.mayHoldIncluded(name),
    }
    const actions = [copy(["/"], "/x", { exclude: ["tmp"] })]
    const before = await digestOf(lab, actions, source)
    for (const name of ["x.log", "d/new", "tmp"]) writeFileSync(join(source.path, name), "new")
    expect(await digestOf(lab, actions, source)).toBe(before)
    writeFileSync(join(source.path, "seen"), "new")
    expect(await digestOf(lab, actions, source)).not.toBe(before)
  })

  test("a file that is renamed by its pattern's match counts by its name, also through a link", async () => {
    await using lab = new Lab()
    const source = { path: tree(lab), keepsOwners: false }
    expect(await digestOf(lab, [copy(["/l"], "/x/")], source)).not.toBe(
      await digestOf(lab, [copy(["/a"], "/x/")], source),
    )
  })

  test("remembers unchanged files, and sees a change that keeps size and time", async () => {
    await using lab = new Lab()
    const path = tree(lab)
    const source = { path, keepsOwners: false }
    age(path)
    // ctime cannot be set: the files must be older than what the index takes for racy
    await Bun.sleep(3100)
    const before = await digestOf(lab, all, source)
    const [index = ""] = readdirSync(join(lab.deps.root, "build/digests"))
    expect(index).toMatch(/^[0-9a-f]{64}$/)
    expect(await digestOf(lab, all, source)).toBe(before)
    writeFileSync(join(path, "a"), "Z")
    utimesSync(join(path, "a"), new Date("2020-01-01"), new Date("2020-01-01"))
    expect(await digestOf(lab, all, source)).not.toBe(before)
    writeFileSync(join(lab.deps.root, "build/digests", index), "skiffdg1 junk")
    writeFileSync(join(path, "a"), "A")
    expect(await digestOf(lab, all, source)).toBe(before)
  })
})
