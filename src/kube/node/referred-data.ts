import type { ConfigMap, Secret } from "kubernetes-types/core/v1"
import { fieldFault } from "./field-fault.ts"

/** Of all values of one object, as an API server bounds them. */
const MAX_OBJECT_BYTES = 1024 ** 2 + 64 * 1024
const BASE64 = /^[A-Za-z0-9+/\s]*={0,2}\s*$/

/** What a ConfigMap or Secret holds, by key. */
export type ReferredData = ReadonlyMap<string, Uint8Array>

/** Throws InvalidArgument for a key that is there twice, bytes that are no base64, or more than a MiB. Pure. */
export function configMapData({ metadata, data = {}, binaryData = {} }: ConfigMap, path: string): ReferredData {
  const name = metadata?.name ?? ""
  const twice = Object.keys(data).find((key) => Object.hasOwn(binaryData, key))
  if (twice !== undefined)
    throw fieldFault(
      path,
      `the ConfigMap "${name}" is invalid: duplicate key "${twice}" present in data and binaryData`,
    )
  return bounded([...texts(data), ...binaries(binaryData, `ConfigMap "${name}"`, path)], `ConfigMap "${name}"`, path)
}

/** The same of a Secret: its texts go before its bytes. */
export function secretData({ metadata, data = {}, stringData = {} }: Secret, path: string): ReferredData {
  const what = `Secret "${metadata?.name ?? ""}"`
  return bounded([...binaries(data, what, path), ...texts(stringData)], what, path)
}

function texts(values: Readonly<Record<string, string>>): [string, Uint8Array][] {
  return Object.entries(values).map(([key, text]) => [key, Buffer.from(text)])
}

function binaries(values: Readonly<Record<string, string>>, what: string, path: string): [string, Uint8Array][] {
  return Object.entries(values).map(([key, text]) => {
    if (!BASE64.test(text)) throw fieldFault(path, `${what}: the value of "${key.slice(0, 100)}" is not in base64`)
    return [key, Buffer.from(text, "base64")]
  })
}

function bounded(entries: readonly [string, Uint8Array][], what: string, path: string): ReferredData {
  const bytes = entries.reduce((sum, [, data]) => sum + data.length, 0)
  if (bytes > MAX_OBJECT_BYTES) throw fieldFault(path, `${what} holds ${bytes} bytes, the limit is ${MAX_OBJECT_BYTES}`)
  return new Map(entries)
}
