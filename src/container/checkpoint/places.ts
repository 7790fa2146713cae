/** Where checkpoints of a container lie. */
import { existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound } from "../../base/errors.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import type { ContainerDeps } from "../deps.ts"
import { stateDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import type { CheckpointName } from "./checkpoint-request.ts"

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/

/** The images of the checkpoint that `restore` takes, or of a named one. Throws InvalidArgument for a name that is a path. */
export function imageDirectory(deps: ContainerDeps, { id }: ContainerRecord, named?: CheckpointName): string {
  if (named === undefined) return join(stateDirectory(deps, id), "checkpoint")
  if (!NAME.test(named.name))
    throw new InvalidArgument(`invalid checkpoint name "${named.name}"`, {
      hint: "a name has letters, digits, `_`, `.` and `-`",
    })
  const directory = join(namedDirectory(deps, id, named.directory), named.name)
  if (named.directory !== undefined) refuseOthers(directory)
  return directory
}

/** What a later checkpoint builds on. */
export function previousDirectory(deps: ContainerDeps, { id }: ContainerRecord): string {
  return join(stateDirectory(deps, id), "pre-checkpoint")
}

/** CRIU's log and figures. */
export function workDirectory(deps: ContainerDeps, { id }: ContainerRecord): string {
  return join(stateDirectory(deps, id), "checkpoint-log")
}

/** Those that have names. */
export function namedCheckpoints(deps: ContainerDeps, id: string, directory?: string): string[] {
  const parent = namedDirectory(deps, id, directory)
  const names = existsSync(parent) ? readdirSync(parent) : []
  return names.filter((name) => existsSync(join(parent, name, "inventory.img"))).toSorted()
}

/** Throws NotFound where there is no whole checkpoint. */
export function existingImages(deps: ContainerDeps, record: ContainerRecord, named?: CheckpointName): string {
  const directory = imageDirectory(deps, record, named)
  if (existsSync(join(directory, "inventory.img"))) return directory
  throw new NotFound(
    named === undefined
      ? `container "${record.name}" has no checkpoint`
      : `container "${record.name}" has no checkpoint "${named.name}"`,
  )
}

/** Throws NotFound. */
export async function removeNamed(deps: ContainerDeps, record: ContainerRecord, named: CheckpointName): Promise<void> {
  await removeTree(existingImages(deps, record, named))
}

/** Empty, whatever was there. */
export async function freshDirectory(path: string): Promise<string> {
  await removeTree(path)
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

function namedDirectory(deps: ContainerDeps, id: string, directory?: string): string {
  if (directory === undefined) return join(stateDirectory(deps, id), "checkpoints")
  const own = join(directory, id)
  refuseOthers(own)
  refuseOthers(join(own, "checkpoints"))
  return join(own, "checkpoints")
}

/** In a directory that others may write to, as /tmp: what they have put there would be read as a checkpoint, by root (CVE-2014-0047). */
function refuseOthers(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || (stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o022) === 0))
    return
  throw new FailedPrecondition(`"${path}" is no directory that you alone can write to: no checkpoints are kept there`, {
    hint: "name a directory that nobody else can write to",
  })
}
