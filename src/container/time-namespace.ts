/** The time namespace of a container: no runtime of 2023 makes one, so it is made before, and the runtime is called inside. */
import { existsSync } from "node:fs"
import { crashPoint } from "../base/crash-point.ts"
import { FailedPrecondition, Unsupported } from "../base/errors.ts"
import type { Runtime } from "../runtime/runtime.ts"
import { unmountAll } from "../sys/fs/mount.ts"
import { bindNamespace, makeTimeNamespace } from "../sys/process/time-namespace.ts"
import type { ContainerDeps } from "./deps.ts"
import { withoutCgroup } from "./limits.ts"
import { namespacePath } from "./namespaces.ts"
import { timeNamespaceFile } from "./paths.ts"
import type { ContainerRecord } from "./record.ts"

/** The clocks of a container are the host's, unless something else was asked for. */
const hasOwn = ({ spec }: ContainerRecord): boolean => {
  const { time, timeOffsets } = spec.options.namespaces ?? {}
  return timeOffsets !== undefined || (time !== undefined && time.kind !== "host")
}

/** Makes or joins it, before the runtime is first called. Throws FailedPrecondition, Unsupported. */
export async function openTimeNamespace(deps: ContainerDeps, record: ContainerRecord): Promise<void> {
  if (!hasOwn(record)) return
  if (!existsSync("/proc/self/ns/time"))
    throw new Unsupported("this kernel has no time namespaces", {
      field: "namespaces.timeOffsets",
      hint: "Linux has them from 5.6 on (CONFIG_TIME_NS)",
    })
  const { time, timeOffsets } = record.spec.options.namespaces ?? {}
  const file = timeNamespaceFile(deps, record.id)
  closeTimeNamespace(deps, record.id)
  if (time?.kind === "container" || time?.kind === "path") {
    if (timeOffsets !== undefined)
      throw new FailedPrecondition(
        "conflicting options: time offsets and the TIME mode: a shared namespace has its own",
        {
          field: "namespaces.timeOffsets",
        },
      )
    return bindNamespace(namespacePath(deps, "time", time), file)
  }
  const { monotonicSeconds = 0, boottimeSeconds = 0 } = timeOffsets ?? {}
  await makeTimeNamespace(file, { monotonic: monotonicSeconds, boottime: boottimeSeconds })
  crashPoint("clocks:made")
}

/** Safe to repeat. */
export function closeTimeNamespace(deps: Pick<ContainerDeps, "runRoot">, id: string): void {
  unmountAll(timeNamespaceFile(deps, id))
}

/**
 * The runtime of a container. It tells its containers by the start time of a process, which is another in each time namespace: so
 * it is always called in the container's own.
 */
export async function runtimeOf(deps: ContainerDeps, record: ContainerRecord): Promise<Runtime> {
  const runtimes = await deps.runtimes()
  const asked = { ...withoutCgroup(record.spec.options.limits), withHooks: record.state.hasHooks }
  if (!hasOwn(record)) return runtimes.choose(record.spec.runtime, asked)
  const timeNamespace = timeNamespaceFile(deps, record.id)
  // after a reboot it is gone, with all that ran in it
  return runtimes.choose(record.spec.runtime, existsSync(timeNamespace) ? { ...asked, timeNamespace } : asked)
}
