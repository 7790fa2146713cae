import type { Image, Images } from "../../image/image.ts"
import { ImageTree, type FoundPackages } from "../../sbom/sbom.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { ChainId } from "../../spec/digest.ts"
import type { ImageConfig } from "../../spec/oci-image.ts"
import { formatPlatform } from "../../spec/platform.ts"
import type { ScanDeps } from "../deps.ts"
import type { ScanOptions, ScanSubject, SubjectLayer } from "../scan.ts"
import { stepWithoutSecrets } from "../secret/config-without-secrets.ts"
import { LayerFinder } from "./layer-finder.ts"
import { keptPackages } from "./kept-packages.ts"
import { imagePackages } from "./image-packages.ts"

/** An image of a store. Its files are mounted when they are first asked for. */
export async function imageSubject(
  deps: Pick<ScanDeps, "images" | "snapshots" | "dockerfileLines">,
  image: Image,
  name: string,
  options: ScanOptions,
): Promise<ScanSubject> {
  const [images, snapshots] = await Promise.all([deps.images(), deps.snapshots()])
  const config = await images.config(image)
  const blobs = await blobsOf(images, image)
  const chain = images.layers(image).map(({ chainId }) => chainId)
  const lines = (await deps.dockerfileLines?.(image.id, config.history)) ?? []
  const layers = layersOf(config, chain, snapshots, { blobs, lines })
  const opened = new Files(snapshots, image.topLayer)
  const finder = new LayerFinder(snapshots, chain, layers)
  const { topLayer } = image
  const keptFile = topLayer && ((file: "packages" | "vulnerabilities") => snapshots.keptFile(topLayer, file))
  let found: FoundPackages | undefined
  return {
    kind: "image",
    name,
    image: subjectImage(image, config),
    layers,
    get tree() {
      return opened.tree
    },
    packages: () =>
      (found ??= keptPackages(keptFile?.("packages"), options, () => imagePackages(opened.opener, finder, options))),
    layerOf: (path) => finder.of(path),
    ...(keptFile ? { keptFile } : {}),
    [Symbol.dispose]() {
      finder[Symbol.dispose]()
      opened[Symbol.dispose]()
    },
  }
}

/** What reports tell of an image. */
export function subjectImage(image: Image, config: ImageConfig): NonNullable<ScanSubject["image"]> {
  return {
    id: image.id,
    tags: image.tags,
    digests: image.repoDigests,
    config,
    platform: formatPlatform(image.platform),
    sizeBytes: image.sizeBytes,
  }
}

/** The digests of its layers in the registry; none where its manifest is not here. */
export async function blobsOf(images: Images, image: Image): Promise<NonNullable<SubjectLayer["digest"]>[]> {
  return await images.manifest(image).then(
    ({ layers }) => layers.map(({ digest }) => digest),
    () => [],
  )
}

/** The files of a snapshot, mounted when first asked for. */
export class Files implements Disposable {
  readonly #snapshots: Snapshotter
  readonly #name: string | undefined
  readonly #opened = new DisposableStack()
  #path: string | undefined
  #tree: ImageTree | undefined

  constructor(snapshots: Snapshotter, name: string | undefined) {
    this.#snapshots = snapshots
    this.#name = name
  }

  /** Undefined of an image without layers. */
  get path(): string | undefined {
    if (this.#name === undefined) return undefined
    return (this.#path ??= this.#opened.use(this.#snapshots.open(this.#name)).path)
  }

  /** Opens them anew; undefined of an image without layers. */
  get opener(): (() => ImageTree) | undefined {
    const { path } = this
    return path === undefined ? undefined : () => new ImageTree(path)
  }

  get tree(): ImageTree | undefined {
    const { path } = this
    if (path === undefined) return undefined
    return (this.#tree ??= this.#opened.use(new ImageTree(path)))
  }

  [Symbol.dispose](): void {
    this.#opened.dispose()
  }
}

/** As the config lists them, each with the step of the history that made it. */
export function layersOf(
  config: ImageConfig,
  chain: readonly ChainId[],
  snapshots: Snapshotter,
  { blobs, lines }: { blobs: readonly SubjectLayer["digest"][]; lines: readonly SubjectLayer["dockerfile"][] },
): SubjectLayer[] {
  const steps = (config.history ?? []).filter((step) => step.empty_layer !== true)
  return config.rootfs.diff_ids.map((diffId, index) => {
    const [name, digest, createdBy, dockerfile] = [chain[index], blobs[index], steps[index]?.created_by, lines[index]]
    return {
      diffId,
      ...(digest === undefined ? {} : { digest }),
      // reports tell of it beside whatever is found
      ...(createdBy === undefined ? {} : { createdBy: stepWithoutSecrets(createdBy) }),
      ...(dockerfile === undefined ? {} : { dockerfile }),
      ...(name === undefined ? {} : { open: () => new ImageTree(snapshots.diffPath(name)) }),
    }
  })
}
