/** The images of the bench, in a real registry on this machine. */
import { globSync, lstatSync, readFileSync } from "node:fs"
import { BUSYBOX } from "../test/support/image.ts"
import { Registry } from "../test/support/registry.ts"

import type { TarEntry } from "../test/support/tar.ts"
import type { Images } from "./measures.ts"

const LAYERS = 6
const LAYER_BYTES = 25_000_000

/** 150 MB in six layers: programs and libraries of this host, so they compress as such do. */
function largeLayers(): TarEntry[][] {
  const layers: TarEntry[][] = [[]]
  let bytes = 0
  for (const path of globSync("/usr/{lib,share,bin}/**/*").toSorted()) {
    const stat = lstatSync(path)
    if (!stat.isFile() || stat.size > 5_000_000 || path.length > 95) continue
    if (bytes + stat.size > LAYER_BYTES) {
      if (layers.length === LAYERS) break
      layers.push([])
      bytes = 0
    }
    layers.at(-1)?.push({ name: path.slice(1), content: readFileSync(path), mode: stat.mode & 0o777 })
    bytes += stat.size
  }
  return layers
}

export function pushImages(registry: Registry): Images {
  return {
    small: registry.push("bench/busybox:latest", BUSYBOX),
    large: registry.push("bench/large:latest", { layers: largeLayers().map((entries) => ({ entries })) }),
  }
}
