/** Errors as podman tells them: one line that begins with `Error:`, and 125 where nothing else is agreed upon. */
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { printable } from "../../base/printable.ts"
import { flagOf } from "../errors/field-flags.ts"
import type { FailureContext } from "../errors/failure.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { Failures } from "./failures.ts"
import { podmanEndpointText, podmanNetworkText } from "./network-failures.ts"
import { asTool, messagesOf } from "./tool-words.ts"

const FAILED = 125
/** What was to be removed is not there. */
const MISSING = 1
/** What was to be removed is in use. */
const IN_USE = 2
/** A program cannot be started in a container that does not run. */
const NO_SESSION = 255

/** `tool`: podman or buildah, which speak alike. */
export function podmanFailures(tool: "podman" | "buildah"): Failures {
  return {
    code: podmanCode,
    text: (error, context) => `Error: ${errorText(error, context, tool)}\n`,
  }
}

function podmanCode(error: unknown, { command, endsAsProgram }: FailureContext): number {
  if (!isSkiffError(error) || error instanceof UsageError) return FAILED
  const { programExit, status } = error.data
  if (endsAsProgram && programExit !== undefined) return programExit
  if (/ (?:rm|untag)$/.test(command) && command !== "image untag") {
    if (error.code === "NotFound") return MISSING
    if (error.code === "FailedPrecondition") return IN_USE
  }
  return command === "container exec" && status !== undefined ? NO_SESSION : FAILED
}

function errorText(error: unknown, context: FailureContext, tool: string): string {
  if (error instanceof UsageError) return usageText(error, context, tool)
  if (!isSkiffError(error)) return messagesOf(error).map(printable).join("\n")
  return printable(known(error, context) ?? withFlag(error, context))
}

function usageText(error: UsageError, { typed = "", chooses = false }: FailureContext, tool: string): string {
  const message = asTool(printable(error.message), tool)
  switch (error.data.usage) {
    case "flag":
    case "value":
      return `${message}\nSee '${`${tool} ${typed}`.trim()} --help'`
    case "words":
      return wordsText(error, `${tool} ${typed}`, chooses)
    case "command": {
      const near = typeof error.data.near === "string" ? `\nDid you mean this?\n\t${error.data.near}\n` : ""
      const group = typeof error.data.group === "string" ? ` ${error.data.group}` : ""
      return `unrecognized command \`${tool} ${error.data.typed}\`${near}\nTry '${tool}${group} --help' for more information`
    }
    default:
      return message
  }
}

function wordsText({ data, message }: UsageError, typed: string, chooses: boolean): string {
  const { least, most, given } = data as { least?: number; most?: number; given?: number }
  if (least === undefined || given === undefined) return message
  if (most === 0) return `\`${typed}\` takes no arguments`
  if (given > 0 && typed.endsWith(" exec"))
    return "must provide a non-empty command to start an exec session: invalid argument"
  if (chooses) return "you must provide at least one name or id"
  if (given < least) return `requires at least ${least} arg(s), only received ${given}`
  return `accepts at most ${most} arg(s), received ${given}`
}

/** In podman's words, where it has some for what happened. */
function known(error: SkiffError, { command }: FailureContext): string | undefined {
  const { object, name, holder, id, status, programExit } = error.data
  switch (error.code) {
    case "NotFound":
      return programExit === 127
        ? `${error.message}: OCI runtime attempted to invoke a command that was not found`
        : (missingText(command, object, String(name)) ?? sentenceText(error))
    case "AlreadyExists":
      if (object === "pod") return `adding pod to state: name "${name}" is in use: pod already exists`
      if (object === "secret") return `${name}: secret name in use`
      if (object === "endpoint") return podmanEndpointText(error)
      if (object === "network" || object === "subnet") return podmanNetworkText(error)
      if (object !== "container") return undefined
      return command === "container rename"
        ? `renaming container: name ${name} already in use, cannot rename container: container already exists`
        : `creating container storage: the container name "${name}" is already in use by ${holder}. You have to remove that container to be able to reuse that name: that name is already in use, or use --replace to instruct Podman to do so.`
    case "FailedPrecondition":
      if (object === "container" && status !== undefined) return stateText(command, String(id), String(status))
      if (object === "image" && error.data.user !== undefined)
        return `image used by ${error.data.user}: image is in use by a container: consider listing external containers and force-removing image`
      if (object === "volume")
        return `volume ${name} is being used by the following container(s): ${error.data.users ?? error.data.user}: volume is being used`
      if (object === "network") return podmanNetworkText(error)
      if (object === "endpoint") return podmanEndpointText(error)
      return programText(error)
    case "InvalidArgument":
      if (object === "network") return podmanNetworkText(error)
      return object === "sandbox" ? podsText(String(error.data.field)) : (sentenceText(error) ?? programText(error))
    case "Unsupported":
      return sentenceText(error)
    default:
      return programText(error)
  }
}

/** What is a pod's to say, and was said of its container. */
function podsText(field: string): string {
  const shared = "network cannot be configured when it is shared with a pod"
  if (field === "hostname") return "cannot set hostname when joining the pod UTS namespace: invalid configuration"
  return field === "ports"
    ? `invalid config provided: published or exposed ports must be defined when the pod is created: ${shared}`
    : `invalid config provided: networks must be defined when the pod is created: ${shared}`
}

/** Sentences of ours that say what podman says in other words. */
const SENTENCES: readonly [RegExp, string][] = [
  [
    /^error looking up volume plugin (.*): plugin ".*" not found$/,
    "no volume plugin with name $1 available: required plugin missing",
  ],
  [/^duplicate mount point: "(.*)"$/, "$1: duplicate mount destination"],
  [/^bind source path does not exist: "(.*)"$/, "statfs $1: no such file or directory"],
  [/^invalid (container|volume) name ".*"$/s, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"],
  [/^invalid (?:subnet|range) "(.*)"$/s, "invalid CIDR address: $1"],
  [/^unsupported network driver "(.*)".*$/s, "unsupported driver $1: invalid argument"],
  [/^unsupported network option "(.*)"$/s, "unsupported network option $1"],
  [/^unable to find user "(.*)": no matching entries.*$/, "unable to find user $1: no matching entries in passwd file"],
]

function sentenceText({ message }: SkiffError): string | undefined {
  const found = SENTENCES.find(([pattern]) => pattern.test(message))
  return found && message.replace(found[0], found[1])
}

function programText({ data, message }: SkiffError): string | undefined {
  if (data.programExit === 127) return `${message}: OCI runtime attempted to invoke a command that was not found`
  return data.programExit === 126 ? `${message}: OCI permission denied` : undefined
}

function missingText(command: string, object: unknown, name: string): string | undefined {
  const inspects = command === "inspect" || command.endsWith(" inspect")
  switch (object) {
    case "object":
      return `no such object: "${name}"`
    case "container":
      return inspects ? `no such container ${name}` : `no container with name or ID "${name}" found: no such container`
    case "image":
      return `${name}: image not known`
    case "volume":
      return inspects ? `no such volume ${name}` : `no volume with name "${name}" found: no such volume`
    case "pod":
      return `no pod with name or ID ${name} found: no such pod`
    case "secret":
      return `no secret with name or id "${name}": no such secret`
    case "network": {
      const text = `unable to find network with name or ID ${name}: network not found`
      return inspects ? `network ${name}: ${text}` : text
    }
    default:
      return undefined
  }
}

function stateText(command: string, id: string, status: string): string | undefined {
  const improper = "container state improper"
  switch (command) {
    case "container exec":
      return `can only create exec sessions on running containers: ${improper}`
    case "container pause":
      return `"${status}" is not running, can't pause: ${improper}`
    case "container unpause":
      return `"${id}" is not paused, can't unpause: ${improper}`
    case "container kill":
      return `can only kill running containers. ${id} is in state ${status}: ${improper}`
    case "container rm":
      return `cannot remove container ${id} as it is ${status} - running or paused containers cannot be removed without force: ${improper}`
    case "container top":
      return "top can only be used on running containers"
    case "container attach":
      return "you can only attach to running containers"
    default:
      return undefined
  }
}

/** What is wrong with which flag: podman has no words of its own that scripts would look for. */
function withFlag(error: SkiffError, context: FailureContext): string {
  const flag = error.field === undefined ? undefined : flagOf(error.field, context)
  return flag === undefined || error.message.includes(flag) ? error.message : `${error.message} (${flag})`
}
