import { readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { environmentLines } from "../../kube/kube.ts"
import { UsageError } from "../errors/usage-error.ts"

/** Where the data of a ConfigMap or Secret comes from. */
export interface DataFlags {
  fromFile: readonly string[]
  fromLiteral: readonly string[]
  fromEnvFile: readonly string[]
}

/** Entries by their keys. Throws UsageError for a key that is there twice. */
export function dataEntries({ fromFile, fromLiteral, fromEnvFile }: DataFlags): Map<string, Buffer> {
  if (fromEnvFile.length > 0 && (fromFile.length > 0 || fromLiteral.length > 0))
    throw new UsageError("from-env-file cannot be combined with from-file or from-literal")
  const entries = new Map<string, Buffer>()
  const add = (key: string, value: Buffer): void => {
    if (entries.has(key)) throw new UsageError(`cannot add key "${key}", another key by that name already exists`)
    entries.set(key, value)
  }
  for (const text of fromLiteral) {
    const equals = text.indexOf("=")
    if (equals < 1) throw new UsageError(`invalid literal source ${text}, expected key=value`)
    add(text.slice(0, equals), Buffer.from(text.slice(equals + 1)))
  }
  for (const text of fromFile) {
    const equals = text.indexOf("=")
    const path = equals === -1 ? text : text.slice(equals + 1)
    if (equals === -1 && statSync(path).isDirectory()) {
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isFile()) add(entry.name, readFileSync(join(path, entry.name)))
    } else add(equals === -1 ? basename(path) : text.slice(0, equals), readFileSync(path))
  }
  for (const file of fromEnvFile)
    for (const [key, value] of environmentLines(readFileSync(file, "utf8"))) add(key, Buffer.from(value))
  return entries
}
