import { ImageTree, type FileTree } from "../../sbom/sbom.ts"
import type { Snapshotter } from "../../snapshot/snapshot.ts"
import type { ChainId } from "../../spec/digest.ts"
import { openRoot, tryOpenBeneath } from "../../sys/fs/confined.ts"
import { statOf } from "../../sys/fs/directory.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close } from "../../sys/libc.ts"
import type { SubjectLayer } from "../scan.ts"

const MAX_KNOWN = 100_000

/** Says which layer brought a file: the topmost that has it; where each is a whole copy, the lowest that has it as it is. */
export class LayerFinder implements Disposable {
  readonly #snapshots: Snapshotter
  readonly #chain: readonly ChainId[]
  readonly #layers: readonly SubjectLayer[]
  readonly #roots = new Map<number, number>()
  readonly #known = new Map<string, SubjectLayer | undefined>()

  constructor(snapshots: Snapshotter, chain: readonly ChainId[], layers: readonly SubjectLayer[]) {
    this.#snapshots = snapshots
    this.#chain = chain
    this.#layers = layers
  }

  /** `path` is absolute, as people write it. Undefined where nobody knows. */
  of(path: string): SubjectLayer | undefined {
    if (!this.#known.has(path)) {
      // who asks of millions of files asks of each once
      if (this.#known.size >= MAX_KNOWN) this.#known.clear()
      const index = this.#find(rawName(path).replace(/^\/+/, ""))
      this.#known.set(path, index === undefined ? undefined : this.#layers[index])
    }
    return this.#known.get(path)
  }

  /** Those layers, from the lowest, that hold a file of their own at `path`, with their files. */
  having(path: string): { layer: SubjectLayer; open: () => FileTree }[] {
    const raw = rawName(path).replace(/^\/+/, "")
    const isWhole = this.#snapshots.driver === "native"
    let below: string | undefined
    return this.#chain.flatMap((chainId, index) => {
      const [layer, stamp] = [this.#layers[index], this.#stamp(index, raw)]
      // where each layer is a whole copy, most have the file of the one below
      const isOwn = stamp !== undefined && !(isWhole && stamp === below)
      below = stamp
      return layer !== undefined && isOwn
        ? [{ layer, open: () => new ImageTree(this.#snapshots.diffPath(chainId)) }]
        : []
    })
  }

  [Symbol.dispose](): void {
    for (const fd of this.#roots.values()) close(fd)
    this.#roots.clear()
  }

  #find(path: string): number | undefined {
    const isWhole = this.#snapshots.driver === "native"
    let found: number | undefined
    let stamp: string | undefined
    for (let index = this.#chain.length - 1; index >= 0; index--) {
      const own = this.#stamp(index, path)
      if (!isWhole && own !== undefined) return index
      if (isWhole && (own === undefined || (stamp !== undefined && own !== stamp))) return found
      if (isWhole) [found, stamp] = [index, own]
    }
    return found
  }

  #stamp(index: number, path: string): string | undefined {
    const fd = tryOpenBeneath(this.#root(index), path)
    if (fd === undefined) return undefined
    try {
      const { type, mtime, sizeBytes, mode } = statOf(fd)
      return [type, mode, sizeBytes, mtime.seconds, mtime.nanoseconds].join(" ")
    } finally {
      close(fd)
    }
  }

  #root(index: number): number {
    let fd = this.#roots.get(index)
    const chainId = this.#chain[index]
    if (fd === undefined && chainId !== undefined) {
      fd = openRoot(this.#snapshots.diffPath(chainId))
      this.#roots.set(index, fd)
    }
    return fd ?? -1
  }
}
