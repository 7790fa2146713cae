import { Unsupported } from "../base/errors.ts"
import { familiarName, type Image } from "../image/image.ts"
import { shortDigest } from "../spec/digest.ts"
import type { ExploreDeps } from "./deps.ts"
import type { Explorer } from "./explore.ts"
import type { LayerIndex } from "./index/layer-index.ts"
import { openImage } from "./open-image.ts"
import { placeSource } from "./source/place-source.ts"
import type { StoredLayers } from "./shared.ts"
import { storeSource } from "./source/store-source.ts"

/** Places as `Images.copy` knows them; what begins otherwise is a name of the store. */
const TRANSPORT = /^(?:docker:\/\/|docker-daemon:|containers-storage:|dir:|oci:|oci-archive:|docker-archive:)/

/** Opens images to be looked into. */
export function openExplorer(deps: ExploreDeps): Explorer {
  const { images } = deps
  return {
    async shared(name, limit, options = {}) {
      const { sharedContents } = await import("./shared.ts")
      if (TRANSPORT.test(name))
        throw new Unsupported(
          `what other images have too is told of images of this store, and "${name}" is elsewhere`,
          {
            hint: "bring it here first: pull or load it",
          },
        )
      const id = images.get(name).id
      await using stack = new AsyncDisposableStack()
      const layersOf = async (word: string, shown: string) => {
        const image = stack.use(await openImage(deps, await storeSource(deps, images.get(word), shown), options))
        return {
          name: shown,
          layers: image.layers.flatMap(({ diffId, index }) => ({ diffId, index: image.indexes[index] })),
        }
      }
      async function* others() {
        for (const other of images.list()) if (other.id !== id) yield whole(await layersOf(other.id, familiar(other)))
      }
      return await sharedContents(whole(await layersOf(id, name)), others(), limit, options.signal)
    },

    async open(place, options = {}) {
      const source = TRANSPORT.test(place)
        ? await placeSource(deps, place, options)
        : await storeSource(deps, deps.images.get(place), place)
      return await openImage(deps, source, options)
    },
  }
}

function familiar({ id, tags: [tag] }: Image): string {
  return tag === undefined ? shortDigest(id) : familiarName(tag)
}

/** Every layer of an open image has an index. */
function whole({
  name,
  layers,
}: {
  name: string
  layers: { diffId: string; index: LayerIndex | undefined }[]
}): StoredLayers {
  return { name, layers: layers.flatMap(({ diffId, index }) => (index === undefined ? [] : [{ diffId, index }])) }
}
