import { statSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
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
  // ClamAV wants files in a directory
  if (options.scanners.includes("malware") && (await import("../malware/clamav.ts")).hasClam()) return undefined
  const images = await deps.images()
  const how = { ...deps, scratch: process.env.TMPDIR || "/var/tmp" }
  const copyOptions = {
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    ...(options.signal && { signal: options.signal }),
  }
  const kinds = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? ["oci"] : ["docker-archive", "oci-archive"]
  for (const kind of kinds) {
    await using undo = new AsyncDisposableStack()
    try {
      const image = undo.use(await images.openAt(`${kind}:${path}`, copyOptions))
      const { streamedSubject } = await import("./layers/streamed-subject.ts")
      const subject = undo.use(await streamedSubject(image, called, options, how))
      const owned = undo.move()
      return Object.defineProperty(subject, Symbol.asyncDispose, { value: () => owned.disposeAsync() }) as OpenSubject
    } catch (error) {
      if (!isSkiffError(error) || isSkiffError(error, "Cancelled")) throw error
    }
  }
  return undefined
}

/** An image of a registry, which does not come into the store of this user. */
export async function pulledSubject(
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
