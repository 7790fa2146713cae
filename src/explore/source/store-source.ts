import type { Image } from "../../image/image.ts"
import { DataLoss } from "../../base/errors.ts"
import type { LayerContents } from "../../snapshot/snapshot.ts"
import { digestHex } from "../../spec/digest.ts"
import type { ExploreDeps } from "../deps.ts"
import { dockerfileLines } from "./dockerfile-lines.ts"
import type { ImageSourceOpened, SourceLayer } from "./source.ts"

/** An image of the store: its layers lie unpacked, their indexes beside them. Throws NotFound, DataLoss. */
export async function storeSource(
  { images, snapshots, builds }: ExploreDeps,
  image: Image,
  name: string,
): Promise<ImageSourceOpened> {
  const [config, manifest] = [await images.config(image), await images.manifest(image)]
  const lines = dockerfileLines(image.id, config.history ?? [], (await (await builds()).history()).list())
  const undo = new DisposableStack()
  const opened = new Map<number, LayerContents>()
  const chain = images.layers(image)
  const layers = chain.map(({ chainId }, at): SourceLayer => {
    const diffId = config.rootfs.diff_ids[at]
    if (diffId === undefined) throw new DataLoss(`layer ${at + 1} of "${name}" has no diff id`)
    const digest = manifest.layers[at]?.digest
    const dockerfileLine = lines[at]
    return {
      diffId,
      ...(digest !== undefined && { digest }),
      id: digestHex(digest ?? diffId),
      // what it was extracted from has the order of its names, and which of hard links is the file
      tar: (signal) => snapshots.original(chainId) ?? snapshots.diff(chainId, { signal }),
      indexPath: snapshots.keptFile(chainId, "explore-index"),
      directory: () => snapshots.diffPath(chainId),
      ...(dockerfileLine !== undefined && { dockerfileLine }),
      openFile(path) {
        let contents = opened.get(at)
        if (contents === undefined) opened.set(at, (contents = undo.use(snapshots.contents(chainId))))
        return contents.open(path)
      },
    }
  })
  const top = chain.at(-1)
  return {
    name,
    tags: image.tags,
    id: image.id,
    config,
    layers,
    ...(top !== undefined && { figuresPath: snapshots.keptFile(top.chainId, "explore-figures") }),
    async [Symbol.asyncDispose]() {
      undo.dispose()
    },
  }
}
