import { existsSync, readFileSync } from "node:fs"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { OciProcess } from "../../spec/oci-runtime.ts"
import type { Ulimit } from "../../spec/docker/ulimit.ts"

// RLIM_INFINITY, which a JavaScript number cannot hold: it goes into the JSON as these digits
const UNLIMITED = (JSON as unknown as { rawJSON(text: string): number }).rawJSON("18446744073709551615")

/** getrlimit(2), and what /proc/self/limits calls each. */
const RLIMITS: Readonly<Record<string, string>> = {
  as: "Max address space",
  core: "Max core file size",
  cpu: "Max cpu time",
  data: "Max data size",
  fsize: "Max file size",
  locks: "Max file locks",
  memlock: "Max locked memory",
  msgqueue: "Max msgqueue size",
  nice: "Max nice priority",
  nofile: "Max open files",
  nproc: "Max processes",
  rss: "Max resident set",
  rtprio: "Max realtime priority",
  rttime: "Max realtime timeout",
  sigpending: "Max pending signals",
  stack: "Max stack size",
}

/** config.md#posix-process, `rlimits`. Throws InvalidArgument, and FailedPrecondition for what an ordinary user may not raise. */
export function rlimitsOf(ulimits: readonly Ulimit[], rootless: boolean): OciProcess["rlimits"] {
  const mayRaise = ulimits.length === 0 || !rootless
  const limits = mayRaise ? "" : readFileSync("/proc/self/limits", "latin1")
  return ulimits.map(({ name, soft, hard }) => {
    const title = RLIMITS[name.toLowerCase()]
    if (title === undefined)
      throw new InvalidArgument(`unknown ulimit "${name}"`, { field: "ulimits", hint: "such as nofile=1024:2048" })
    if (hard !== -1 && (soft === -1 || soft > hard))
      throw new InvalidArgument(`ulimit ${name}: the soft limit ${soft} is more than the hard one ${hard}`)
    if (!mayRaise) checkHard(name, hard, hardLimit(limits, title))
    return {
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: soft === -1 ? UNLIMITED : soft,
      hard: hard === -1 ? UNLIMITED : hard,
    }
  })
}

/** setrlimit(2): only root of the host raises a hard limit; one of a user namespace does not. */
function checkHard(name: string, hard: number, own: number): void {
  if (own === -1 || (hard !== -1 && hard <= own)) return
  throw new FailedPrecondition(
    `ulimit ${name}: an ordinary user cannot raise the hard limit above his own, which is ${own}`,
    {
      field: "ulimits",
      hint: `ask for ${own} at most, or have root raise it in /etc/security/limits.conf, then log in again`,
    },
  )
}

/** -1: none. */
function hardLimit(limits: string, title: string): number {
  const line = limits.split("\n").find((one) => one.startsWith(title)) ?? ""
  const [, hard = "unlimited"] = line.slice(title.length).trim().split(/\s+/)
  return hard === "unlimited" ? -1 : Number(hard)
}

/** proc(5), oom_score_adj: to lower it takes CAP_SYS_RESOURCE on the host. Throws InvalidArgument, FailedPrecondition. */
export function checkOomScore(score: number, rootless: boolean): number {
  const field = "oomScoreAdj"
  if (!Number.isInteger(score) || score < -1000 || score > 1000)
    throw new InvalidArgument(`invalid value ${score} for the OOM score`, { field, hint: "valid: -1000 to 1000" })
  const own = rootless ? Number(readFileSync("/proc/self/oom_score_adj", "latin1")) : -1000
  if (score < own)
    throw new FailedPrecondition(`an ordinary user cannot lower the OOM score below his own, which is ${own}`, {
      field,
      hint: `valid: ${own} to 1000`,
    })
  return score
}

const RESCTRL = "/sys/fs/resctrl"

/** A class of the resctrl file system, which root has made. Throws InvalidArgument, FailedPrecondition. */
export function checkRdtClass(name: string, rootless: boolean): string {
  const field = "rdtClass"
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name)) throw new InvalidArgument(`"${name}" is no RDT class`, { field })
  if (rootless)
    throw new FailedPrecondition("an RDT class cannot be given by an ordinary user: resctrl is root's", {
      field,
      hint: { do: "omit", field },
    })
  if (!existsSync(`${RESCTRL}/${name}`))
    throw new FailedPrecondition(
      existsSync(`${RESCTRL}/schemata`)
        ? `there is no RDT class "${name}"`
        : "this host has no Intel RDT: resctrl is not mounted",
      { field, hint: `see: mount -t resctrl resctrl ${RESCTRL} && mkdir ${RESCTRL}/${name}` },
    )
  return name
}
