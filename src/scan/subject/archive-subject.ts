import { statSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, isSkiffError, Unsupported } from "../../base/errors.ts"
import type { Image } from "../../image/image.ts"
import { parsePlatform } from "../../spec/platform.ts"
import type { ScanDeps, TemporaryStore } from "../deps.ts"
import type { ScanOptions, ScanSubject, ScanTarget } from "../scan.ts"
import { imageSubject } from "./image-subject.ts"

type OpenSubject = ScanSubject & AsyncDisposable

/**
 * The image of an archive or a layout: read where it lies, where that can be, else in a store that goes with the subject. Of several the first,
 * which is said.
 */
export async function archiveSubject(
  deps: ScanDeps,
  { name, platform }: ScanTarget,
  options: ScanOptions,
): Promise<OpenSubject> {
  const path = resolve(name)
  const streamed = await streamedArchive(deps, { kind: "archive", name, path }, platform, options)
  if (streamed !== undefined) return streamed
  return await inTemporaryStore(deps, options, { kind: "archive", name, path }, async (store) => {
    const loaded = await (
      await store.images()
    ).load(
      { path },
      {
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(options.signal && { signal: options.signal }),
      },
    )
    const [first] = loaded
    if (first === undefined) throw new InvalidArgument(`there is no image in "${name}"`)
    return { image: first.image, more: loaded.length - 1 }
  })
}

/**
 * Undefined for what is refused on the way, whatever it is: several images, sparse files, too many names. The store takes it, or says what is
 * wrong with it.
 */
async function streamedArchive(
  deps: ScanDeps,
  called: { kind: "archive"; name: string; path: string },
  platform: string | undefined,
  options: ScanOptions,
): Promise<OpenSubject | undefined> {
  const { path } = called
  // a colon would be a name's
  if (path.includes(":")) return undefined
  const kinds = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? ["oci"] : ["docker-archive", "oci-archive"]
  for (const kind of kinds) {
    try {
      return await streamedAt(deps, `${kind}:${path}`, called, platform, options)
    } catch (error) {
      if (!isSkiffError(error) || isSkiffError(error, "Cancelled")) throw error
    }
  }
  return undefined
}

/** An image at a place as `Images.copy` knows them, read where it is. Undefined where files are wanted in a directory, as ClamAV wants them. */
async function streamedAt(
  deps: ScanDeps,
  place: string,
  called: Pick<OpenSubject, "kind" | "name" | "path">,
  platform: string | undefined,
  options: ScanOptions,
): Promise<OpenSubject | undefined> {
  if (options.scanners.includes("malware") && (await import("../malware/clamav.ts")).hasClam()) return undefined
  const { registry: source, signal } = options
  await using undo = new AsyncDisposableStack()
  const image = undo.use(
    await (
      await deps.images()
    ).openAt(place, {
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      ...(source === undefined ? {} : { source }),
      ...(signal && { signal }),
    }),
  )
  const { streamedSubject } = await import("./layers/streamed-subject.ts")
  const names = image.name === "" ? image.names : [place.replace(/^docker:\/\//, "")]
  const how = { ...deps, scratch: process.env.TMPDIR || "/var/tmp" }
  const subject = undo.use(await streamedSubject({ ...image, names }, called, options, how))
  const owned = undo.move()
  return Object.defineProperty(subject, Symbol.asyncDispose, { value: () => owned.disposeAsync() }) as OpenSubject
}

/** An image at a place that is named with its transport: read there, else by way of a store that goes with the subject. */
export async function placeSubject(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  const { name, platform } = target
  const [, kind = "", path = ""] = /^(oci|oci-archive|docker-archive|dir):(?:\/\/)?(.*)$/.exec(name) ?? []
  const isArchive = kind !== "" && kind !== "dir"
  try {
    const place = isArchive ? `${kind}:${path}` : name
    const called = isArchive
      ? { kind: "archive" as const, name, path: resolve(path) }
      : { kind: "image" as const, name }
    const subject = await streamedAt(deps, place, called, platform, options)
    if (subject !== undefined) return subject
  } catch (error) {
    if (!isSkiffError(error, "Unsupported")) throw error
  }
  if (isArchive) return await archiveSubject(deps, { ...target, name: path }, options)
  if (name.startsWith("docker://"))
    return await extractedSubject(deps, { ...target, name: name.slice("docker://".length) }, options)
  throw new Unsupported(`"${name}" cannot be read where it is`, { hint: "bring it here first: pull, load or copy it" })
}

/** An image of a registry, which does not come into the store of this user: its layers are read as they come. */
export async function pulledSubject(deps: ScanDeps, target: ScanTarget, options: ScanOptions): Promise<OpenSubject> {
  const { name, platform } = target
  const place = await remotePlace(deps, name)
  if (place !== undefined)
    try {
      const subject = await streamedAt(deps, place, { kind: "image", name }, platform, options)
      if (subject !== undefined) return subject
    } catch (error) {
      // all else a pull takes, or it says what is wrong: that nobody answers, what names are near
      if (
        !isSkiffError(error, "Unsupported") &&
        !isSkiffError(error, "NotFound") &&
        !isSkiffError(error, "Unavailable")
      )
        throw error
    }
  return await extractedSubject(deps, target, options)
}

/** Undefined for a name that may be of several registries: a pull asks one after the other. */
async function remotePlace(deps: ScanDeps, name: string): Promise<string | undefined> {
  const [first = "", ...rest] = name.split("/")
  if (rest.length > 0 && /[.:]|^localhost$/.test(first)) return `docker://${name}`
  const [, repository = "", tail = ""] = /^([^:@]+)(.*)$/.exec(name) ?? []
  const candidates = await (await deps.registries()).candidates(repository)
  const [only] = candidates
  return only === undefined || candidates.length > 1 ? undefined : `docker://${only.registry}/${only.repository}${tail}`
}

async function extractedSubject(
  deps: ScanDeps,
  { name, platform }: ScanTarget,
  options: ScanOptions,
): Promise<OpenSubject> {
  return await inTemporaryStore(deps, options, { kind: "image", name }, async (store) => {
    const { image } = await (
      await store.images()
    ).pull(name, {
      isMissing: true,
      ...options.registry,
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      ...(options.signal && { signal: options.signal }),
    })
    return { image, more: 0 }
  })
}

async function inTemporaryStore(
  deps: ScanDeps,
  options: ScanOptions,
  subject: Pick<OpenSubject, "kind" | "name" | "path">,
  bring: (store: TemporaryStore) => Promise<{ image: Image; more: number }>,
): Promise<OpenSubject> {
  await using undo = new AsyncDisposableStack()
  const store = undo.use(await deps.temporaryStore())
  const { image, more } = await bring(store)
  const opened = await imageSubject(store, image, subject.name, options)
  undo.use(opened)
  const owned = undo.move()
  const packages = opened.packages.bind(opened)
  const left = more === 0 ? [] : [`${more} more image${more === 1 ? "" : "s"} of the archive`]
  return Object.defineProperties(opened, {
    kind: { value: subject.kind, enumerable: true },
    path: { value: subject.path, enumerable: true },
    packages: {
      value: () => {
        const found = packages()
        return { ...found, leftOut: [...found.leftOut, ...left] }
      },
    },
    [Symbol.dispose]: { value: () => undefined },
    [Symbol.asyncDispose]: { value: () => owned.disposeAsync() },
  }) as OpenSubject
}
