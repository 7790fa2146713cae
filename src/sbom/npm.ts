import { parseJson } from "../spec/parse-document.ts"
import type { Package } from "./package.ts"
import { MAX_VALUE, present } from "./stanza.ts"

/** An image may hold any number of them: one that is made to fill the memory is none. */
const MAX_VALUES = 50_000

/** An installed npm package by its package.json (npm docs, package.json); undefined for what is none. */
export function parseNpmPackage(text: string, foundIn: string): Package | undefined {
  let document: unknown
  try {
    document = parseJson(Buffer.from(text), "package.json", MAX_VALUES)
  } catch {
    return undefined
  }
  if (typeof document !== "object" || document === null) return undefined
  const { name, version, license, author, homepage } = document as Record<string, unknown>
  const [ownName, ownVersion] = [textOf(name), textOf(version)]
  if (!ownName || !ownVersion) return undefined
  const details = { license: textOf(license, "type"), supplier: textOf(author, "name"), homepage: textOf(homepage) }
  return { type: "npm", kind: "node-pkg", name: ownName, version: ownVersion, ...present(details), foundIn }
}

/** A field that is a text, or an object that has it under `key`. */
function textOf(value: unknown, key?: string): string | undefined {
  if (typeof value === "string") return value.slice(0, MAX_VALUE)
  if (key === undefined || typeof value !== "object" || value === null) return undefined
  return textOf((value as Record<string, unknown>)[key])
}
