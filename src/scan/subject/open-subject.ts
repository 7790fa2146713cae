import { closeSync, openSync, readSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, isSkiffError, NotFound } from "../../base/errors.ts"
import type { ScanDeps } from "../deps.ts"
import type { ScanOptions, ScanSubject, ScanTarget } from "../scan.ts"

/** What is opened, with what it was opened by. */
export type OpenSubject = ScanSubject & AsyncDisposable

/** See `Scans.open`. */
export async function openSubject(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  const { kind, name } = target
  if (kind === "any") return await openAny(deps, target, options)
  if (kind === "image" && TRANSPORT.test(name))
    return await (await import("./archive-subject.ts")).placeSubject(deps, target, options)
  if (kind === "image") return await openImage(deps, target, options)
  if (kind === "container")
    return withAsync(await (await import("./container-subject.ts")).containerSubject(deps, name, options))
  if (kind === "directory") return await openDirectory(name, options)
  if (kind === "sbom") return withAsync((await import("./sbom-subject.ts")).sbomSubject(resolve(name)))
  return await (await import("./archive-subject.ts")).archiveSubject(deps, target, options)
}

/** Places as `Images.copy` knows them. */
const TRANSPORT = /^(?:docker:\/\/|docker-daemon:|containers-storage:|dir:|oci:|oci-archive:|docker-archive:)/

/** What has no path's look is a container, an image, and only then a path. */
async function openAny(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  const { name } = target
  if (TRANSPORT.test(name)) return await (await import("./archive-subject.ts")).placeSubject(deps, target, options)
  if (/^(?:\/|\.{1,2}(?:\/|$))/.test(name)) return await openPath(deps, target, options)
  if (await isContainer(deps, name)) return await openSubject(deps, { ...target, kind: "container" }, options)
  const images = await deps.images()
  if (images.find(name) !== undefined) return await openImage(deps, target, options)
  if (statSync(name, { throwIfNoEntry: false }) !== undefined) return await openPath(deps, target, options)
  return await openImage(deps, target, options)
}

async function openPath(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  return await openSubject(deps, { ...target, kind: kindOf(target.name) }, options)
}

function kindOf(path: string): "directory" | "archive" | "sbom" {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined)
    throw new NotFound(`no such file: "${path}"`, { hint: "check the path: it is read from the current directory" })
  if (stat.isDirectory()) {
    const isLayout = ["oci-layout", "index.json"].every((name) =>
      statSync(`${path}/${name}`, { throwIfNoEntry: false }),
    )
    return isLayout ? "archive" : "directory"
  }
  if (!stat.isFile()) throw new InvalidArgument(`cannot scan "${path}": it is neither a file nor a directory`)
  const fd = openSync(path, "r")
  try {
    const head = Buffer.alloc(64)
    const text = head.toString("utf8", 0, readSync(fd, head, 0, head.length, 0)).replace(/^\uFEFF/, "")
    return /^\s*(?:\{|SPDXVersion:|#)/.test(text) ? "sbom" : "archive"
  } finally {
    closeSync(fd)
  }
}

async function isContainer(deps: ScanDeps, name: string): Promise<boolean> {
  const containers = await deps.containers()
  try {
    containers.get(name)
    return true
  } catch (error) {
    if (isSkiffError(error, "NotFound") || isSkiffError(error, "InvalidArgument")) return false
    throw error
  }
}

/** What is not here comes into a store that goes again: a scan keeps no image. */
async function openImage(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  const images = await deps.images()
  const { imageSource } = options
  const image = target.platform === undefined && imageSource !== "registry" ? images.find(target.name) : undefined
  const { imageSubject } = await import("./image-subject.ts")
  if (image !== undefined || options.isOffline || imageSource === "store")
    return withAsync(await imageSubject(deps, image ?? images.get(target.name), target.name, options))
  return await (await import("./archive-subject.ts")).pulledSubject(deps, target, options)
}

async function openDirectory(name: string, options: ScanOptions): Promise<OpenSubject> {
  const stat = statSync(name, { throwIfNoEntry: false })
  if (stat === undefined)
    throw new NotFound(`no such directory: "${name}"`, {
      hint: "check the path: it is read from the current directory",
    })
  // one file of a project, as a Dockerfile or a lock file
  if (!stat.isDirectory())
    throw new InvalidArgument(`cannot scan "${name}" as a directory: it is a file`, {
      hint: "name the directory that it lies in",
    })
  return withAsync((await import("./directory-subject.ts")).directorySubject(resolve(name), name, options))
}

function withAsync(subject: ScanSubject): OpenSubject {
  return Object.defineProperty(subject, Symbol.asyncDispose, {
    value: async () => subject[Symbol.dispose](),
  }) as OpenSubject
}
