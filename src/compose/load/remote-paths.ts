import { realpathSync } from "node:fs"
import { isAbsolute, relative, resolve } from "node:path"
import { hasErrno, PermissionDenied } from "../../base/errors.ts"
import { showOrigin } from "./fault.ts"
import { resolvePaths } from "./paths.ts"
import { cloneTree, isMap, originIn, type Origin, type Tree, type TreeMap } from "./tree.ts"

/** Throws PermissionDenied where `path`, its links followed, is not within `root` (CVE-2025-62725). `root` undefined: a file of this machine. */
export function checkInside(root: string | undefined, path: string, origin?: Origin): void {
  if (root === undefined || isWithin(realPath(root), realPath(path))) return
  const where = origin === undefined ? "" : `\n${showOrigin(origin)}`
  throw new PermissionDenied(`${JSON.stringify(path)} is outside of the remote files that name it${where}`, {
    hint: "a file of another machine reads nothing of this one",
  })
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way)
}

/** Of a path whose end need not exist. */
function realPath(path: string): string {
  for (let [head, tail] = [path, ""]; ;) {
    try {
      return realpathSync(head) + tail
    } catch (error) {
      if (!hasErrno(error, "ENOENT", "ENOTDIR")) throw error
      const cut = head.lastIndexOf("/")
      if (cut <= 0) return path
      ;[head, tail] = [head.slice(0, cut), head.slice(cut) + tail]
    }
  }
}

/**
 * Checks what a remote model would have read or run of this machine: env and label files, secrets, configs, what builds are made of, programs.
 * `directory`: where its relative paths are taken from. The model stays as it is.
 */
export function checkRemoteModel(root: string | undefined, given: TreeMap, directory: string): void {
  if (root === undefined) return
  const model = cloneTree(given)
  resolvePaths(model, directory)
  for (const service of mapsOf(model.services)) {
    for (const file of asList(service.env_file)) checkIn(root, file, "path")
    for (const [index, file] of asList(service.label_file).entries())
      if (typeof file === "string") checkInside(root, file, originIn(asList(service.label_file), index))
    if (isMap(service.build)) checkBuild(root, service.build)
    if (isMap(service.credential_spec)) checkIn(root, service.credential_spec, "file")
    if (isMap(service.provider)) refuseProvider(service)
  }
  for (const kind of ["secrets", "configs"]) for (const object of mapsOf(model[kind])) checkIn(root, object, "file")
}

function checkBuild(root: string, build: TreeMap): void {
  checkIn(root, build, "context")
  const { context, dockerfile, additional_contexts: contexts, ssh } = build
  if (typeof dockerfile === "string" && (isAbsolute(dockerfile) || isPath(context)))
    checkInside(root, resolve(isPath(context) ? context : "/", dockerfile), originIn(build, "dockerfile"))
  for (const holder of [contexts, ssh])
    if (isMap(holder)) for (const name of Object.keys(holder)) checkIn(root, holder, name)
}

function isPath(text: Tree | undefined): text is string {
  return typeof text === "string" && isAbsolute(text)
}

/** It would be started in the directory of the remote files, where a shell finds the words that it is called with as files of theirs. */
function refuseProvider(service: TreeMap): never {
  const origin = originIn(service, "provider")
  const where = origin === undefined ? "" : `\n${showOrigin(origin)}`
  throw new PermissionDenied(`a remote file names a provider, a program of this machine${where}`, {
    hint: "name the provider in a file of this machine",
  })
}

function checkIn(root: string, holder: Tree | undefined, key: string): void {
  if (!isMap(holder)) return
  const path = holder[key]
  if (isPath(path)) checkInside(root, path, originIn(holder, key))
}

function mapsOf(tree: Tree | undefined): TreeMap[] {
  return isMap(tree) ? Object.values(tree).filter(isMap) : []
}

function asList(tree: Tree | undefined): Tree[] {
  return Array.isArray(tree) ? tree : []
}
