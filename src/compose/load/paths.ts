import { lstatSync, realpathSync } from "node:fs"
import { homedir } from "node:os"
import { isAbsolute, join, normalize } from "node:path"
import { fault } from "./fault.ts"
import type { PathRule } from "./keys.ts"
import { project } from "./keys/project-keys.ts"
import { isMap, originIn, type Tree, type TreeMap } from "./tree.ts"
import { replaceAt, walk } from "./walk.ts"

/** Makes relative paths absolute, in place: they are taken from `directory`, which is absolute; `~` is the home of who runs it. */
export function resolvePaths(tree: TreeMap, directory: string): void {
  walk(tree, project, (at) => {
    const { key, value } = at
    if (key.path !== undefined) replaceAt(at, RESOLVERS[key.path](value, directory))
  })
}

const RESOLVERS: Record<PathRule, (value: Tree, directory: string) => Tree> = {
  path: mapText(absolutePath),
  context: mapText(contextPath),
  contexts: (value, directory) => mapValues(value, (one) => contextPath(one, directory)),
  ssh: (value, directory) => mapValues(value, (one) => absolutePath(one, directory)),
  watch: mapText((path, directory) => {
    const absolute = absolutePath(path, directory)
    return isAbsolute(absolute) ? followLinks(absolute) : absolute
  }),
  mount(value, directory) {
    if (!isMap(value) || value["type"] !== "bind") return value
    const { source } = value
    if (typeof source !== "string")
      throw fault(`invalid mount config for type "bind": field Source must not be empty`, originIn(value, "type"))
    value["source"] = absolutePath(source, directory)
    return value
  },
  localVolume(value, directory) {
    const options = isMap(value) && value["driver"] === "local" ? value["driver_opts"] : undefined
    if (!isMap(options) || options["o"] !== "bind") return value
    const { device } = options
    if (typeof device === "string") options["device"] = absolutePath(device, directory)
    return value
  },
  include(value, directory) {
    if (!isMap(value)) return value
    for (const key of ["path", "env_file", "project_directory"]) {
      const one = value[key]
      if (typeof one === "string") value[key] = absolutePath(one, directory)
      else if (Array.isArray(one))
        value[key] = one.map((path) => (typeof path === "string" ? absolutePath(path, directory) : path))
    }
    return value
  },
}

function mapText(change: (text: string, directory: string) => string): (value: Tree, directory: string) => Tree {
  return (value, directory) => (typeof value === "string" ? change(value, directory) : value)
}

function mapValues(value: Tree, change: (text: string) => string): Tree {
  if (isMap(value))
    for (const [name, one] of Object.entries(value))
      if (typeof one === "string" && one !== "") value[name] = change(one)
  return value
}

/** Paths of Windows stay as they are. */
export function absolutePath(path: string, directory: string): string {
  if (path === "~" || path.startsWith("~/")) return join(homedir(), path.slice(1))
  if (isAbsolute(path) || /^[a-zA-Z]:[\\/]/.test(path) || path.startsWith("\\\\")) return path
  return withoutSlash(join(directory, path))
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path
}

const REMOTE = /^(https?:|git:|ssh:)\/\/|^(github\.com\/|git@)/

/** A context may be a URL, another service, an image. */
function contextPath(text: string, directory: string): string {
  return REMOTE.test(text) || text.includes("://") || text.startsWith("service:") ? text : absolutePath(text, directory)
}

/** The same place by its real path, as far as it is there. */
function followLinks(path: string): string {
  const clean = normalize(path)
  let real = "/"
  const parts = clean.split("/").filter((part) => part !== "")
  for (const [index, part] of parts.entries()) {
    const next = join(real, part)
    try {
      real = lstatSync(next).isSymbolicLink() ? realpathSync(next) : next
    } catch {
      return join(next, ...parts.slice(index + 1))
    }
  }
  return real
}
