/** Finds out why a container ended, while its root is still mounted and its cgroup still there. */
import { defined } from "../../base/defined.ts"
import { isSkiffError, type SkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { formatPlatform } from "../../spec/platform.ts"
import { signalName } from "../../sys/process/signals.ts"
import type { CgroupUsage } from "../../runtime/runtime.ts"
import type { ContainerDeps } from "../deps.ts"
import type { MountAccess } from "../container.ts"
import type { ObservedExit } from "../observe.ts"
import { runDirectory } from "../paths.ts"
import type { ContainerRecord } from "../record.ts"
import type { Ending, ProgramFault } from "./ending.ts"

/** By a signal: its number comes after this (wait(2), as every shell says it). */
const BY_SIGNAL = 128
const LAST_SIGNAL = 64
const CANNOT_RUN = 126
const NOT_FOUND = 127
/** What a runtime's init ends with when execve(2) fails: crun and runc of these years, and others. */
const FAILED_EXECVE = new Set([1, CANNOT_RUN, NOT_FOUND, 255])

/** Why the program that ran has ended. Never throws: a reason that cannot be found must not keep the end from being written down. */
export async function whyEnded(
  deps: ContainerDeps,
  record: ContainerRecord,
  { exitCode, unknown }: ObservedExit,
  usage: CgroupUsage | undefined,
): Promise<Ending> {
  if (unknown === "timeout") return { by: unknown, exitCode, seconds: record.spec.options.runTimeoutSeconds ?? 0 }
  if (unknown !== undefined) return { by: unknown, exitCode }
  if (usage?.oomKilled === true) {
    // systemd takes a scope away as soon as it is empty: then only what was asked for is known
    const { memoryLimitBytes: limitBytes = record.spec.options.resources.memoryBytes, memoryPeakBytes: peakBytes } =
      usage
    return { by: "memory", exitCode, ...defined({ limitBytes, peakBytes }) }
  }
  const { sentSignal } = record.state
  if (exitCode > BY_SIGNAL && exitCode <= BY_SIGNAL + LAST_SIGNAL) {
    const signal = signalName(exitCode - BY_SIGNAL)
    return { by: "signal", exitCode, signal, ...(sentSignal?.signal === signal ? { sender: sentSignal } : {}) }
  }
  const reason = FAILED_EXECVE.has(exitCode) ? await failedProgram(deps, record, exitCode) : undefined
  const atMount = reason === undefined ? await endedAtMount(deps, record, exitCode) : undefined
  return reason ?? atMount ?? { by: "itself", exitCode, ...(sentSignal === undefined ? {} : { after: sentSignal }) }
}

/** Whether it was not let write to a mount. Its root is still mounted. Never throws. */
export async function endedAtMount(
  deps: ContainerDeps,
  record: ContainerRecord,
  exitCode: number,
): Promise<(Ending & { by: "mount" }) | undefined> {
  const access = exitCode === 0 ? undefined : await refused(deps, record)
  return access && { by: "mount", exitCode, path: access.path, access }
}

async function refused(
  deps: ContainerDeps,
  record: ContainerRecord,
): Promise<(MountAccess & { path: string }) | undefined> {
  if (!record.spec.mounts.some(({ type }) => type === "bind" || type === "volume")) return undefined
  try {
    return await (await import("./refused-write.ts")).refusedWrite(deps, record)
  } catch (error) {
    log.debug("whether a mount refused the program is not known", { id: record.id, reason: String(error) })
    return undefined
  }
}

/** Why a start was refused. */
async function whyNotStarted(deps: ContainerDeps, record: ContainerRecord, error: SkiffError): Promise<Ending> {
  const { programExit } = error.data
  const { message } = error
  if (programExit === undefined) return { by: "engine", exitCode: 125, message }
  const fault = await programFault(deps, record)
  return fault === undefined
    ? { by: "engine", exitCode: programExit, message }
    : { by: "fault", exitCode: programExit, fault }
}

/** The same error, with what was found out about the program, for who shows it. */
export async function explained(deps: ContainerDeps, record: ContainerRecord, error: unknown): Promise<unknown> {
  if (!isSkiffError(error) || error.data.programExit === undefined) return error
  const ending = await whyNotStarted(deps, record, error)
  if (ending.by !== "fault") return error
  const { fault } = ending
  const near = fault.kind === "missing" ? fault.nearest : undefined
  return error.restated(error.message, {
    hint: error.hint ?? (near === undefined ? undefined : { nearest: near }),
    data: { ending },
    cause: error.cause,
  })
}

async function failedProgram(
  deps: ContainerDeps,
  record: ContainerRecord,
  exitCode: number,
): Promise<Ending | undefined> {
  const fault = await programFault(deps, record)
  if (fault !== undefined) return { by: "fault", exitCode, fault }
  const { logPath } = record.spec
  if (logPath === undefined || (exitCode !== CANNOT_RUN && exitCode !== NOT_FOUND)) return undefined
  const { lastWords } = await import("./last-words.ts")
  const words = lastWords(logPath)
  if (words === undefined) return undefined
  if ("library" in words) return { by: "library", exitCode, ...words }
  if (words.isThere !== (exitCode === CANNOT_RUN)) return undefined
  const known = words.isThere ? undefined : await faultOf(deps, record, words.command)
  const near = known?.kind === "missing" ? known.nearest : undefined
  return { by: "command", exitCode, ...words, ...(near === undefined ? {} : { nearest: near }) }
}

async function programFault(deps: ContainerDeps, record: ContainerRecord): Promise<ProgramFault | undefined> {
  const { entrypoint, command } = record.spec.run
  const [name] = [...entrypoint, ...command]
  return name === undefined ? undefined : await faultOf(deps, record, name)
}

async function faultOf(deps: ContainerDeps, record: ContainerRecord, name: string): Promise<ProgramFault | undefined> {
  const { env, workdir } = record.spec.run
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? ""
  // most ends need none of it
  const { diagnoseProgram } = await import("./diagnose-program.ts")
  try {
    const fault = diagnoseProgram(`${runDirectory(deps, record.id)}/rootfs`, { name, path, workdir })
    return fault?.kind === "architecture" ? { ...fault, ...(await platformOf(deps, record)) } : fault
  } catch {
    return undefined // the root is gone, or was made so that it cannot be read
  }
}

async function platformOf(deps: ContainerDeps, record: ContainerRecord): Promise<{ image?: string }> {
  const image = (await deps.images()).find(record.imageId)
  return image === undefined ? {} : { image: formatPlatform(image.platform) }
}
