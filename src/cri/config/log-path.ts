import { lstatSync, mkdirSync, realpathSync } from "node:fs"
import { dirname, isAbsolute, join, normalize, relative } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"

/**
 * Where a container's log goes, in a directory that is there by then; undefined: nowhere that CRI knows. Throws InvalidArgument for
 * a path that leads out of the sandbox's directory, by `..` or by a link.
 */
export function logFile(directory: string, path: string): string | undefined {
  if (directory === "" || path === "") return undefined
  const fail = (why: string): never => {
    throw new InvalidArgument(`invalid log path "${path.slice(0, 200)}": ${why}`, { field: "log_path" })
  }
  if (!isAbsolute(directory)) fail(`the log directory "${directory.slice(0, 200)}" is not absolute`)
  if (/[\n\0]/.test(directory + path)) fail("it holds a line break or NUL")
  const file = join(normalize(directory), path)
  if (!isBelow(normalize(directory), file)) fail(`it leads out of "${directory}"`)
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 })
  if (!isBelow(realpathSync(directory), join(realpathSync(dirname(file)), "log")))
    fail(`a link leads it out of "${directory}"`)
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() === false) fail("there is something, and it is no file")
  return file
}

function isBelow(directory: string, file: string): boolean {
  const way = relative(directory, file)
  return way !== "" && !isAbsolute(way) && way.split("/")[0] !== ".."
}
