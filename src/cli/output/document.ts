import { DurationField } from "../../docker/duration-field.ts"
import { evaluate } from "../template/evaluate.ts"
import { parseTemplate } from "../template/parser.ts"
import type { Out } from "../out.ts"

/** Prints docker's inspect documents: an array, or one line each by `--format`. */
export function printDocuments(out: Out, documents: readonly object[], format: string | undefined): void {
  if (format === undefined || format === "") return out.json(documents)
  const template = format === "json" ? parseTemplate("{{json .}}") : parseTemplate(format)
  for (const document of documents) out.line(evaluate(template, withMaps(document)))
}

/** Go's maps in docker's documents; all other objects are structs, whose fields are known. */
const MAPS = new Set(
  "Labels Annotations Options DriverOpts Sysctls StorageOpt Tmpfs Networks Ports PortBindings ExposedPorts Volumes LogConfig.Config GraphDriver.Data Runtimes".split(
    " ",
  ),
)

/** The same document with a `Map` for each of Go's maps: a missing key of those is no error. */
function withMaps(value: unknown, name = "", parent = ""): unknown {
  if (Array.isArray(value)) return value.map((one) => withMaps(one))
  if (value === null && isMapName(name, parent)) return nil(new Map<string, unknown>())
  if (value === null && LISTS.has(name)) return nil([])
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof DurationField)
    return value
  const entries = Object.entries(value).map(([key, one]) => [key, withMaps(one, key, name)] as const)
  return isMapName(name, parent) ? new Map(entries) : withHiddenOf(value, Object.fromEntries(entries))
}

/** Go's lists in docker's documents. */
const LISTS = new Set(
  "Entrypoint Cmd Env OnBuild Shell CapAdd CapDrop ExtraHosts GroupAdd SecurityOpt VolumesFrom Links Aliases DNSNames ExecIDs".split(
    " ",
  ),
)

/** Go's nil map or list, which it prints as an empty one, and JSON as null. */
function nil<T extends object>(empty: T): T {
  return Object.defineProperty(empty, "toJSON", { value: () => null })
}

function isMapName(name: string, parent: string): boolean {
  return MAPS.has(name) || MAPS.has(`${parent}.${name}`)
}

/** Fields that templates may name and JSON leaves out go along. */
function withHiddenOf(from: object, to: object): object {
  for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(from)))
    if (!property.enumerable) Object.defineProperty(to, name, { ...property, value: withMaps(property.value, name) })
  return to
}
