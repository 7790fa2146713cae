import { stat } from "node:fs/promises"
import { join, resolve } from "node:path"
import { hasErrno } from "../../base/errors.ts"
import { parseDotenv } from "./dotenv.ts"
import { fault } from "./fault.ts"
import type { LoadRequest } from "./request.ts"
import { readBounded } from "./read-file.ts"
import type { Origin } from "./tree.ts"
import type { Warn } from "./warn.ts"

/** Values by name. */
export type Environment = Record<string, string>

/** The process's environment, without what is not set. */
export function processEnvironment(request: LoadRequest): Environment {
  const values: Environment = {}
  for (const [name, value] of Object.entries(request.environment)) if (value !== undefined) values[name] = value
  return values
}

/** Files that stand in for `.env`, absolute: those of the call, else of `COMPOSE_ENV_FILES`. */
export function namedEnvFiles(request: LoadRequest): string[] {
  const { environmentFiles, environment, currentDirectory } = request
  const named =
    environmentFiles.length > 0 ? environmentFiles : (environment.COMPOSE_ENV_FILES ?? "").split(",").filter(Boolean)
  return named.map((file) => resolve(currentDirectory, file.trim()))
}

/** The `.env` of a directory, unless other files stand in for it, or `COMPOSE_DISABLE_ENV_FILE` wants none. */
export async function defaultEnvFile(directory: string, environment: Environment): Promise<string[]> {
  if (isDisabled(environment.COMPOSE_DISABLE_ENV_FILE)) return []
  const file = join(directory, ".env")
  const found = await statOf(file)
  return found === undefined || found.isDirectory() ? [] : [file]
}

/** As Go's ParseBool. */
function isDisabled(text: string | undefined): boolean {
  if (text === undefined || /^(?:0|f|F|false|FALSE|False)$/.test(text)) return false
  if (/^(?:1|t|T|true|TRUE|True)$/.test(text)) return true
  throw fault(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`, undefined, {
    hint: "COMPOSE_DISABLE_ENV_FILE is true or false",
  })
}

/** What files set, later ones over earlier ones; what they name is looked up in `environment` first. `origin`: who names the files. */
export async function readEnvFiles(
  files: readonly string[],
  environment: Environment,
  warn: Warn,
  origin?: Origin,
): Promise<Environment> {
  const values: Environment = {}
  for (const file of files) {
    const found = await statOf(file)
    if (found === undefined) throw fault(`couldn't find env file: ${file}`, origin, { code: "NotFound" })
    if (found.isDirectory()) throw fault(`${file} is a directory`, origin)
    const text = new TextDecoder().decode(await readBounded(file, origin))
    Object.assign(values, parseDotenv(text, file, { environment, earlier: values, warn }))
  }
  return values
}

/** Both; what `first` sets, stays. */
export function withDefaults(first: Environment, others: Environment): Environment {
  return { ...others, ...first }
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR")) return undefined
    throw error
  }
}
