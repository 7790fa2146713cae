/** Errors as docker tells them: its client's for wrong command lines, its daemon's for all else. */
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { printable } from "../../base/printable.ts"
import { exitCodeOf, type FailureContext } from "../errors/failure.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { Failures } from "./failures.ts"
import { dockerEndpointText, dockerNetworkText } from "./network-failures.ts"
import { asTool, messagesOf, usageOf } from "./tool-words.ts"

/** Commands whose client puts its own name before what the daemon said. */
const NAMED = new Set(["container run", "container create"])

/** Docker 28's. */
export const DOCKER_FAILURES: Failures = {
  code: exitCodeOf,

  text(error, context) {
    if (error instanceof UsageError) return `${usageText(error, context)}\n`
    // compose is its own client: what is wrong with files and services, no daemon said
    if (context.command.startsWith("compose ")) return `${messagesOf(error).map(printable).join("\n")}\n`
    const daemon = messagesOf(error).map((one) => `Error response from daemon: ${printable(one)}`)
    if (isSkiffError(error, "NotFound") && error.data.object === "object")
      return `Error: No such object: ${printable(String(error.data.name))}\n`
    const lines = isSkiffError(error) ? [`Error response from daemon: ${printable(daemonText(error))}`] : daemon
    if (!NAMED.has(context.command)) return `${lines.join("\n")}\n`
    return `docker: ${lines.join("\n")}\n\nRun 'docker ${shortName(context)} --help' for more information\n`
  },
}

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
  const duplicate = /^duplicate mount point: "(.*)"$/.exec(error.message)?.[1]
  if (duplicate !== undefined) return `Duplicate mount point: ${duplicate}`
  if (error.code === "AlreadyExists" && object === "container")
    return `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`
  if (object === "endpoint") return dockerEndpointText(error)
  if (object === "network" || object === "subnet") return dockerNetworkText(error) ?? error.message
  if (error.code === "FailedPrecondition" && object === "container" && status !== undefined)
    return error.message.includes("is not running") ? `container ${error.data.id} is not running` : error.message
  return error.message
}

function withTag(name: string): string {
  return /[:@][^/]*$/.test(name) || /^[0-9a-f]{12,64}$/.test(name) ? name : `${name}:latest`
}

function usageText(error: UsageError, context: FailureContext): string {
  const message = asTool(printable(error.message), "docker")
  const command = `docker ${shortName(context)}`
  switch (error.data.usage) {
    case "flag":
    case "value":
      return `${message}\n\n${usageOf("docker", context)}\n\nRun '${command} --help' for more information`
    case "words":
      return `docker: ${message}\n\n${usageOf("docker", context)}\n\nSee '${command} --help' for more information`
    case "command":
      return `docker: ${message}\n\nRun '${`docker ${error.data.group ?? ""}`.trim()} --help' for more information`
    default:
      return `docker: ${message}`
  }
}

/** As typed: `rm`, and not `container rm`. */
function shortName({ typed }: FailureContext): string {
  return typed ?? ""
}
