/** Images of pods: built where a directory of their name is there, else found or pulled. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Builds } from "../../build/build.ts"
import type { Image, Images } from "../../image/image.ts"
import type { ImageRunConfig } from "../../spec/oci-image.ts"
import type { PullPolicy } from "../node/node-pod.ts"
import type { PlayOptions } from "./play-options.ts"

/** What images are had by. */
export interface PlayImageDeps {
  images: Images
  builds(): Promise<Builds>
}

/** How one is wanted. */
export interface WantedImage {
  reference: string
  pull: PullPolicy
  /** Of a volume: none is built. */
  isVolume?: boolean
  /** Of the pod's imagePullSecrets; those of the call go before them. */
  credentials?: { username: string; password: string }
}

const BUILD_FILES = ["Containerfile", "Dockerfile"]

/** Has each image, once, and gives what it says of itself. Throws what a build or a pull throws; NotFound for one that is never pulled. */
export async function playImages(
  deps: PlayImageDeps,
  wanted: readonly WantedImage[],
  options: PlayOptions,
): Promise<(reference: string) => ImageRunConfig | undefined> {
  const configs = new Map<string, ImageRunConfig>()
  for (const one of wanted) {
    if (configs.has(one.reference)) continue
    const { registry = {} } = options
    const own = one.credentials !== undefined && registry.credentials === undefined
    const access = own ? { ...registry, credentials: one.credentials } : registry
    const image = await haveImage(deps, one, { ...options, registry: access })
    configs.set(one.reference, (await deps.images.config(image)).config ?? {})
  }
  return (reference) => configs.get(reference)
}

async function haveImage(
  { images, builds }: PlayImageDeps,
  { reference, pull, isVolume = false }: WantedImage,
  options: PlayOptions,
): Promise<Image> {
  const { build = "missing", contextDirectory, registry = {}, onProgress, signal } = options
  const here = images.find(reference)
  const file = isVolume || build === "never" ? undefined : buildFile(reference, contextDirectory)
  if (file !== undefined && (here === undefined || build === "always")) {
    await buildImage(await builds(), reference, file, options)
    return images.get(reference)
  }
  if (here !== undefined && pull === "newer") return newerOf(images, here, reference, options)
  if (here !== undefined && pull !== "always") return here
  if (pull === "never") return images.get(reference)
  const how = {
    ...registry,
    isMissing: here === undefined,
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
  }
  return (await images.pull(reference, how)).image
}

/** That of its registry, asked once; where it cannot be had, the one that is here. */
async function newerOf(
  images: Images,
  here: Image,
  reference: string,
  { registry = {}, onProgress, signal }: PlayOptions,
): Promise<Image> {
  try {
    const how = { ...registry, retries: 0, ...(onProgress && { onProgress }), ...(signal && { signal }) }
    return (await images.pull(reference, how)).image
  } catch (error) {
    if (isSkiffError(error, "Cancelled")) throw error
    log.debug("the registry of an image cannot be asked", { reference, reason: String(error) })
    return here
  }
}

/** The directory of an image is called as the last part of its name. */
function buildFile(reference: string, directory: string): { context: string; file: string } | undefined {
  const name = (reference.split("@", 1)[0] ?? "").split("/").at(-1)?.split(":", 1)[0] ?? ""
  if (!/^[\w.-]+$/.test(name) || name === "." || name === "..") return undefined
  const context = join(directory, name)
  const file = BUILD_FILES.find((one) => existsSync(join(context, one)))
  return file === undefined ? undefined : { context, file }
}

async function buildImage(
  builds: Builds,
  reference: string,
  { context, file }: { context: string; file: string },
  { registry = {}, onBuildLog, signal }: PlayOptions,
): Promise<void> {
  await builds.build(
    {
      dockerfile: { pathInContext: file },
      context: { kind: "directory", path: context },
      tags: [reference],
      access: registry,
      ...(signal && { signal }),
    },
    (event) => {
      if (event.kind === "log") onBuildLog?.(event.bytes)
    },
  )
}
