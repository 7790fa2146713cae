import { statSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, isSkiffError } from "../../base/errors.ts"
import { parseEnvFile } from "../../spec/docker/environment.ts"
import type { Mapping, Project, Service } from "../project.ts"
import { parseDotenv } from "./dotenv.ts"
import type { Environment } from "./environment.ts"
import { fault } from "./fault.ts"
import { readBounded } from "./read-file.ts"
import type { Warn } from "./warn.ts"

/** Puts what `env_file` of enabled services says under their `environment`, in place. Throws in docker's words. */
export async function resolveEnvFiles(project: Project, warn: Warn): Promise<void> {
  for (const service of Object.values(project.services)) await resolveEnvironment(service, project, warn)
}

/** The same of `label_file` and `labels`. */
export async function resolveLabelFiles(project: Project, warn: Warn): Promise<void> {
  for (const service of Object.values(project.services)) await resolveLabels(service, project, warn)
}

/** Keys of `environment` without a value have the project's, in place, `env_file` stays. */
export function resolveOwnEnvironment({ services, environment }: Project): void {
  for (const service of Object.values(services))
    if (service.environment) service.environment = withValues(service.environment, environment)
}

function withValues(own: Mapping, environment: Environment): Mapping {
  return Object.fromEntries(Object.entries(own).map(([name, value]) => [name, value ?? environment[name] ?? null]))
}

async function resolveEnvironment(service: Service, project: Project, warn: Warn): Promise<void> {
  const { environment, workingDirectory } = project
  const { env_file: files = [], environment: own = {} } = service
  delete service.env_file
  const values: Environment = {}
  // false is no more said once the model is decoded
  for (const { path: name, required = false, format = "" } of files) {
    const path = resolve(workingDirectory, name)
    // what an earlier file sets beats the environment here, within one file it is the other way round; the service's own comes last
    const context = { ...setValues(own), ...environment, ...values }
    Object.assign(values, await readEnvFile(path, required, format, context, warn))
  }
  const all: Mapping = { ...values, ...withValues(own, environment) }
  if (Object.keys(all).length > 0) service.environment = all
}

/** Without names that have no value. */
function setValues(values: Mapping): Environment {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]])),
  )
}

async function readEnvFile(
  path: string,
  required: boolean,
  format: string,
  environment: Environment,
  warn: Warn,
): Promise<Environment> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    if (!required) return {}
    throw fault(`env file ${path} not found: stat ${path}: no such file or directory`, undefined, { code: "NotFound" })
  }
  const text = new TextDecoder().decode(await readFileOf(path))
  if (format === "") return parseDotenv(text, path, { environment, warn })
  if (format !== "raw") throw fault(`unsupported env_file format ${JSON.stringify(format)}`)
  return readRaw(text, path, environment)
}

/** As `--env-file` of a container: nothing is expanded. */
function readRaw(text: string, path: string, environment: Environment): Environment {
  try {
    return Object.fromEntries(parseEnvFile(text, path, environment).map(splitPair))
  } catch (error) {
    if (!isSkiffError(error)) throw error
    const [, line = "1", words = error.message] = /:(\d+): (.*)$/.exec(error.message) ?? []
    const origin = { file: path, line: Number(line), column: 1, source: { name: path, text } }
    throw fault(`failed to parse env_file ${path}: ${words}`, origin, { cause: error })
  }
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf("=")
  return [pair.slice(0, equals), pair.slice(equals + 1)]
}

async function resolveLabels(service: Service, { workingDirectory }: Project, warn: Warn): Promise<void> {
  const { label_file: files = [], labels: own = {} } = service
  delete service.label_file
  const values: Environment = {}
  for (const name of files) {
    const path = resolve(workingDirectory, name)
    if (statSync(path, { throwIfNoEntry: false }) === undefined)
      throw fault(`label file ${path} not found: stat ${path}: no such file or directory`, undefined, {
        code: "NotFound",
      })
    const text = new TextDecoder().decode(await readFileOf(path))
    // labels are no environment: they see each other alone
    Object.assign(values, parseDotenv(text, path, { environment: values, warn }))
  }
  const all = { ...values, ...own }
  if (Object.keys(all).length > 0) service.labels = all
}

async function readFileOf(path: string): Promise<Uint8Array> {
  try {
    return await readBounded(path)
  } catch (error) {
    if (isSkiffError(error) && error.message.includes("is a directory"))
      throw new InvalidArgument(`failed to read ${path}: read ${path}: is a directory`, { cause: error })
    throw error
  }
}
