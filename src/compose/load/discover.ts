import { existsSync, statSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import type { Environment } from "./environment.ts"
import { fault } from "./fault.ts"
import type { LoadRequest } from "./request.ts"
import { isRemote } from "./remote.ts"
import type { Warn } from "./warn.ts"

/** Names by which a compose file is found, the first one first. */
export const COMPOSE_FILES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
]

/** Where relative paths are taken from, as far as it is known before files are looked for. */
export function firstDirectory(request: LoadRequest): string {
  return directoryOf(
    request,
    request.files.map((file) => absolute(request, file)),
  )
}

/** The same, of files that were found. */
export function directoryOf(request: LoadRequest, files: readonly string[]): string {
  const { projectDirectory, currentDirectory } = request
  if (projectDirectory !== undefined && projectDirectory !== "") return resolve(currentDirectory, projectDirectory)
  // a remote file's directory is known once it is here
  for (const file of files) {
    if (isRemote(file)) break
    if (file !== "-") return dirname(file)
  }
  return currentDirectory
}

/**
 * The files of a project, absolute, or `-`, or remote: those of the call, else of `COMPOSE_FILE`, else the first of the known names in a
 * directory or the nearest one above, with its override file. Throws NotFound.
 */
export function discoverFiles(request: LoadRequest, environment: Environment, warn: Warn): string[] {
  if (request.files.length > 0) return request.files.map((file) => absolute(request, file))
  const named = environment.COMPOSE_FILE
  if (named !== undefined && named !== "") return filesOfVariable(request, named, environment.COMPOSE_PATH_SEPARATOR)
  for (let directory = firstDirectory(request); ; directory = dirname(directory)) {
    const file = firstOf(COMPOSE_FILES, directory, "config", warn)
    if (file !== undefined) {
      const override = firstOf(OVERRIDES, directory, "override", warn)
      return override === undefined ? [file] : [file, override]
    }
    if (directory === dirname(directory)) break
  }
  throw fault("no configuration file provided: not found", undefined, {
    code: "NotFound",
    hint: `looked for ${COMPOSE_FILES.join(", ")} in ${firstDirectory(request)} and above`,
  })
}

function filesOfVariable(request: LoadRequest, named: string, separator = ":"): string[] {
  return named.split(separator || ":").map((file) => {
    const path = absolute(request, file)
    if (path !== "-" && !isRemote(path) && !existsSync(path))
      throw fault(`stat ${path}: no such file or directory`, undefined, {
        code: "NotFound",
        hint: "it is named by COMPOSE_FILE",
      })
    return path
  })
}

function absolute({ currentDirectory }: LoadRequest, file: string): string {
  return file === "-" || isRemote(file) ? file : resolve(currentDirectory, file)
}

function firstOf(names: readonly string[], directory: string, kind: string, warn: Warn): string | undefined {
  const found = names.map((name) => join(directory, name)).filter(isFile)
  const [first] = found
  if (found.length > 1) {
    warn({ message: `Found multiple ${kind} files with supported names: ${found.join(", ")}` })
    warn({ message: `Using ${first}` })
  }
  return first
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
