/** The images of the bench, in a real registry on this machine. */
import { globSync, lstatSync, readFileSync } from "node:fs"
import { BUSYBOX } from "../test/support/image.ts"
import { Registry } from "../test/support/registry.ts"
import type { TarEntry } from "../test/support/tar.ts"
import { pushVersions, type Versions } from "./versions.ts"

/** Names by which every engine can pull them; each is made and pushed when it is first asked for. */
export interface Images {
  small: string
  readonly gigabyte: string
  readonly manyFiles: string
  versions(): Promise<Versions>
}

export const MANY_FILES = 100_000

export function pushImages(registry: Registry): Images {
  const small = registry.push("bench/busybox:latest", BUSYBOX)
  let gigabyte: string | undefined
  let manyFiles: string | undefined
  let versions: Promise<Versions> | undefined
  return {
    small,
    get gigabyte() {
      return (gigabyte ??= pushLayers(registry, "bench/gigabyte:latest", hostFiles(1_000_000_000, 8)))
    },
    versions: () => (versions ??= pushVersions(registry, hostFiles(190_000_000, 1).flat())),
    get manyFiles() {
      return (manyFiles ??= pushLayers(registry, "bench/files:latest", [smallFiles(MANY_FILES)]))
    },
  }
}

function pushLayers(registry: Registry, name: string, layers: TarEntry[][]): string {
  return registry.push(name, { layers: layers.map((entries) => ({ entries })) })
}

/** Programs and libraries of this host, so they compress as such do; again below another directory until it is enough. */
function hostFiles(bytes: number, layers: number): TarEntry[][] {
  const entries: TarEntry[][] = [[]]
  const found = globSync("/usr/{lib,share,bin}/**/*")
    .toSorted()
    .filter((path) => path.length < 90)
    .map((path) => ({ path, stat: lstatSync(path) }))
    .filter(({ stat }) => stat.isFile() && stat.size < 20_000_000)
  let inLayer = 0
  for (let copy = 0; ; copy++)
    for (const { path, stat } of found) {
      if (inLayer > bytes / layers) {
        if (entries.length === layers) return entries
        entries.push([])
        inLayer = 0
      }
      entries.at(-1)?.push({ name: `${copy}${path}`, content: readFileSync(path), mode: stat.mode & 0o777 })
      inLayer += stat.size
    }
}

/** Files as a package manager of a language leaves them: up to 4 KB each, 100 a directory. */
function smallFiles(count: number): TarEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `modules/m${Math.floor(index / 100)}/f${index}.js`,
    content: `export const v${index} = ${index * 7919}\n`.repeat(index % 120),
  }))
}
