import { InvalidArgument } from "../base/errors.ts"
import { readSettings, settingsFile } from "../base/settings-file.ts"
import { parseSize } from "../base/sizes.ts"

/** The cap, and what is not evicted for it. */
export interface StoreCap {
  maxBytes: number
  /** Patterns of names, as `--filter reference=`. */
  keep: readonly string[]
}

const KEYS = ["storage.max_size", "storage.keep"]
/** Undefined where none is set. Throws InvalidArgument with the file's name and the key. */
export async function readStoreCap(path = settingsFile()): Promise<StoreCap | undefined> {
  const { max_size: size, keep = [], ...more } = await readSettings("storage", path)
  const [unknown] = Object.keys(more)
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "storage.${unknown}"`, { hint: { valid: KEYS } })
  if (!Array.isArray(keep) || keep.some((pattern) => typeof pattern !== "string"))
    throw new InvalidArgument(`"${path}": storage.keep is no list of names`, { hint: 'expected keep = ["debian:*"]' })
  if (size === undefined) return undefined
  const maxBytes = typeof size === "number" ? size : parseSize(String(size), `storage.max_size of "${path}"`)
  if (!(maxBytes > 0))
    throw new InvalidArgument(`"${path}": storage.max_size is ${String(size)}`, {
      hint: 'expected "20GB", or no such line',
    })
  return { maxBytes, keep: keep as string[] }
}
