import { readdirSync, readFileSync, statSync, type Stats } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { FailedPrecondition, hasErrno, NotFound, Unsupported } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"

/** Where a plugin listens. */
export interface PluginAddress {
  name: string
  /** As node:http takes it. */
  endpoint: { socketPath: string } | { host: string; port: number }
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/
const MAX_SPEC_BYTES = 64 * 1024
const SOCKETS = "/run/docker/plugins"

/** In docker's order: sockets, then files that say where one is. */
function specDirectories(): string[] {
  const own =
    rootlessUid() === undefined ? [] : [`${process.env.XDG_CONFIG_HOME || join(homedir(), ".config")}/docker/plugins`]
  return [...own, "/etc/docker/plugins", "/usr/lib/docker/plugins"]
}

/**
 * Finds a plugin by its name: `/run/docker/plugins/NAME.sock`, `/etc/docker/plugins/NAME.spec` or `.json`. Throws NotFound,
 * FailedPrecondition for a file that says no address, Unsupported for TLS.
 */
export function findPlugin(name: string): PluginAddress {
  if (NAME.test(name)) {
    for (const socketPath of [`${SOCKETS}/${name}.sock`, `${SOCKETS}/${name}/${name}.sock`])
      if (statOf(socketPath)?.isSocket() === true) return { name, endpoint: { socketPath } }
    for (const file of specDirectories().flatMap((directory) => specFiles(directory, name))) {
      const text = readSpec(file)
      if (text !== undefined)
        return { name, endpoint: endpointOf(file.endsWith(".json") ? addressIn(file, text) : text.trim(), file) }
    }
  }
  throw new NotFound(`error looking up volume plugin ${name.slice(0, 100)}: plugin "${name.slice(0, 100)}" not found`, {
    field: "driver",
    hint: `its socket belongs at ${SOCKETS}/NAME.sock, or its address in /etc/docker/plugins/NAME.spec; drivers that need none: local, image`,
  })
}

/** Names of all that can be found. */
export function listPlugins(): string[] {
  const names = [SOCKETS, ...specDirectories()].flatMap((directory) =>
    entries(directory).map((name) => name.replace(/\.(?:sock|spec|json)$/, "")),
  )
  return [...new Set(names.filter((name) => NAME.test(name)))].toSorted()
}

function specFiles(directory: string, name: string): string[] {
  return [
    `${directory}/${name}.spec`,
    `${directory}/${name}.json`,
    `${directory}/${name}/${name}.spec`,
    `${directory}/${name}/${name}.json`,
  ]
}

function readSpec(file: string): string | undefined {
  const stat = statOf(file)
  return stat?.isFile() === true && stat.size <= MAX_SPEC_BYTES ? readFileSync(file, "utf8") : undefined
}

/** Of what an ordinary user may not look at, there is nothing for him: Docker keeps its directory to root. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (hasErrno(error, "EACCES")) return undefined
    throw error
  }
}

function addressIn(file: string, text: string): string {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw new FailedPrecondition(`the plugin file "${file}" is no JSON`, { cause })
  }
  const { Addr, TLSConfig } = (typeof document === "object" && document !== null ? document : {}) as Record<
    string,
    unknown
  >
  if (TLSConfig !== undefined && TLSConfig !== null)
    throw new Unsupported(`the plugin file "${file}" asks for TLS`, { hint: "give it a unix socket" })
  return typeof Addr === "string" ? Addr : ""
}

function endpointOf(address: string, file: string): PluginAddress["endpoint"] {
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(address) ?? []
  if (socketPath !== undefined) return { socketPath }
  const [, host, port] = /^(?:tcp|http):\/\/([\w.-]+):(\d{1,5})\/?$/.exec(address) ?? []
  if (host !== undefined && port !== undefined) return { host, port: Number(port) }
  throw new FailedPrecondition(`the plugin file "${file}" has no address that is known: "${address.slice(0, 100)}"`, {
    hint: "expected unix:///path or tcp://host:port",
  })
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
