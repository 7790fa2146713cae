import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import type { Project } from "../../../compose/compose.ts"

/** Flags of `up` on what is shown, and when it ends. */
export interface AttachFlags {
  abortOnContainerExit: boolean
  abortOnContainerFailure: boolean
  attach: readonly string[]
  attachDependencies: boolean
  exitCodeFrom: string | undefined
  menu: boolean | undefined
  noAttach: readonly string[]
  noColor: boolean
  noLogPrefix: boolean
  timeout: number | undefined
  timestamps: boolean
  watch: boolean
}

/** What ends everything: the first container that ends, the first that fails, or nothing. */
export type Cascade = "exit" | "failure" | undefined

/** As docker: the service whose exit code is wanted ends everything, unless failures alone shall. */
export function cascadeOf({ abortOnContainerExit, abortOnContainerFailure, exitCodeFrom }: AttachFlags): Cascade {
  if (abortOnContainerFailure) return "failure"
  return abortOnContainerExit || exitCodeFrom !== undefined ? "exit" : undefined
}

/**
 * The services whose output is shown: the named ones, all when none is, without those that the file or a flag leaves out. Throws
 * InvalidArgument for one that is asked for and is not there.
 */
export function attachedServices(project: Project, named: readonly string[], flags: AttachFlags): string[] {
  const known = Object.keys(project.services)
  const { exitCodeFrom, attach, noAttach } = flags
  if (exitCodeFrom !== undefined && !known.includes(exitCodeFrom))
    throw new NotFound(`no such service: ${exitCodeFrom}`)
  const missing = attach.filter((service) => !known.includes(service))
  if (missing.length > 0)
    throw new InvalidArgument(`cannot attach to services not included in up: ${missing.join(", ")}`, {
      field: "attach",
    })
  const wanted =
    attach.length > 0
      ? attach
      : chosen(project, named, flags.attachDependencies).filter(
          (service) => project.services[service]?.attach !== false,
        )
  return wanted.filter((service) => !noAttach.includes(service))
}

/** Named services, with what they depend on where that is asked for. */
function chosen(project: Project, named: readonly string[], withDependencies: boolean): string[] {
  if (named.length === 0) return Object.keys(project.services)
  const found = new Set(named)
  // what is added meanwhile is gone through as well
  if (withDependencies)
    for (const service of found)
      for (const other of Object.keys(project.services[service]?.depends_on ?? {})) found.add(other)
  return [...found].filter((service) => Object.hasOwn(project.services, service))
}
