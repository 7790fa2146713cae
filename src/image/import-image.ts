import { createReadStream } from "node:fs"
import { download, shownAddress } from "../sys/net/download.ts"
import { hasErrno, InvalidArgument, NotFound } from "../base/errors.ts"
import type { Bytes } from "../content/content.ts"
import { hostPlatform } from "../spec/platform.ts"
import type { Image, Images, ImportOptions, ImportSource } from "./image.ts"

/** See `Images.import`. The layer is checked and capped as every other (archive/). */
export async function importImage(images: Images, source: ImportSource, options: ImportOptions): Promise<Image> {
  const { os, architecture, variant } = options.platform ?? hostPlatform()
  const from = "path" in source ? source.path : "url" in source ? shownAddress(source.url) : "-"
  return await images.createFromTar(bytesOf(source, options.signal), {
    name: options.name,
    config: {
      created: new Date().toISOString(),
      architecture,
      os,
      // linux/arm64 is v8 for all (containerd's platforms.Normalize)
      ...(variant === undefined || architecture === "arm64" ? {} : { variant }),
      config: options.config,
    },
    comment: options.message ?? `Imported from ${from}`,
    onProgress: options.onProgress,
    signal: options.signal,
  })
}

async function* bytesOf(source: ImportSource, signal: AbortSignal | undefined): Bytes {
  if ("bytes" in source) return yield* source.bytes
  if ("url" in source) return yield* download(source.url, { signal })
  try {
    yield* createReadStream(source.path, { highWaterMark: 1 << 20 })
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR"))
      throw new NotFound(`no such file: "${source.path}"`, {
        cause,
        hint: "check the path: it is read from the current directory",
      })
    if (hasErrno(cause, "EISDIR", "EACCES")) throw new InvalidArgument(`cannot read "${source.path}"`, { cause })
    throw cause
  }
}
