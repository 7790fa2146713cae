/** What a service is for one `run`. */
import { readFileSync } from "node:fs"
import { posix } from "node:path"
import { hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import { parseDotenv } from "../load/dotenv.ts"
import { longPorts } from "../load/port-text.ts"
import { shellWords } from "../load/shell-words.ts"
import { longVolume } from "../load/volume-text.ts"
import type { Mapping, Port, Project, Service, ServiceVolume } from "../project.ts"
import type { RunRequest } from "../run-options.ts"

/** The service with the request's words; without restarts, replicas and a fixed name, which are of what stays. Throws InvalidArgument. */
export function oneOffService(project: Project, request: RunRequest): Service {
  const service = project.services[request.service] ?? {}
  const { restart: _, scale: __, container_name: ___, deploy, ...kept } = service
  return {
    ...kept,
    ...(deploy && { deploy: withoutRestarts(deploy) }),
    ...wordsOf(request),
    ...capabilities(service, request),
    ...(request.user !== undefined && { user: request.user }),
    ...(request.workdir !== undefined && { working_dir: request.workdir }),
    tty: request.tty ?? false,
    stdin_open: request.stdin ?? false,
    ports: portsOf(service, request),
    volumes: [...(service.volumes ?? []), ...(request.volumes ?? []).map(volumeOf)],
    labels: { ...service.labels, ...request.labels },
    environment: { ...service.environment, ...environmentOf(project, request) },
  }
}

function withoutRestarts(deploy: NonNullable<Service["deploy"]>): Service["deploy"] {
  const { restart_policy: _, replicas: __, ...kept } = deploy
  return kept
}

/** An entrypoint of its own takes the command away, as docker's does. */
function wordsOf({ command = [], entrypoint }: RunRequest): Pick<Service, "command" | "entrypoint"> {
  if (entrypoint === undefined) return command.length > 0 ? { command: [...command] } : {}
  const words = shellWords(entrypoint)
  if (words === undefined)
    throw new InvalidArgument(`invalid entrypoint: "${entrypoint}"`, {
      hint: "a quote is left open",
      field: "entrypoint",
    })
  return { entrypoint: words, command: [...command] }
}

function capabilities(
  { cap_add: added = [], cap_drop: dropped = [] }: Service,
  { capAdd = [], capDrop = [] }: RunRequest,
): Pick<Service, "cap_add" | "cap_drop"> {
  return {
    cap_add: [...added.filter((one) => !capDrop.includes(one)), ...capAdd],
    cap_drop: [...dropped.filter((one) => !capAdd.includes(one)), ...capDrop],
  }
}

function portsOf({ ports = [] }: Service, { ports: given = [], servicePorts = false }: RunRequest): Port[] {
  // safe: what the loader makes of a short form is the long form of the model
  if (given.length > 0) return given.flatMap((text) => longPorts(text) as unknown as Port[])
  return servicePorts ? ports : []
}

/** The caller's relative paths are those of its own directory. */
function volumeOf(text: string): ServiceVolume {
  // safe: as above
  const volume = longVolume(text) as unknown as ServiceVolume
  const { type, source } = volume
  if (type !== "bind" || source === undefined) return volume
  const path = source === "~" || source.startsWith("~/") ? `${process.env.HOME ?? ""}${source.slice(1)}` : source
  return { ...volume, source: posix.resolve(path) }
}

/** Volumes that the request names and the project does not know: their names are whole. */
export function ownVolumes(project: Project, { volumes = [] }: Service): Project["volumes"] {
  const names = volumes.flatMap(({ type, source }) => (type === "volume" && source !== undefined ? [source] : []))
  const unknown = names.filter((name) => !Object.hasOwn(project.volumes, name))
  return Object.fromEntries(unknown.map((name) => [name, { name }]))
}

function environmentOf(project: Project, { env = [], envFiles = [] }: RunRequest): Mapping {
  const given: Record<string, string> = {}
  for (const word of env) {
    const [name = "", ...rest] = word.split("=")
    const value = word.includes("=") ? rest.join("=") : project.environment[name]
    if (name === "") throw new InvalidArgument(`invalid environment variable: "${word}"`, { field: "env" })
    if (value !== undefined) given[name] = value
  }
  for (const path of envFiles)
    for (const [name, value] of Object.entries(readEnvFile(path, given)))
      if (!Object.hasOwn(given, name)) given[name] = value
  return given
}

function readEnvFile(path: string, environment: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return parseDotenv(readFileSync(path, "utf8"), path, { environment, warn: () => {} })
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "EISDIR", "EACCES")) throw error
    throw new NotFound(`cannot read the file of variables "${path}"`, { field: "envFromFile", cause: error })
  }
}
