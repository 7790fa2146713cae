import { readdirSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join, relative } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import type { UnitLine } from "../units/unit-file.ts"
import { KINDS, parseUnit, QuadletUnit } from "./quadlet-unit.ts"

/** The administrator's. What lies below its `users` is for ordinary users, below `users/UID` for that one alone. */
const ADMIN_DIRECTORY = "/etc/containers/systemd"

/** Where files are looked for, the first to have a name has the say (podman-systemd.unit(5)). */
export function quadletDirectories(isUser: boolean): string[] {
  const given = process.env.QUADLET_UNIT_DIRS
  if (given) return given.split(":").filter((directory) => directory !== "")
  if (!isUser) return ["/run/containers/systemd", ADMIN_DIRECTORY, "/usr/share/containers/systemd"]
  const { XDG_RUNTIME_DIR: runtime } = process.env
  return [
    ...(runtime ? [join(runtime, "containers/systemd")] : []),
    installDirectory(true),
    `${ADMIN_DIRECTORY}/users/${process.getuid?.() ?? 0}`,
    `${ADMIN_DIRECTORY}/users`,
  ]
}

/** Where `install` puts files. */
export function installDirectory(isUser: boolean): string {
  const given = process.env.QUADLET_UNIT_DIRS?.split(":").find((directory) => directory !== "")
  if (given !== undefined) return given
  return isUser
    ? join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "containers/systemd")
    : ADMIN_DIRECTORY
}

/** A file that could not be read, beside those that could. */
export interface LoadedUnits {
  units: Map<string, QuadletUnit>
  errors: Error[]
}

/** All files of the directories and those below them, with what `NAME.container.d/*.conf` adds to each. */
export function loadUnits(directories: readonly string[], admin = ADMIN_DIRECTORY): LoadedUnits {
  const units = new Map<string, QuadletUnit>()
  const errors: Error[] = []
  for (const directory of directories)
    for (const path of filesBelow(directory)) {
      if (isForOthers(relative(directory, path), directory, admin)) continue
      const [, name = "", kind] = /([^/]+)\.([a-z]+)$/.exec(path) ?? []
      const found = KINDS.find((one) => one === kind)
      if (found === undefined || units.has(`${name}.${kind}`)) continue
      try {
        units.set(`${name}.${kind}`, new QuadletUnit(name, found, path, withDropIns(path, directories)))
      } catch (error) {
        errors.push(error instanceof Error ? error : new Error(String(error)))
      }
    }
  return { units, errors }
}

/** A user's file must not become a service of root's, nor one of another user's. */
function isForOthers(path: string, directory: string, admin: string): boolean {
  const [first = ""] = path.split("/")
  return directory === admin ? first === "users" : directory === `${admin}/users` && /^\d+$/.test(first)
}

function filesBelow(directory: string): string[] {
  return entries(directory).filter((path) => !/\.d\/[^/]*$/.test(path))
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "EACCES")) return []
    throw error
  }
}

function withDropIns(path: string, directories: readonly string[]): Map<string, UnitLine[]> {
  const sections = parseUnit(readFileSync(path, "utf8"), path)
  const file = path.slice(path.lastIndexOf("/") + 1)
  for (const directory of directories)
    for (const dropIn of entries(join(directory, `${file}.d`)).filter((one) => one.endsWith(".conf")))
      for (const [name, lines] of parseUnit(readFileSync(dropIn, "utf8"), dropIn))
        sections.set(name, [...(sections.get(name) ?? []), ...lines])
  return sections
}
