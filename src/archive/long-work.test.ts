/** A layer of many files leaves the event loop free on its way in and out, and ends when it is cancelled. */
import { afterEach, beforeEach, expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { longestShare } from "../../test/support/turns.ts"
import { applyLayer, joinTarSplit, layerTar } from "./archive.ts"
import { archiveOf, stream } from "./testdata/archives.ts"

// in memory: it is about many files, not about a disk
const PLACE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir()
const FILES = 6_000
const archive = archiveOf(
  Array.from({ length: FILES }, (_, index) => ({ name: `d${Math.floor(index / 100)}/f${index}`, content: "x" })),
)

let directory: string
let target: string
let tarSplit: string
beforeEach(() => {
  directory = mkdtempSync(join(PLACE, "skiff-long-"))
  target = join(directory, "target")
  tarSplit = join(directory, "tar-split")
  mkdirSync(target)
})
afterEach(() => rmSync(directory, { recursive: true }))

const extract = (signal?: AbortSignal) =>
  applyLayer(stream(archive, 1 << 20), target, { tarSplit, ...(signal ? { signal } : {}) })

async function take(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of bytes) expect(chunk.length).toBeGreaterThan(0)
}

test("extraction gives others their turns", async () => {
  expect(await longestShare(extract())).toBeLessThan(0.5)
})

test("so does what gives the archive again, from a tar-split or from the files", async () => {
  await extract()
  expect(await longestShare(take(joinTarSplit(tarSplit, target)))).toBeLessThan(0.5)
  expect(await longestShare(take(layerTar({ changed: target, form: { kind: "whole" } })))).toBeLessThan(0.5)
})

test("all of them end when they are cancelled", async () => {
  const works = [
    extract,
    (signal: AbortSignal) => take(joinTarSplit(tarSplit, target, { signal })),
    (signal: AbortSignal) => take(layerTar({ changed: target, form: { kind: "whole" }, signal })),
  ]
  for (const work of works) {
    const stop = new AbortController()
    const working = work(stop.signal)
    await setImmediate()
    stop.abort(new Error("enough"))
    expect(String(await working.catch((error: unknown) => error))).toContain("enough")
    if (work !== extract) continue
    for (const path of [target, tarSplit]) rmSync(path, { recursive: true })
    mkdirSync(target)
    await extract()
  }
})
