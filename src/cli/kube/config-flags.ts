import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { NotFound } from "../../base/errors.ts"
import { flag } from "../flag.ts"

/** Which files. */
export const CONFIG_FLAGS = {
  kubeconfig: flag.string("Use a particular kubeconfig file", "file"),
}

/** What was said: the rest stays as it is. */
export function given(settings: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter((one): one is [string, string] => one[1] !== undefined))
}

/** A setting that is a file's path, or, embedded, what the file holds; one takes the other's place. Throws NotFound. */
export function fileEntry(
  key: string,
  path: string | undefined,
  isEmbedded: boolean,
): Record<string, string | undefined> {
  if (path === undefined) return {}
  if (!isEmbedded) return { [key]: resolve(path), [`${key}-data`]: undefined }
  try {
    return { [key]: undefined, [`${key}-data`]: readFileSync(path).toString("base64") }
  } catch (cause) {
    throw new NotFound(`could not read ${key} data from ${path}`, { cause })
  }
}
