/**
 * A runtime of our own for single steps of a build, where no OCI runtime can work: inside a container that has no rights over
 * cgroups, networks or mounts. It has the OCI command line as far as `runToEnd` and the sweep of killed builds need it
 * (`run`, `delete --force`), reads the same config.json, and gives what its level can:
 *
 *   userns      namespaces of mounts, processes, IPC and names, inside the user namespace that we are in already
 *   single-uid  the same where that namespace maps one id
 *   chroot      no namespace at all: another root, fewer capabilities
 *
 * There is no cgroup, no network of its own and no seccomp filter but those that hold for us too.
 *
 *   run ─▶ supervise.ts: adopts orphans, ends all with the step ─▶ enter.ts: mounts or chroot, drops rights ─▶ the program
 */
import { join } from "node:path"
import type { Cgroups } from "../../sys/process/cgroup.ts"
import { ownCommand } from "../../sys/host.ts"
import { openRuntime } from "../oci/oci.ts"
import type { Runtime } from "../runtime.ts"
import { STEP_LEVELS, stepRuntimeName } from "./level.ts"

/** Undefined when `name` is no step runtime's. */
export function openStepRuntime(name: string, stateRoot: string): Runtime | undefined {
  const level = STEP_LEVELS.find((one) => stepRuntimeName(one) === name)
  if (level === undefined) return undefined
  const [program = "", ...words] = ownCommand()
  return openRuntime(name, program, [...words, "_step", "--level", level, "--state", join(stateRoot, "step")])
}

/** Whether a runtime is ours for steps: it has no control groups, and no monitor. */
export function isStepRuntime({ name }: Pick<Runtime, "name">): boolean {
  return STEP_LEVELS.some((level) => stepRuntimeName(level) === name)
}

/** For a config.json that only such a runtime reads: limits are refused, never dropped in silence. */
export function withoutCgroups(cgroups: Cgroups): Cgroups {
  const remedy =
    "this isolation level has no cgroups: leave the limit out, or build where isolation level full is possible"
  return { ...cgroups, manager: "disabled", controllers: [], remedy }
}
