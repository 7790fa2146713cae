import { join } from "node:path"
import type { OciConfig, OciNamespace } from "../../spec/oci-runtime.ts"
import { timeOffsets } from "../live/namespaces.ts"
import { shellLine, shellWord } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

/** unshare(1)'s and nsenter(1)'s word for each kind. */
export const NAMESPACE_FLAGS: Readonly<Record<OciNamespace | "time", string>> = {
  mount: "--mount",
  uts: "--uts",
  ipc: "--ipc",
  network: "--net",
  pid: "--pid",
  cgroup: "--cgroup",
  user: "--user",
  time: "--time",
}

/** Where the first process waits for its program, as a runtime's does between create and start. */
export const startFifo = (bundle: string): string => join(bundle, "start")
/** What it writes. */
const outputFile = (bundle: string): string => join(bundle, "output")

/**
 * The first process, in its own namespaces, in its control group: it waits. Until unshare(1) has become its shell, mounts inside may still
 * come out to the host.
 */
export function namespaceStep(config: OciConfig, bundle: string, pid: number, entering: string): ExplainedStep {
  // a shell cannot translate the ids of layers: see idMapStep
  const namespaces = config.linux.namespaces.filter(({ type }) => type !== "user")
  const own: string[] = namespaces.filter(({ path }) => path === undefined).map(({ type }) => NAMESPACE_FLAGS[type])
  const joined = namespaces.flatMap(({ type, path }) =>
    path === undefined ? [] : [`${NAMESPACE_FLAGS[type]}=${path}`],
  )
  // clocks are no part of the configuration
  const clocks = timeOffsets(pid)
  if (clocks.length > 0) own.push(NAMESPACE_FLAGS.time, ...clocks)
  const fifo = startFifo(bundle)
  const wait = `eval "$(cat ${shellWord(fifo)})"`
  const enter = joined.length === 0 ? "" : `${shellLine("nsenter", ...joined)} `
  const unshare = `${shellLine("unshare", ...own, "--fork", "--kill-child", "--propagation", "private")} sh -c ${shellWord(wait)}`
  const all = namespaces.map(({ type }) => NAMESPACE_FLAGS[type])
  return {
    key: "namespaces",
    values: {
      own: own
        .filter((flag) => !clocks.includes(flag))
        .map(shortName)
        .join(", "),
      joined: joined.map(shortName).join(", ") || "-",
      count: own.length - clocks.length,
    },
    shell: [
      shellLine("mkfifo", fifo),
      `sh -c ${shellWord(`${entering}${enter}${unshare}`)} > ${shellWord(outputFile(bundle))} 2>&1 &`,
      `U=$!; until P=$(cat /proc/$U/task/$U/children 2>/dev/null) && P=\${P% } && grep -qsx sh "/proc/$P/comm"; do kill -0 $U || break; sleep 0.02; done`,
      `inside() { nsenter --target "$P" ${all.join(" ")} -- "$@"; }`,
    ],
  }
}

/**
 * Ids that are the container's own. mount(8) translates those of a file system (`X-mount.idmap`) from util-linux 2.39 on, and where it
 * cannot a shell would see files of nobody: so the lines make the container without this.
 */
export function idMapStep({ linux: { uidMappings = [] } }: OciConfig): ExplainedStep | undefined {
  const [first] = uidMappings
  if (first === undefined) return undefined
  const lines = uidMappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`)
  return { key: "idMap", values: { root: first.hostID, lines: lines.join("; ") }, shell: [] }
}

function shortName(flag: string): string {
  return flag.replace(/^--/, "").replace(/=.*/, "")
}
