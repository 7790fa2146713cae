import { join } from "node:path"
import { NotFound, Unsupported } from "../../base/errors.ts"
import { installCommand } from "../../sys/install-command.ts"
import type { Cgroups } from "../../sys/process/cgroup.ts"
import { findProgram } from "../../sys/host.ts"
import { openCrunState } from "./crun-state.ts"
import { openRuntime } from "./oci.ts"
import { openStepRuntime } from "../rootless/open.ts"
import type { Runtime } from "../runtime.ts"

/** Where a runtime keeps its files, and in which time namespace it is called. */
interface RuntimePlace {
  stateRoot: string
  timeNamespace?: string | undefined
  /** Without dashes. */
  flags?: readonly string[] | undefined
  /** Its own files are left to it: hooks are run by its commands. */
  withHooks?: boolean
}

/** A runtime, and why this one. */
export interface Choice {
  name: "crun" | "runc"
  /** For `skiff info`. */
  reason: string
}

/**
 * crun, as it starts a container in half of runc's time; runc where crun refuses the host. Told from the cgroup files
 * alone: to run either costs more than all else of the choice.
 */
export function chooseRuntime(cgroups: Pick<Cgroups, "version" | "unifiedControllers">): Choice {
  const { unifiedControllers, version } = cgroups
  // crun 1.8.1: also with --cgroup-manager=disabled
  if (version === "hybrid" && unifiedControllers.length > 0)
    return {
      name: "runc",
      reason: `crun refuses a hybrid host while its cgroup v2 has controllers (here: ${unifiedControllers.join(", ")})`,
    }
  return { name: "crun", reason: "the default" }
}

/** Opens the runtime `name` (or path), or the one that suits the host. Throws NotFound with the repair. */
export function openChosen(name: string | undefined, cgroups: Cgroups, place: RuntimePlace): Runtime {
  if (name !== undefined) return openStepRuntime(name, place.stateRoot) ?? open(name, cgroups, place)
  const choice = chooseRuntime(cgroups)
  const other = choice.name === "crun" ? "runc" : "crun"
  // crun would refuse where runc was chosen; the other way round either will do
  if (findProgram(choice.name) === undefined && choice.name === "crun" && findProgram(other) !== undefined)
    return open(other, cgroups, place)
  return open(choice.name, cgroups, place)
}

/** The command line that calls the runtime in a time namespace: nsenter, then all else as its words. */
function insideTime(file: string, path: string, words: readonly string[]): [path: string, globalArgs: string[]] {
  const nsenter = findProgram("nsenter")
  if (nsenter === undefined)
    throw new NotFound("a time namespace needs nsenter of util-linux", {
      hint: `install it: ${installCommand({ debian: "util-linux" })}`,
    })
  return [nsenter, [`--time=${file}`, "--no-fork", "--", path, ...words]]
}

const KNOWN = ["crun", "runc"]

function open(name: string, cgroups: Cgroups, place: RuntimePlace): Runtime {
  const { stateRoot, timeNamespace, flags = [], withHooks } = place
  const path = findProgram(name)
  if (path === undefined)
    throw new NotFound(`no OCI runtime "${name}"`, {
      field: "runtime",
      hint: KNOWN.includes(name)
        ? `install it: ${installCommand({ debian: name })}`
        : { valid: [...KNOWN, "the path of an executable"] },
    })
  const kind = path.slice(path.lastIndexOf("/") + 1)
  if (cgroups.isUnwanted && kind === "runc")
    throw new Unsupported("runc makes a cgroup for every container", {
      field: "cgroup.mode",
      hint: { do: "set", field: "runtime", value: "crun" },
    })
  const manager =
    cgroups.manager === "systemd"
      ? ["--systemd-cgroup"]
      : cgroups.manager === "disabled" && kind === "crun"
        ? ["--cgroup-manager=disabled"]
        : []
  const root = join(stateRoot, kind)
  const words = [`--root=${root}`, ...manager, ...flags.map((flag) => `--${flag.replace(/^-+/, "")}`)]
  // its own files name start times of processes as they are seen there: what reads them without it would see others
  if (timeNamespace !== undefined) return openRuntime(kind, ...insideTime(timeNamespace, path, words))
  return openRuntime(
    kind,
    path,
    words,
    kind === "crun" && !withHooks ? openCrunState(root, cgroups) : undefined,
    cgroups,
  )
}
