import { basename } from "node:path"
import { InvalidArgument } from "../../../base/errors.ts"
import { listAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"

/** Reads a file beside the kustomization. */
type ReadFile = (name: string) => Buffer

/** What `configMapGenerator` and `secretGenerator` make. Throws InvalidArgument. */
export function generatedObject(
  kind: "ConfigMap" | "Secret",
  generator: Tree,
  shared: Tree,
  read: ReadFile,
): { object: Tree; needsHash: boolean } {
  const name = textAt(generator, "name")
  if (name === "") throw new InvalidArgument(`a generator of a ${kind} has no name`)
  const entries = new Map<string, Buffer>()
  const add = (key: string, value: Buffer): void => {
    if (entries.has(key)) throw new InvalidArgument(`key "${key}" of ${kind} "${name}" is there twice`)
    entries.set(key, value)
  }
  for (const file of [
    ...listAt(generator, "envs").map(String),
    ...(textAt(generator, "env") === "" ? [] : [textAt(generator, "env")]),
  ])
    for (const [key, value] of environmentLines(read(file).toString())) add(key, Buffer.from(value))
  for (const literal of listAt(generator, "literals").map(String)) {
    const [key, value] = split(literal)
    add(key, Buffer.from(value.replace(/^(["'])(.*)\1$/s, "$2")))
  }
  for (const file of listAt(generator, "files").map(String)) {
    const equals = file.indexOf("=")
    const path = equals === -1 ? file : file.slice(equals + 1)
    add(equals === -1 ? basename(path) : file.slice(0, equals), read(path))
  }
  const options = treeAt(generator, "options")
  const labels = { ...textsAt(shared, "labels"), ...textsAt(options, "labels") }
  const annotations = { ...textsAt(shared, "annotations"), ...textsAt(options, "annotations") }
  const isImmutable = options["immutable"] === true || shared["immutable"] === true
  const namespace = textAt(generator, "namespace")
  const object: Tree = {
    apiVersion: "v1",
    kind,
    metadata: {
      name,
      ...(namespace !== "" && { namespace }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    ...dataOf(kind, entries),
    ...(kind === "Secret" && { type: textAt(generator, "type") || "Opaque" }),
    ...(isImmutable && { immutable: true }),
  }
  const keepsName = options["disableNameSuffixHash"] === true || shared["disableNameSuffixHash"] === true
  return { object, needsHash: !keepsName }
}

/** Entries as a ConfigMap (bytes apart) or Secret (all in base64) has them. */
export function dataOf(kind: "ConfigMap" | "Secret", entries: ReadonlyMap<string, Buffer>): Tree {
  if (kind === "Secret")
    return entries.size === 0
      ? {}
      : { data: Object.fromEntries([...entries].map(([key, value]) => [key, value.toString("base64")])) }
  const texts = [...entries].filter(([, value]) => isText(value)).map(([key, value]) => [key, value.toString()])
  const bytes = [...entries]
    .filter(([, value]) => !isText(value))
    .map(([key, value]) => [key, value.toString("base64")])
  return {
    ...(texts.length > 0 && { data: Object.fromEntries(texts) as Tree }),
    ...(bytes.length > 0 && { binaryData: Object.fromEntries(bytes) as Tree }),
  }
}

function isText(value: Buffer): boolean {
  return Buffer.from(value.toString("utf8")).equals(value) && !value.includes(0)
}

/** `KEY=value`. */
export function split(literal: string): [key: string, value: string] {
  const equals = literal.indexOf("=")
  if (equals < 1) throw new InvalidArgument(`invalid literal source ${literal}, expected key=value`)
  return [literal.slice(0, equals), literal.slice(equals + 1)]
}

/** Lines of `--from-env-file`: comments and blanks left out; a name alone has the value of this environment. */
export function environmentLines(text: string): [string, string][] {
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const equals = line.indexOf("=")
      return equals === -1 ? [line, process.env[line] ?? ""] : [line.slice(0, equals), line.slice(equals + 1)]
    })
}
