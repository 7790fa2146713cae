/** What tests make images of: layers as tar archives, opened without a store. */
import { createHash } from "node:crypto"
import { join } from "node:path"
import { encodeTarHeader, type NewTarEntry } from "../archive/tar-writer.ts"
import { tarPadding } from "../archive/archive.ts"
import type { DiffId } from "../spec/digest.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import type { ExploreDeps } from "./deps.ts"
import type { ExploredImage } from "./explore.ts"
import { openImage } from "./open-image.ts"
import { tempDirectory } from "../../test/support/temp-directory.ts"

/** A file with its contents; a directory ends with a slash; a hard link and a symlink say where they lead. */
export type TestEntry = Partial<NewTarEntry> & { name: string; text?: string }

/** The layer as an uncompressed archive. */
export function tarOf(entries: readonly TestEntry[]): Buffer {
  const blocks = entries.flatMap(({ text = "", ...entry }) => {
    const type = entry.type ?? (entry.name.endsWith("/") ? "directory" : "file")
    const data = Buffer.from(text)
    const header = encodeTarHeader({
      mode: type === "directory" ? 0o755 : 0o644,
      ...entry,
      type,
      sizeBytes: data.length,
    })
    return [header, data, tarPadding(data.length)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

/** An image of these layers, lowest first. `at`: a directory that keeps their indexes. */
export async function openLayers(
  layers: readonly (readonly TestEntry[] | Buffer)[],
  { at, history }: { at?: string; history?: ImageConfig["history"] } = {},
): Promise<ExploredImage> {
  const scratch = tempDirectory("explore-")
  const tars = layers.map((layer) => (Buffer.isBuffer(layer) ? layer : tarOf(layer)))
  const diffIds = tars.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}` as DiffId)
  const config: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: diffIds },
    ...(history !== undefined && { history }),
  }
  return await openImage(
    { scratch } as ExploreDeps,
    {
      name: "test",
      tags: [],
      id: diffIds[0] ?? ("sha256:0" as DiffId),
      config,
      layers: tars.map((tar, index) =>
        Object.assign(at === undefined ? {} : { indexPath: join(at, `${index}.index`) }, {
          diffId: diffIds[index] ?? ("" as DiffId),
          id: `layer-${index}`,
          check: "strict" as const,
          async *tar() {
            // pieces that end within headers, as streams have them
            for (let start = 0; start < tar.length; start += 700) yield tar.subarray(start, start + 700)
          },
        }),
      ),
      async [Symbol.asyncDispose]() {},
    },
    {},
  )
}
