/** All tags of a repository, or all images of a directory, to another registry or directory. */
import { existsSync, readdirSync } from "node:fs"
import { basename, join, relative } from "node:path"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { ImagesDeps } from "../deps.ts"
import type { SyncOptions, SyncPair, SyncSides } from "../image.ts"
import { formatReference, parseReference, type Reference } from "../reference.ts"

/** See `Images.syncPairs`. */
export async function syncPairs(deps: ImagesDeps, sides: SyncSides, options: SyncOptions = {}): Promise<SyncPair[]> {
  const { from, to } = sides
  if (from.kind === "dir" && to.kind === "dir")
    throw new InvalidArgument("both sides are directories: one of them must be a registry")
  const found = from.kind === "docker" ? await atRegistry(deps, from.name, options) : inDirectory(from.path)
  const scoped = options.scoped === true
  return found.map(({ place, full, short }) => {
    const name = `${scoped ? full : short}${options.appendSuffix ?? ""}`
    return { from: place, to: to.kind === "docker" ? `docker://${under(to.name, name)}` : `dir:${join(to.path, name)}` }
  })
}

interface Found {
  place: string
  /** With registry and path, and the tag. */
  full: string
  /** The last part of it alone. */
  short: string
}

/** One image, or all tags of a repository that is named without one. */
async function atRegistry(deps: ImagesDeps, name: string, { signal, ...options }: SyncOptions): Promise<Found[]> {
  const ref = parseReference(name)
  if (ref.tag !== undefined || ref.digest !== undefined) return [foundAt(ref)]
  const source = await (
    await deps.registries()
  ).open({ ...options.source, ...(signal === undefined ? {} : { signal }) })
  const tags = await source.tags(ref)
  return tags.toSorted().map((tag) => foundAt({ ...ref, tag }))
}

function foundAt(ref: Reference): Found {
  const name = formatReference(ref)
  // neither a tag nor the path of a repository has a place for a digest's colon
  const full = name.replace("@sha256:", "@sha256-")
  return { place: `docker://${name}`, full, short: basename(full) }
}

/** Each directory below that holds an image, by its way from there. */
function inDirectory(path: string): Found[] {
  if (!existsSync(path)) throw new NotFound(`no such directory: "${path}"`)
  const directories = [path, ...directoriesBelow(path)]
  const found = directories
    .filter((directory) => existsSync(join(directory, "manifest.json")) && existsSync(join(directory, "version")))
    .map((directory) => {
      const full = directory === path ? basename(path) : relative(path, directory)
      return { place: `dir:${directory}`, full, short: basename(full) }
    })
  if (found.length === 0) throw new NotFound(`no image is in the directory "${path}"`)
  return found.toSorted((a, b) => (a.full < b.full ? -1 : 1))
}

function directoriesBelow(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** `registry.example/team` and `app:1` are `registry.example/team/app:1`. */
function under(place: string, name: string): string {
  const whole = `${place.replace(/\/+$/, "")}/${name}`
  parseReference(whole) // throws for what cannot be a name
  return whole
}
