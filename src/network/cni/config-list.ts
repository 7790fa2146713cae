/**
 * CNI network configuration lists (CNI specification 1.0.0, section 1), as an administrator has put them into `/etc/cni/net.d`:
 * `*.conflist`, and `*.conf` or `*.json` with one plugin alone.
 */
import { lstatSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { namesIn } from "../../base/names-in.ts"

/** Where lists lie by the specification. */
export const CNI_CONFIG_DIRECTORY = "/etc/cni/net.d"

/** One plugin of a list; what is not named here is the plugin's own. */
export interface CniPlugin {
  /** Name of the plugin's program. */
  type: string
  capabilities?: Readonly<Record<string, boolean>>
  [key: string]: unknown
}

/** A list: its plugins run in this order, and in the other one to undo. */
export interface CniConfigList {
  cniVersion: string
  name: string
  plugins: readonly CniPlugin[]
  /** Where it was read. */
  path: string
}

/** A list that is larger says something else. */
const MAX_BYTES = 1024 * 1024

/** The same that the specification allows for a network's name; and no path. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/

/** All lists of a directory, by the names of their files; of two with one name the first counts. What is none is told and passed over. */
export function listConfigLists(directory: string): CniConfigList[] {
  const lists = new Map<string, CniConfigList>()
  for (const file of namesIn(directory).toSorted()) {
    if (!/\.(?:conflist|conf|json)$/.test(file)) continue
    try {
      const list = readConfigList(join(directory, file))
      if (!lists.has(list.name)) lists.set(list.name, list)
    } catch (error) {
      // one that somebody edits must not keep all other networks from their containers
      if (!isSkiffError(error, "InvalidArgument") && !hasErrno(error, "ENOENT", "EACCES")) throw error
      log.warn("a CNI configuration is passed over", { file, reason: error instanceof Error ? error.message : error })
    }
  }
  return [...lists.values()]
}

/** Throws InvalidArgument, naming file and key. */
function readConfigList(path: string): CniConfigList {
  // what is run from it is run as root
  if (!lstatSync(path).isFile()) throw wrong(path, "is not a file")
  if (lstatSync(path).size > MAX_BYTES) throw wrong(path, `is larger than ${MAX_BYTES} bytes`)
  return parseConfigList(readFileSync(path, "utf8"), path)
}

/** Pure. Throws InvalidArgument. */
export function parseConfigList(text: string, path: string): CniConfigList {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw wrong(path, `is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw wrong(path, "is no object")
  const { cniVersion = "0.2.0", name, plugins, ...rest } = document as Record<string, unknown>
  if (typeof name !== "string" || !NAME.test(name)) throw wrong(path, `has no valid "name"`)
  if (typeof cniVersion !== "string") throw wrong(path, `has no valid "cniVersion"`)
  // of one plugin alone the document is the plugin
  const list: readonly unknown[] = plugins === undefined ? [rest] : Array.isArray(plugins) ? plugins : []
  if (list.length === 0) throw wrong(path, `names no "plugins"`)
  return { cniVersion, name, plugins: list.map((plugin, index) => checkedPlugin(plugin, index, path)), path }
}

function checkedPlugin(plugin: unknown, index: number, path: string): CniPlugin {
  const { type } = (typeof plugin === "object" && plugin !== null ? plugin : {}) as Record<string, unknown>
  if (typeof type !== "string" || !NAME.test(type)) throw wrong(path, `has no valid "plugins[${index}].type"`)
  return plugin as CniPlugin
}

function wrong(path: string, what: string): InvalidArgument {
  return new InvalidArgument(`the CNI configuration "${path}" ${what}`, {
    hint: "see https://www.cni.dev/docs/spec/ for its form",
  })
}
