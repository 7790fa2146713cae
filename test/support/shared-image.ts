/** Images that take minutes to make are made once a run of all tests, by whoever needs them first, and loaded by the others. */
import { spawnSync } from "node:child_process"
import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Skiff } from "./skiff.ts"
import { eventually } from "./wait.ts"

const MAKE_MS = 600_000

/** Why images of Debian's packages cannot be made here, or false. */
export function noMirror(): string | false {
  const mirror = "http://deb.debian.org/debian/dists/stable/Release"
  return spawnSync("curl", ["-sfI", "-m", "10", mirror]).status !== 0 && "Debian's mirror is not reachable"
}

/** Puts `name` into the store: from the run's other tests, or by `make`. */
export async function sharedImage(skiff: Skiff, name: string, make: () => Promise<void>): Promise<void> {
  // scripts/test.ts makes a directory for each run
  if (process.env.SKIFF_TEST_BESIDE === undefined || process.env.SKIFF_BIN === undefined) return make()
  const place = join(dirname(process.env.SKIFF_BIN), name.replaceAll(/[^a-z0-9]+/g, "-"))
  const [archive, lock] = [`${place}.tar`, `${place}.lock`]
  try {
    mkdirSync(lock)
  } catch {
    await eventually(() => existsSync(archive) || !existsSync(lock), MAKE_MS)
    if (!existsSync(archive)) return make()
    await done(skiff, "load", "-q", "-i", archive)
    return
  }
  try {
    await make()
    const own = join(skiff.directory, "shared.tar")
    await done(skiff, "save", "-q", "-o", own, name)
    copyFileSync(own, `${archive}.new`)
    chmodSync(`${archive}.new`, 0o644)
    renameSync(`${archive}.new`, archive)
    rmSync(own)
  } finally {
    // others see that nothing comes, or that it is there
    rmSync(lock, { recursive: true, force: true })
  }
}

/** Debian's base image, under the name that the examples stand on. */
export function debianBase(skiff: Skiff): Promise<void> {
  return sharedImage(skiff, "debian:12-slim", () => done(skiff, "image", "bootstrap", "debian:12-slim"))
}

/** An image of one of the examples' directories. */
export function exampleImage(skiff: Skiff, name: string, directory: string): Promise<void> {
  return sharedImage(skiff, name, async () => {
    await debianBase(skiff)
    await done(skiff, "build", "-q", "-t", name, directory)
  })
}

async function done(skiff: Skiff, ...words: string[]): Promise<void> {
  const { code, stderr } = await skiff.run(words, { timeoutMs: MAKE_MS })
  if (code !== 0) throw new Error(`skiff ${words.join(" ")}: ${stderr}`)
}
