/** A log under kubelet's path, while somebody puts links in its way. */
import { expect, test } from "bun:test"
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { tempDirectory } from "../../test/support/temp-directory.ts"
import { canLink, checkLog, checkLogFree, linkLog, makeLog } from "./log-link.ts"

const setUp = () => {
  const base = tempDirectory("skiff-cri-log-")
  for (const name of ["store", "away", "pods"]) mkdirSync(join(base, name))
  writeFileSync(join(base, "canary"), "canary", { mode: 0o600 })
  const own = join(base, "store/c/container.log")
  const place = { directory: join(base, "pods/one"), path: "main/0.log" }
  return { base, own, place, file: join(place.directory, place.path), canary: join(base, "canary") }
}
const denied = expect.objectContaining({ code: "PermissionDenied" })

test("a log has both names, and a new file both again after kubelet has renamed it", () => {
  const { base, own, place, file } = setUp()
  expect(canLink(join(base, "store"), place)).toBe(true)
  makeLog(own, place)
  writeFileSync(own, "first\n", { flag: "a" })
  expect(readFileSync(file, "utf8")).toBe("first\n")
  renameSync(file, `${file}.1`)
  writeFileSync(`${own}.tmp`, "second\n")
  renameSync(`${own}.tmp`, own)
  for (let times = 0; times < 2; times++) linkLog(own, place)
  expect([readFileSync(file, "utf8"), readFileSync(`${file}.1`, "utf8")]).toEqual(["second\n", "first\n"])
  // nothing of ours is left beside it
  expect(statSync(file).nlink).toBe(2)
})

test("a link at the log's name is replaced, and what it leads to stays as it was", () => {
  const { own, place, file, canary } = setUp()
  mkdirSync(join(place.directory, "main"), { recursive: true })
  for (const plant of [() => symlinkSync(canary, file), () => linkSync(canary, file)]) {
    rmSync(file, { force: true })
    plant()
    makeLog(own, place)
    writeFileSync(own, "x", { flag: "a" })
    expect(lstatSync(file).ino).toBe(lstatSync(own).ino)
    expect(readFileSync(canary, "utf8")).toBe("canary")
  }
})

test("a directory that was exchanged for a link leads nowhere else", () => {
  const { base, own, place } = setUp()
  const away = join(base, "away")
  mkdirSync(place.directory)
  symlinkSync(away, join(place.directory, "main"))
  expect(() => makeLog(own, place)).toThrow()
  rmSync(place.directory, { recursive: true })
  symlinkSync(away, place.directory)
  expect(() => makeLog(own, place)).toThrow(denied)
  expect(() => canLink(join(base, "store"), place)).toThrow(denied)
  expect([existsSync(join(away, "main")), existsSync(join(away, "0.log"))]).toEqual([false, false])
})

test("a log that the monitor opens by its path is looked at before: nothing is there, or a file", () => {
  const { base, place, file, canary } = setUp()
  checkLogFree(place)
  writeFileSync(file, "")
  checkLogFree(place)
  rmSync(file)
  symlinkSync(canary, file)
  expect(() => checkLogFree(place)).toThrow(denied)
  rmSync(place.directory, { recursive: true })
  symlinkSync(join(base, "away"), place.directory)
  expect(() => checkLogFree(place)).toThrow(denied)
})

test("a log that the monitor opened by its path is looked at after: it is a file of the sandbox's, and no link", () => {
  const { place, file, canary } = setUp()
  mkdirSync(join(place.directory, "main"), { recursive: true })
  expect(() => checkLog(place)).toThrow(denied)
  writeFileSync(file, "")
  checkLog(place)
  rmSync(file)
  symlinkSync(canary, file)
  expect(() => checkLog(place)).toThrow(denied)
})
