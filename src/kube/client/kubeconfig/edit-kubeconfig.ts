/** Changes of kubeconfig files as `kubectl config` makes them: each in the file that has the entry, else in the first. */
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { atomicWrite } from "../../../base/atomic-write.ts"
import { AlreadyExists, NotFound } from "../../../base/errors.ts"
import { isTree, listAt, textAt, treeAt, type Tree } from "../../field.ts"
import { kubeYaml } from "../print/yaml.ts"
import { readDocuments } from "../../read/read-documents.ts"
import { PART, withoutProperty, withProperty, type ConfigList, type ConfigProperty } from "./config-property.ts"
import { kubeconfigFiles, readKubeconfig } from "./kubeconfig.ts"

export { readProperty } from "./config-property.ts"

/** The entry's own settings, merged over what is there; undefined takes one away. Gives whether it was there, and the file. */
export function setEntry(
  path: string | undefined,
  list: ConfigList,
  name: string,
  settings: Readonly<Record<string, unknown>>,
): { wasThere: boolean; file: string } {
  const { file, document } = fileWith(path, (one) => hasEntry(one, list, name))
  const wasThere = hasEntry(document, list, name)
  const before = entriesOf(document, list).find((one) => one["name"] === name)
  const merged = { ...treeAt(before, PART[list]), ...settings }
  const own = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined))
  const entry = { ...before, name, [PART[list]]: own }
  const others = entriesOf(document, list)
  const entries = wasThere ? others.map((one) => (one["name"] === name ? entry : one)) : [...others, entry]
  write(file, { ...document, [list]: entries })
  return { wasThere, file }
}

/** Throws NotFound. Gives the file. */
export function deleteEntry(path: string | undefined, list: ConfigList, name: string): string {
  const { file, document } = fileWith(path, (one) => hasEntry(one, list, name))
  if (!hasEntry(document, list, name))
    throw new NotFound(`cannot delete ${PART[list]} ${name}, not in ${resolve(file)}`)
  write(file, { ...document, [list]: entriesOf(document, list).filter((one) => one["name"] !== name) })
  return file
}

/** Throws NotFound for a context that no file has. */
export function useContext(path: string | undefined, name: string): void {
  requireContext(path, name)
  const { file, document } = fileWith(path, (one) => textAt(one, "current-context") !== "")
  write(file, { ...document, "current-context": name })
}

/** The current context goes along. Throws NotFound, AlreadyExists. */
export function renameContext(path: string | undefined, name: string, next: string): void {
  const { file, document } = fileWith(path, (one) => hasEntry(one, "contexts", name))
  if (!hasEntry(document, "contexts", name))
    throw new NotFound(`cannot rename the context "${name}", it's not in ${resolve(file)}`)
  if (kubeconfigFiles(path).some((one) => hasEntry(read(one), "contexts", next)))
    throw new AlreadyExists(
      `cannot rename the context "${name}", the context "${next}" already exists in ${resolve(file)}`,
    )
  const contexts = entriesOf(document, "contexts").map((one) =>
    one["name"] === name ? Object.assign({}, one, { name: next }) : one,
  )
  write(file, { ...document, contexts })
  const current = fileWith(path, (one) => textAt(one, "current-context") === name)
  if (textAt(current.document, "current-context") === name)
    write(current.file, { ...current.document, "current-context": next })
}

/** `config set`: one property of the file that has its entry. Throws InvalidArgument. */
export function setConfigProperty(path: string | undefined, property: ConfigProperty, value: string): void {
  const { file, document } = fileOf(path, property)
  write(file, withProperty(document, property, value))
}

/** `config unset`: a property, or a whole entry. Throws NotFound for an entry that is not there. */
export function unsetConfigProperty(path: string | undefined, property: ConfigProperty): void {
  const { file, document } = fileOf(path, property)
  write(file, withoutProperty(document, property))
}

function fileOf(path: string | undefined, { list, name }: ConfigProperty): { file: string; document: Tree } {
  return fileWith(path, (one) =>
    list === undefined || name === "" ? textAt(one, "current-context") !== "" : hasEntry(one, list, name),
  )
}

function requireContext(path: string | undefined, name: string): void {
  if (!kubeconfigFiles(path).some((file) => hasEntry(read(file), "contexts", name)))
    throw new NotFound(`no context exists with the name: "${name}"`)
}

function fileWith(path: string | undefined, fits: (document: Tree) => boolean): { file: string; document: Tree } {
  const files = kubeconfigFiles(path)
  const found = files.find((file) => fits(read(file))) ?? files.find((file) => existsSync(file)) ?? files.at(-1) ?? ""
  return { file: found, document: read(found) }
}

function read(file: string): Tree {
  if (!existsSync(file)) return {}
  const [document] = readDocuments(readFileSync(file), file)
  return isTree(document?.value) ? document.value : {}
}

function entriesOf(document: Tree, list: ConfigList): Tree[] {
  return listAt(document, list).filter(isTree)
}

function hasEntry(document: Tree, list: ConfigList, name: string): boolean {
  return entriesOf(document, list).some((one) => one["name"] === name)
}

/** It may hold what lets its reader do all: it is its owner's alone. */
function write(file: string, document: Tree): void {
  // a link stays one
  const target = existsSync(file) ? realpathSync(file) : resolve(file)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const whole = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [],
    contexts: [],
    users: [],
    "current-context": "",
    preferences: {},
    ...document,
  }
  atomicWrite(target, Buffer.from(kubeYaml(whole)), { mode: 0o600, durable: false })
}

/** What is shown of it. */
export interface ViewOptions {
  context?: string | undefined
  /** What the context uses alone. */
  minify?: boolean
  /** With what is secret. */
  raw?: boolean
  /** Files' contents in place of their paths. */
  flatten?: boolean
}

const FILES = ["certificate-authority", "client-certificate", "client-key"]
const SECRET = ["token", "password"]

/** All files as one document, without what is secret. Throws NotFound for a context that is not there. */
export function viewConfig(path: string | undefined, { context, minify, raw, flatten }: ViewOptions): Tree {
  const config = readKubeconfig(path)
  const current = context ?? textAt(config, "current-context")
  const whole = { ...config, "current-context": current, preferences: {} }
  const chosen = minify ? minified(whole, current) : whole
  const shown = (list: ConfigList, change: (own: Tree) => Tree): Tree[] =>
    entriesOf(chosen, list).map((one) => Object.assign({}, one, { [PART[list]]: change(treeAt(one, PART[list])) }))
  const change = (own: Tree): Tree => {
    const flat = flatten ? flattened(own) : own
    return raw || flatten ? flat : redacted(flat)
  }
  return { ...chosen, clusters: shown("clusters", change), users: shown("users", change) }
}

function minified(config: Tree, current: string): Tree {
  const contexts = entriesOf(config, "contexts").filter((one) => one["name"] === current)
  const [context] = contexts
  if (context === undefined)
    throw new NotFound(
      current === "" ? "current-context must exist in order to minify" : `cannot locate context ${current}`,
    )
  const named = (list: ConfigList, name: string): Tree[] =>
    entriesOf(config, list).filter((one) => one["name"] === name)
  return {
    ...config,
    contexts,
    clusters: named("clusters", textAt(context, "context", "cluster")),
    users: named("users", textAt(context, "context", "user")),
  }
}

function flattened(own: Tree): Tree {
  const result = { ...own }
  for (const key of FILES) {
    const path = textAt(own, key)
    if (path === "") continue
    result[`${key}-data`] = readFileSync(path).toString("base64")
    delete result[key]
  }
  return result
}

function redacted(own: Tree): Tree {
  const result = { ...own }
  for (const key of FILES) if (textAt(own, `${key}-data`) !== "") result[`${key}-data`] = "DATA+OMITTED"
  for (const key of SECRET) if (textAt(own, key) !== "") result[key] = "REDACTED"
  return result
}
