/** Errors as podman tells them: one line that begins with `Error:`, and 125 where nothing else is agreed upon. */
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { printable } from "../../base/printable.ts"
import type { FailureContext } from "../errors/failure.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { Failures } from "./failures.ts"
import { podmanEndpointText, podmanNetworkText } from "./network-failures.ts"
import { podmanValueText, type RefusedValue } from "./podman-values.ts"
import { podmanSentence } from "./podman-sentences.ts"
import { asTool, messagesOf } from "./tool-words.ts"

const FAILED = 125
/** What was to be removed is not there. */
const MISSING = 1
/** What was to be removed is in use. */
const IN_USE = 2
/** A program cannot be started in a container that does not run. */
const NO_SESSION = 255

/** podman-run(1), "Exit Status": what goes wrong from the start on is 126, but for a program that is not found. */
const CANNOT_START = 126
/** What is at fault then, as the data of an error names it. */
const STARTING: ReadonlySet<unknown> = new Set(["user", "group", "workdir"])

/** `tool`: podman or buildah, which speak alike. */
export function podmanFailures(tool: "podman" | "buildah"): Failures {
  return {
    code: podmanCode,
    text: (error, context) => `Error: ${errorText(error, context, tool)}\n`,
  }
}

function podmanCode(error: unknown, { command, endsAsProgram }: FailureContext): number {
  if (!isSkiffError(error) || error instanceof UsageError) return FAILED
  const { programExit, status, object } = error.data
  if (command === "container exec" && object !== "container" && error.code !== "NotFound" && programExit === undefined)
    return NO_SESSION
  // a step that failed is what the build ends with
  if (command === "image build" && programExit !== undefined) return programExit
  if (endsAsProgram && object === "runtime") return runtimeOutcome(error.message).code
  if (endsAsProgram && (STARTING.has(object) || error.field === "address")) return CANNOT_START
  if (endsAsProgram && programExit !== undefined) return programExit
  if (/ (?:rm|untag)$/.test(command) && command !== "image untag" && command !== "secret rm") {
    if (error.code === "NotFound") return MISSING
    if (error.code === "FailedPrecondition") return IN_USE
  }
  return command === "container exec" && status !== undefined ? NO_SESSION : FAILED
}

function errorText(error: unknown, context: FailureContext, tool: string): string {
  if (error instanceof UsageError) return usageText(error, context, tool)
  if (!isSkiffError(error))
    return messagesOf(error)
      .map((text) => printable(goWords(text)))
      .join("\n")
  // which flag is at fault podman never says, and scripts compare the whole line
  return printable(known(error, context) ?? error.message)
}

function usageText(error: UsageError, { typed = "", chooses = false }: FailureContext, tool: string): string {
  const message = asTool(printable(error.message), tool)
  switch (error.data.usage) {
    case "flag":
      return pointing(message, tool, typed)
    case "value": {
      const refused = error.data as unknown as RefusedValue
      const { text, isUsage } = podmanValueText(refused, message)
      return isUsage ? pointing(text, tool, typed) : printable(text)
    }
    case "words":
      return wordsText(error, `${tool} ${typed}`, chooses)
    case "command": {
      const near = typeof error.data.near === "string" ? `\nDid you mean this?\n\t${error.data.near}\n` : ""
      const group = typeof error.data.group === "string" ? ` ${error.data.group}` : ""
      return `unrecognized command \`${tool} ${error.data.typed}\`${near}\nTry '${tool}${group} --help' for more information`
    }
    case "file":
      return fileText(error)
    default:
      return podmanSentence(error) ?? message
  }
}

/** `ENOENT: no such file or directory, open 'X'` as Go has it: `open X: no such file or directory`. */
function goWords(text: string): string {
  return text.replace(/^E[A-Z]+: (.*), (\w+) '(.*)'$/s, "$2 $3: $1")
}

/** A file that a flag names and that cannot be read. */
function fileText({ data: { what, file, reason }, message }: UsageError): string {
  const open = `open ${file}: ${reason}`
  if (what === "env-file") return `parsing env file "${file}": ${open}`
  return what === "label-file" ? `unable to process labels: ${open}` : message
}

function pointing(message: string, tool: string, typed: string): string {
  return `${message}\nSee '${`${tool} ${typed}`.trim()} --help'`
}

/** What some commands say where they are given no word at all. */
const WITHOUT_WORDS: readonly [RegExp, string][] = [
  [/ exec$/, "exec requires the name or ID of a container or the --latest flag"],
  [/ wait$/, '"podman wait" requires a name, id, or the "--latest" flag'],
  [/ diff$/, '"podman diff" requires a name, id, or the "--latest" flag'],
  [/ top$/, "you must provide the name or id of a running container"],
  [/ volume inspect$/, "provide one or more volume names or use --all"],
  [/ inspect$/, "no names or ids specified"],
  [/ volume rm$/, "choose either one or more volumes or all"],
  [/ save$/, "need at least 1 argument"],
]

function wordsText({ data, message }: UsageError, typed: string, chooses: boolean): string {
  const { least, most, given } = data as { least?: number; most?: number; given?: number }
  if (least === undefined || given === undefined) return message
  if (most === 0) return `\`${typed}\` takes no arguments`
  if (given > 0 && typed.endsWith(" exec"))
    return "must provide a non-empty command to start an exec session: invalid argument"
  if (least === most) return `accepts ${least} arg(s), received ${given}`
  const own = WITHOUT_WORDS.find(([pattern]) => pattern.test(typed))
  if (given === 0 && own !== undefined) return own[1]
  if (given > 0 && typed.endsWith(" attach")) return `\`${typed}\` accepts at most one argument`
  if (chooses) return "you must provide at least one name or id"
  if (least > 0 && most !== undefined && Number.isFinite(most) && given < least)
    return `accepts between ${least} and ${most} arg(s), received ${given}`
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
        : (missingText(command, object, String(name)) ?? podmanSentence(error))
    case "AlreadyExists":
      if (object === "pod") return `adding pod to state: name "${name}" is in use: pod already exists`
      if (object === "secret") return `${name}: secret name in use`
      if (object === "endpoint") return podmanEndpointText(error)
      if (object === "network" || object === "subnet") return podmanNetworkText(error)
      if (object === "idFile")
        return `${error.data.kind} id file exists. Ensure another ${error.data.kind} is not using it or delete ${error.data.path}`
      if (object !== "container") return podmanSentence(error)
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
      if (object === "runtime") return runtimeOutcome(error.message).text
      return podmanSentence(error) ?? programText(error)
    case "InvalidArgument":
      if (object === "network") return podmanNetworkText(error)
      if (object === "filter") return filterText(command, String(name))
      return object === "sandbox" ? podsText(String(error.data.field)) : (podmanSentence(error) ?? programText(error))
    case "Unsupported":
      return podmanSentence(error)
    default:
      return podmanSentence(error) ?? programText(error)
  }
}

/** Each kind of object has its own words for a key that it does not know. */
function filterText(command: string, key: string): string {
  if (command.startsWith("volume ")) return `"${key}" is an invalid volume filter`
  if (command.startsWith("image ")) return `unsupported image filter "${key}"`
  return command.startsWith("network ") ? `invalid filter "${key}"` : `${key} is an invalid filter`
}

/** As podman sorts the words of a runtime. Pure. */
function runtimeOutcome(words: string): { code: number; text: string } {
  if (/permission denied|operation not permitted/i.test(words))
    return { code: 126, text: `${words}: OCI permission denied` }
  if (/executable file not found in|no such file or directory|open executable/i.test(words))
    return { code: 127, text: `${words}: OCI runtime attempted to invoke a command that was not found` }
  return { code: CANNOT_START, text: `OCI runtime error: ${words}` }
}

/** What is a pod's to say, and was said of its container. */
function podsText(field: string): string {
  const shared = "network cannot be configured when it is shared with a pod"
  if (field === "hostname") return "cannot set hostname when joining the pod UTS namespace: invalid configuration"
  return field === "ports"
    ? `invalid config provided: published or exposed ports must be defined when the pod is created: ${shared}`
    : `invalid config provided: networks must be defined when the pod is created: ${shared}`
}

function programText({ data, message }: SkiffError): string | undefined {
  if (data.programExit === 127) return `${message}: OCI runtime attempted to invoke a command that was not found`
  return data.programExit === 126 ? `${message}: OCI permission denied` : undefined
}

function missingText(command: string, object: unknown, name: string): string | undefined {
  const inspects = command === "inspect" || command.endsWith(" inspect")
  switch (object) {
    case "object":
      return command.endsWith("diff") ? `${name} not found: layer not known` : `no such object: "${name}"`
    case "container":
      if (command === "container cp") return `container "${name}" does not exist`
      return inspects ? `no such container "${name}"` : missingContainer(command, name)
    case "image":
      return `${name}: image not known`
    case "volume":
      return inspects ? `no such volume ${name}` : `no volume with name "${name}" found: no such volume`
    case "pod":
      return inspects ? `no such pod ${name}` : `no pod with name or ID ${name} found: no such pod`
    case "secret":
      return `${inspects ? "inspecting secret: " : ""}no secret with name or id "${name}": no such secret`
    case "network": {
      const text = `unable to find network with name or ID ${name}: network not found`
      return inspects ? `network ${name}: ${text}` : text
    }
    default:
      return undefined
  }
}

function missingContainer(command: string, name: string): string {
  const text = `no container with name or ID "${name}" found: no such container`
  switch (command) {
    case "container rm":
      return `no container with ID or name "${name}" found: no such container`
    case "container stats":
      return `unable to get list of containers: unable to look up container ${name}: ${text}`
    case "container healthcheck run":
    case "healthcheck run":
      return `unable to look up ${name} to perform a health check: ${text}`
    case "generate systemd":
      return `${name} does not refer to a container or pod: no pod with name or ID ${name} found: no such pod: ${text}`
    default:
      return text
  }
}

function stateText(command: string, id: string, status: string): string | undefined {
  const improper = "container state improper"
  switch (command) {
    case "container exec":
      return `can only create exec sessions on running containers: ${improper}`
    case "container pause":
      return status === "paused"
        ? `"${id}" is already paused: ${improper}`
        : `"${status}" is not running, can't pause: ${improper}`
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
