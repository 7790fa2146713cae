/**
 * Files of ConfigMaps and the like as kubelet lays them out (kubernetes: volume/util/atomic_writer.go), so that a program sees all of the
 * old or all of the new:
 *
 *   key ─▶ ..data/key        ..data ─▶ ..2026_11_30_15_04_05.123456/        one rename of ..data changes all
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { dirname, join } from "node:path"
import type { NodeFile } from "../node-pod.ts"

const DATA = "..data"
const NEW_DATA = "..data_tmp"
const GROUP_READS = 0o440

/** Brings a directory, to which only we write, in line with `files`. False: it was so already. */
export function writePayload(directory: string, files: readonly NodeFile[], groupId?: number): boolean {
  const current = currentOf(directory)
  if (current !== undefined && isSame(join(directory, current), files)) return false
  const made = makeVersion(directory, files, groupId)
  for (const name of new Set(files.map((file) => topOf(file.name)))) {
    const link = join(directory, name)
    const target = `${DATA}/${name}`
    if (linkOf(link) === target) continue
    rmSync(link, { recursive: true, force: true })
    symlinkSync(target, link)
  }
  const next = join(directory, NEW_DATA)
  rmSync(next, { force: true })
  symlinkSync(made, next)
  renameSync(next, join(directory, DATA))
  const kept = new Set([DATA, made, ...files.map((file) => topOf(file.name))])
  for (const name of readdirSync(directory))
    if (!kept.has(name)) rmSync(join(directory, name), { recursive: true, force: true })
  return true
}

const topOf = (name: string): string => name.split("/", 1)[0] ?? name

function currentOf(directory: string): string | undefined {
  const target = linkOf(join(directory, DATA))
  return target !== undefined && existsSync(join(directory, target)) ? target : undefined
}

function linkOf(path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : undefined
}

function isSame(version: string, files: readonly NodeFile[]): boolean {
  const there = readdirSync(version, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  return (
    there.length === files.length &&
    files.every(({ name, data }) => {
      const path = join(version, name)
      return existsSync(path) && readFileSync(path).equals(data)
    })
  )
}

function makeVersion(directory: string, files: readonly NodeFile[], groupId: number | undefined): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, "_")
  const name = `..${stamp}.${process.hrtime.bigint() % 1_000_000_000n}`
  mkdirSync(join(directory, name), { mode: 0o755 })
  for (const { name: file, data, mode } of files) {
    const path = join(directory, name, file)
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
    writeFileSync(path, data)
    chmodSync(path, groupId === undefined ? mode : mode | GROUP_READS)
    if (groupId !== undefined) chownSync(path, 0, groupId)
  }
  return name
}
