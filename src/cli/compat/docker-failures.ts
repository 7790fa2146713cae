/** Errors as docker tells them: its client's for wrong command lines, its daemon's for all else. */
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { printable } from "../../base/printable.ts"
import { exitCodeOf, type FailureContext } from "../errors/failure.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { Failures } from "./failures.ts"
import { dockerEndpointText, dockerNetworkText } from "./network-failures.ts"
import { dockerValueText } from "./docker-values.ts"
import type { RefusedValue } from "./podman-values.ts"
import { asTool, messagesOf, usageOf } from "./tool-words.ts"

/** Commands whose client puts its own name before what the daemon said. */
const NAMED = new Set(["container run", "container create"])

/** Flags whose values are read after the command line. */
const LATE: ReadonlySet<string> = new Set(["since", "until", "type"])

/** What the client finds out by itself. */
const CLIENTS: readonly RegExp[] = [
  /^template parsing error/,
  /^must specify at least one container source$/,
  /^cannot attach to a (?:stopped|paused) container$/,
  /^no public port '.*' published for /,
]

function clientText({ message }: SkiffError): string {
  return printable(message)
    .replace(/^cannot attach to a stopped container$/, "You cannot attach to a stopped container, start it first")
    .replace(/^cannot attach to a paused container$/, "You cannot attach to a paused container, unpause it first")
    .replace(/^no public port '([^/]*)(?:\/tcp)?' published/, "Error: No public port '$1' published")
}

/** Docker 28's. */
export const DOCKER_FAILURES: Failures = {
  code(error, context) {
    // what the daemon refuses is 1; the program's own code is its own
    if (context.command === "container exec" && !(error instanceof UsageError))
      return exitCodeOf(error, { ...context, failureCode: 1 })
    const isLate = error instanceof UsageError && LATE.has(String(error.data.flag)) && !context.endsAsProgram
    return isLate ? 1 : exitCodeOf(error, context)
  },

  text(error, context) {
    if (error instanceof UsageError) return `${usageText(error, context)}\n`
    // compose is its own client: what is wrong with files and services, no daemon said
    if (context.command.startsWith("compose ")) return `${messagesOf(error).map(printable).join("\n")}\n`
    if (isSkiffError(error) && CLIENTS.some((pattern) => pattern.test(error.message))) return `${clientText(error)}\n`
    const daemon = messagesOf(error).map((one) => `Error response from daemon: ${printable(one)}`)
    if (isSkiffError(error, "AlreadyExists") && error.data.object === "idFile")
      return `docker: container ID file found, make sure the other container isn't running or delete ${printable(String(error.data.path))}\n\nRun 'docker ${shortName(context)} --help' for more information\n`
    if (isSkiffError(error, "NotFound") && error.data.object === "object")
      return `Error: No such object: ${printable(String(error.data.name))}\n`
    const lines = isSkiffError(error) ? [`Error response from daemon: ${printable(daemonText(error))}`] : daemon
    if (context.command === "container start" && isSkiffError(error) && typeof error.data.name === "string")
      lines.push(`Error: failed to start containers: ${printable(error.data.name)}`)
    if (context.command === "container kill" && isSkiffError(error) && error.data.object === "container")
      return `Error response from daemon: cannot kill container: ${printable(String(error.data.name))}: ${printable(daemonText(error))}\n`
    if (!NAMED.has(context.command)) return `${lines.join("\n")}\n`
    return `docker: ${lines.join("\n")}\n\nRun 'docker ${shortName(context)} --help' for more information\n`
  },
}

/** Sentences of ours that docker's daemon says in other words. */
const SENTENCES: readonly [RegExp, string][] = [
  [/^unable to find user "(.*)": no matching entries.*$/, "unable to find user $1: no matching entries in passwd file"],
  [
    /^unable to find group "(.*)": no matching entries.*$/,
    "unable to find group $1: no matching entries in group file",
  ],
  [
    /^the working directory "(.*)" is invalid$/,
    "the working directory '$1' is invalid, it needs to be an absolute path",
  ],
  [/^memory limit of \d+ bytes is too small$/, "Minimum memory limit allowed is 6MB"],
  [/^invalid signal "(.*)"$/, "Invalid signal: $1"],
  [/^unknown log driver "(.*)"$/, 'error looking up logging plugin $1: plugin "$1" not found'],
  [
    /^no such device: "(.*)"$/,
    'error gathering device information while adding custom device "$1": no such file or directory',
  ],
  [/^invalid log option max-size "(.*)"$/, "failed to initialize logging driver: invalid size: '$1'"],
  [/^invalid value (-?\d+) for the OOM score$/, "Invalid value $1, range for oom score adj is [-1000, 1000]"],
  [/^unknown capability "(?:CAP_)?(.*)"$/i, 'invalid CapAdd: unknown capability: "CAP_$1"'],
]

function daemonText(error: SkiffError): string {
  const { object, name, holder, status } = error.data
  if (error.code === "NotFound")
    switch (object) {
      case "container":
        return `No such container: ${name}`
      case "image":
        return `No such image: ${withTag(String(name))}`
      case "volume":
        return `get ${name}: no such volume`
      case "network":
        return `network ${name} not found`
    }
  if (error.code === "FailedPrecondition" && object === "volume" && error.data.users !== undefined)
    return `remove ${name}: volume is in use - [${error.data.users}]`
  const sentence = SENTENCES.find(([pattern]) => pattern.test(error.message))
  if (sentence !== undefined) return error.message.replace(...sentence)
  const duplicate = /^duplicate mount point: "(.*)"$/.exec(error.message)?.[1]
  if (duplicate !== undefined) return `Duplicate mount point: ${duplicate}`
  if (error.code === "AlreadyExists" && object === "container")
    return `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`
  if (object === "endpoint") return dockerEndpointText(error)
  if (object === "network" || object === "subnet") return dockerNetworkText(error) ?? error.message
  if (error.code === "FailedPrecondition" && object === "container" && status !== undefined)
    return stateText(error, String(status))
  return error.message
}

function stateText({ message, data: { id } }: SkiffError, status: string): string {
  if (message.includes("is not running"))
    return status === "paused" ? `container ${id} is already paused` : `container ${id} is not running`
  return message.includes("is not paused") ? `Container ${id} is not paused` : message
}

function withTag(name: string): string {
  return /[:@][^/]*$/.test(name) || /^[0-9a-f]{12,64}$/.test(name) ? name : `${name}:latest`
}

function usageText(error: UsageError, context: FailureContext): string {
  const message = asTool(printable(error.message), "docker")
  const command = `docker ${shortName(context)}`
  switch (error.data.usage) {
    case "value": {
      const { text, framed } = dockerValueText(error.data as unknown as RefusedValue, error.message)
      if (LATE.has(String(error.data.flag))) return printable(text)
      if (!framed) return `docker: ${printable(text)}\n\nRun '${command} --help' for more information`
      return `${printable(text)}\n\n${usageOf("docker", context)}\n\nRun '${command} --help' for more information`
    }
    case "file":
      return `docker: open ${printable(String(error.data.file))}: ${error.data.reason}\n\nRun '${command} --help' for more information`
    case "flag":
      return `${message}\n\n${usageOf("docker", context)}\n\nRun '${command} --help' for more information`
    case "words":
      return `docker: ${message}\n\n${usageOf("docker", context)}\n\n${error.data.least === error.data.most ? "Run" : "See"} '${command} --help' for more information`
    case "command":
      return `docker: ${message}\n\nRun '${`docker ${error.data.group ?? ""}`.trim()} --help' for more information`
    default:
      return NAMED.has(context.command)
        ? `docker: ${message}\n\nRun '${command} --help' for more information`
        : `docker: ${message}`
  }
}

/** As typed: `rm`, and not `container rm`. */
function shortName({ typed }: FailureContext): string {
  return typed ?? ""
}
