import { hasErrno } from "../../base/errors.ts"
import { ImageTree, type FoundPackages } from "../../sbom/sbom.ts"
import { openRoot, tryOpenBeneath } from "../../sys/fs/confined.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close } from "../../sys/libc.ts"
import type { ScanDeps } from "../deps.ts"
import type { ScanOptions, ScanSubject } from "../scan.ts"
import { blobsOf, Files, layersOf, subjectImage } from "./image-subject.ts"
import { imagePackages } from "./image-packages.ts"
import { LayerFinder } from "./layer-finder.ts"

/** A container: its image's files with what it has changed of them, without what is mounted in it. It may run meanwhile. */
export async function containerSubject(deps: ScanDeps, name: string, options: ScanOptions): Promise<ScanSubject> {
  const [images, containers, snapshots] = await Promise.all([deps.images(), deps.containers(), deps.snapshots()])
  const container = await containers.inspect(name)
  const image = images.find(container.imageId)
  const config = image && (await images.config(image))
  const chain = image === undefined ? [] : images.layers(image).map(({ chainId }) => chainId)
  const blobs = image === undefined ? [] : await blobsOf(images, image)
  const lines = (image && (await deps.dockerfileLines?.(image.id, config?.history))) ?? []
  const layers = config === undefined ? [] : layersOf(config, chain, snapshots, { blobs, lines })
  const opened = new Files(snapshots, container.id)
  const finder = new LayerFinder(snapshots, chain, layers)
  let found: FoundPackages | undefined
  const own = snapshots.diffPath(container.id)
  const layerOf = (path: string) => (isOwn(own, path) ? undefined : finder.of(path))
  const having = (path: string) => [
    ...finder.having(path),
    ...(isOwn(own, path) ? [{ layer: undefined, open: () => new ImageTree(own) }] : []),
  ]
  return {
    kind: "container",
    name: container.name,
    container,
    ...(image === undefined || config === undefined ? {} : { image: subjectImage(image, config) }),
    layers,
    get tree() {
      return opened.tree
    },
    packages: () => (found ??= imagePackages(opened.opener, { of: layerOf, having }, options)),
    layerOf,
    [Symbol.dispose]() {
      finder[Symbol.dispose]()
      opened[Symbol.dispose]()
    },
  }
}

function isOwn(directory: string, path: string): boolean {
  let root: number
  try {
    root = openRoot(directory)
  } catch (error) {
    if (hasErrno(error, "ENOENT")) return false
    throw error
  }
  try {
    const fd = tryOpenBeneath(root, rawName(path).replace(/^\/+/, ""))
    if (fd !== undefined) close(fd)
    return fd !== undefined
  } finally {
    close(root)
  }
}
