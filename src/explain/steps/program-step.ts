import type { OciConfig, OciProcess } from "../../spec/oci-runtime.ts"
import { findProgram } from "../../sys/host.ts"
import { CAPABILITY_BITS } from "../../sys/process/process-capabilities.ts"
import { startFifo } from "./namespace-steps.ts"
import { programPath } from "./program-path.ts"
import { shellLine, shellWord, shellWrite } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

const INFINITY = 2 ** 64

/**
 * The first process changes its root, gives privileges up, and becomes the program. A runtime does the first by pivot_root(2); in a
 * shell, whose tools lie in the old root, the new one is moved over it and entered by unshare(1): what the program sees is the same.
 */
export function programStep(config: OciConfig, bundle: string): ExplainedStep {
  const { process } = config
  const { path: root } = config.root
  const line = `cd ${shellWord(root)} && mount -n --move . / && ${oomLine(process)}exec ${becoming(process, root)}`
  return {
    key: "program",
    values: {
      program: process.args.join(" "),
      user: process.user.uid,
      capabilities: process.capabilities.bounding.length,
    },
    shell: [shellWrite(startFifo(bundle), `${line}\n`)],
  }
}

function oomLine({ oomScoreAdj }: OciProcess): string {
  return oomScoreAdj === undefined ? "" : `echo ${oomScoreAdj} > /proc/self/oom_score_adj && `
}

function becoming(process: OciProcess, root: string): string {
  const { args, env, rlimits = [] } = process
  const limits = rlimits.map(({ type, soft, hard }) => {
    const name = type.replace("RLIMIT_", "").toLowerCase()
    return `--${name}=${limit(soft)}:${limit(hard)}`
  })
  return shellLine(
    ...(limits.length === 0 ? [] : [path("prlimit"), ...limits]),
    path("env"),
    "-i",
    ...env,
    ...(enteringNeedsMore(process) ? byCapsh(process, root) : bySetpriv(process)),
    ...args.slice(enteringNeedsMore(process) ? 1 : 0),
  )
}

/** With setpriv(1) the root is entered, and the user changed, by the next program: it must have the right to do it still. */
function enteringNeedsMore({ capabilities: { bounding }, user: { uid } }: OciProcess): boolean {
  return !bounding.includes("CAP_SYS_CHROOT") || (uid !== 0 && !bounding.includes("CAP_SETUID"))
}

function bySetpriv({ capabilities, noNewPrivileges, cwd, user }: OciProcess): string[] {
  const { uid, gid, additionalGids = [] } = user
  return [
    path("setpriv"),
    `--bounding-set=${boundingSet(capabilities.bounding)}`,
    "--inh-caps=-all",
    `--regid=${gid}`,
    additionalGids.length === 0 && gid !== 0 ? "--clear-groups" : `--groups=${groupsOf(user)}`,
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
    path("unshare"),
    "--root=.",
    `--wd=${cwd}`,
    ...(uid === 0 ? [] : [`--setuid=${uid}`]),
  ]
}

/** capsh(1) enters the root first, and needs no right after it; but it starts in the root directory, and wants a whole path. */
function byCapsh({ args, env, cwd, capabilities, noNewPrivileges, user }: OciProcess, root: string): string[] {
  const { bounding } = capabilities
  const dropped = CAPABILITY_BITS.filter((name) => !bounding.includes(name)).map((name) => name.toLowerCase())
  const [name = ""] = args
  return [
    path("capsh"),
    "--chroot=.",
    `--groups=${groupsOf(user)}`,
    `--gid=${user.gid}`,
    `--drop=${bounding.length === 0 ? "all" : dropped.join(",")}`,
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
    ...(user.uid === 0 ? [] : [`--uid=${user.uid}`]),
    `--shell=${programPath(root, name, env, cwd)}`,
    "--",
  ]
}

function groupsOf({ gid, additionalGids = [] }: OciProcess["user"]): string {
  return additionalGids.join(",") || String(gid)
}

/** The environment is the container's by then, and its `PATH` too. */
function path(program: string): string {
  return findProgram(program) ?? program
}

function limit(value: number): string {
  return Number(value) >= INFINITY || value === undefined || typeof value === "object" ? "unlimited" : String(value)
}

/** setpriv(1): all go, those named come back. */
function boundingSet(names: readonly string[]): string {
  const kept = names.map((name) => `+${name.replace("CAP_", "").toLowerCase()}`)
  return ["-all", ...kept].join(",")
}
