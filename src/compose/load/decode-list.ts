import { InvalidArgument } from "../../base/errors.ts"
import { decodeText } from "./decode-scalar.ts"
import { showScalar } from "./go-scalar.ts"
import { isMap, type Tree } from "./tree.ts"

/** A list of texts; one text is a list of one. */
export function decodeTexts(value: Tree): string[] {
  if (value === null) return []
  return Array.isArray(value) ? value.map(decodeText) : [decodeText(value)]
}

/** `k=v` or a map. A key without a value has `none`. */
export function decodePairs<N extends null | "">(value: Tree, none: N): Record<string, string | N> {
  const pairs: Record<string, string | N> = {}
  const set = (name: string, one: string | N) =>
    Object.defineProperty(pairs, name, { value: one, enumerable: true, writable: true, configurable: true })
  if (Array.isArray(value))
    for (const item of value) {
      const text = showScalar(item)
      const at = text.indexOf("=")
      if (at < 0) set(text, none)
      else set(text.slice(0, at), text.slice(at + 1))
    }
  else if (isMap(value))
    for (const [name, one] of Object.entries(value)) set(name, one === null ? none : showScalar(one))
  return pairs
}

/** Each value is a list, also where one text stands. */
export function decodeTextLists(value: Tree): Record<string, string[]> {
  if (!isMap(value)) return {}
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, (Array.isArray(one) ? one : [one]).map(showScalar)]),
  )
}

/** `host=address`, sorted by host; of one host in the order of the file. Throws InvalidArgument. */
export function decodeHosts(value: Tree): string[] {
  const hosts = new Map<string, string[]>()
  const add = (host: string, address: string) => {
    const known = hosts.get(host) ?? []
    known.push(address.replace(/^\[(.*)\]$/, "$1"))
    hosts.set(host, known)
  }
  if (isMap(value))
    for (const [host, one] of Object.entries(value)) for (const address of decodeTexts(one)) add(host, address)
  else for (const text of decodeTexts(value)) addHost(text, add)
  return [...hosts.keys()].toSorted().flatMap((host) => (hosts.get(host) ?? []).map((address) => `${host}=${address}`))
}

function addHost(text: string, add: (host: string, address: string) => void): void {
  const at = text.includes("=") ? text.indexOf("=") : text.indexOf(":")
  if (at < 0) throw new InvalidArgument(`invalid additional host, missing IP: ${text}`)
  add(text.slice(0, at), text.slice(at + 1))
}
