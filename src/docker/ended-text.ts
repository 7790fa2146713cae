import { fill, type Language, type Values } from "../base/messages.ts"
import { formatBinarySize } from "../base/sizes.ts"
import type { Ending, ProgramFault } from "../container/container.ts"
import { ENDED_WORDS, type EndedKey } from "./ended-words.ts"

/** Why a container ended, as a sentence without a full stop. Names in it are a stranger's text. */
export function endedText(ending: Ending, language: Language = "en"): string {
  const [key, values] = sentenceOf(ending)
  return fill(ENDED_WORDS[language][key], values)
}

function sentenceOf(ending: Ending): [EndedKey, Values] {
  const { exitCode: code } = ending
  switch (ending.by) {
    case "itself": {
      const { after } = ending
      if (after !== undefined) return ["itselfAfter", { code, signal: after.signal, user: after.user }]
      return code === 0 ? ["itselfDone", {}] : ["itself", { code }]
    }
    case "signal": {
      const { signal, sender } = ending
      return sender === undefined ? ["signalUnknown", { signal, code }] : ["signalFrom", { signal, user: sender.user }]
    }
    case "memory":
      return memorySentence(ending)
    case "fault":
      return faultSentence(ending.fault)
    case "library": {
      const { library, neededBy } = ending
      return neededBy === undefined
        ? ["library", { library, code }]
        : ["libraryFor", { library, code, program: neededBy }]
    }
    case "command": {
      const { command, isThere, nearest } = ending
      if (isThere) return ["commandForbidden", { command, code }]
      return nearest === undefined
        ? ["commandMissing", { command, code }]
        : ["commandMissingNear", { command, code, nearest }]
    }
    case "mount":
      return mountSentence(ending)
    case "engine":
      return ["engine", { message: ending.message }]
    case "timeout":
      return ["timeout", { seconds: ending.seconds }]
    case "reboot":
    case "monitor":
      return [ending.by, {}]
  }
}

function mountSentence({ exitCode: code, path, access }: Ending & { by: "mount" }): [EndedKey, Values] {
  const { program, owner, source, target } = access
  if (access.isReadOnly) return ["mountReadOnly", { path, target, code }]
  const mode = access.mode.toString(8).padStart(4, "0")
  const both = { uid: program.uid, hostUid: program.hostUid, path, source, ownerHostUid: owner.hostUid, mode, code }
  return owner.uid === undefined ? ["mountNobody", both] : ["mountOwner", { ...both, ownerUid: owner.uid }]
}

const SIGKILL_CODE = 137

function memorySentence({ exitCode, limitBytes, peakBytes }: Ending & { by: "memory" }): [EndedKey, Values] {
  if (limitBytes === undefined) return ["memoryNoLimit", {}]
  const limit = formatBinarySize(limitBytes)
  if (exitCode !== SIGKILL_CODE) return ["memoryLater", { limit, code: exitCode }]
  return peakBytes === undefined
    ? ["memoryNoPeak", { limit }]
    : ["memory", { limit, peak: formatBinarySize(peakBytes) }]
}

function faultSentence(fault: ProgramFault): [EndedKey, Values] {
  const { program } = fault
  switch (fault.kind) {
    case "missing":
      return fault.nearest === undefined
        ? ["missing", { program }]
        : ["missingNear", { program, nearest: fault.nearest }]
    case "directory":
    case "format":
      return [fault.kind, { program }]
    case "notExecutable":
      return [fault.kind, { program, mode: fault.mode }]
    case "architecture": {
      const { programIs, hostIs, image } = fault
      return image === undefined
        ? ["architecture", { program, programIs, hostIs }]
        : ["architectureImage", { program, programIs, hostIs, image }]
    }
    case "interpreter":
      return interpreterSentence(fault)
  }
}

function interpreterSentence(fault: ProgramFault & { kind: "interpreter" }): [EndedKey, Values] {
  const { program, interpreter, of, usesCrLf, builtFor, imageHas } = fault
  if (of === "script") return [usesCrLf ? "interpreterCrLf" : "interpreterScript", { program, interpreter }]
  if (builtFor === undefined || builtFor === imageHas) return ["interpreterElf", { program, interpreter }]
  return imageHas === undefined
    ? ["interpreterNoLibrary", { program, interpreter, builtFor }]
    : ["interpreterLibrary", { program, interpreter, builtFor, imageHas }]
}

/** The same in two or three words, for a table; undefined when the exit code says it all. */
export function endedShort(ending: Ending): string | undefined {
  switch (ending.by) {
    case "memory":
      return "out of memory"
    case "signal":
      return ending.sender === undefined ? ending.signal : `${ending.signal} from ${ending.sender.user}`
    case "fault":
      return FAULTS[ending.fault.kind]
    case "library":
      return "missing library"
    case "command":
      return ending.isThere ? "not allowed to run" : "command not found"
    case "mount":
      return ending.access.isReadOnly ? "read-only mount" : "not allowed to write"
    case "engine":
    case "itself":
      return undefined
    case "timeout":
      return "time over"
    case "reboot":
      return "reboot"
    case "monitor":
      return "monitor killed"
  }
}

const FAULTS: Record<ProgramFault["kind"], string> = {
  missing: "no such program",
  directory: "no program",
  notExecutable: "not executable",
  architecture: "wrong architecture",
  interpreter: "missing interpreter",
  format: "no program",
}
