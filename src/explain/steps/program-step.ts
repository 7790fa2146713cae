import type { OciConfig, OciProcess } from "../../spec/oci-runtime.ts"
import { findProgram } from "../../sys/host.ts"
import { startFifo } from "./namespace-steps.ts"
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
  const line = `cd ${shellWord(root)} && mount -n --move . / && ${oomLine(process)}exec ${becoming(process)}`
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

function becoming(process: OciProcess): string {
  const { args, env, cwd, rlimits = [], noNewPrivileges } = process
  const { uid, gid, additionalGids = [] } = process.user
  const limits = rlimits.map(({ type, soft, hard }) => {
    const name = type.replace("RLIMIT_", "").toLowerCase()
    return `--${name}=${limit(soft)}:${limit(hard)}`
  })
  const groups = additionalGids.filter((one) => one !== gid || additionalGids.length > 1)
  return shellLine(
    ...(limits.length === 0 ? [] : [path("prlimit"), ...limits]),
    path("env"),
    "-i",
    ...env,
    path("setpriv"),
    `--bounding-set=${boundingSet(process.capabilities.bounding)}`,
    "--inh-caps=-all",
    `--regid=${gid}`,
    groups.length === 0 && gid !== 0 ? "--clear-groups" : `--groups=${additionalGids.join(",") || String(gid)}`,
    ...(noNewPrivileges ? ["--no-new-privs"] : []),
    path("unshare"),
    "--root=.",
    `--wd=${cwd}`,
    ...(uid === 0 ? [] : [`--setuid=${uid}`]),
    ...args,
  )
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
