import { join } from "node:path"
import type { OciConfig, OciNamespace } from "../../spec/oci-runtime.ts"
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
export const outputFile = (bundle: string): string => join(bundle, "output")

/** The first process, in its own namespaces, in its control group: it waits. */
export function namespaceStep(config: OciConfig, bundle: string, procs: readonly string[]): ExplainedStep {
  const { namespaces } = config.linux
  const own = namespaces.filter(({ path }) => path === undefined).map(({ type }) => NAMESPACE_FLAGS[type])
  const joined = namespaces.flatMap(({ type, path }) =>
    path === undefined ? [] : [`${NAMESPACE_FLAGS[type]}=${path}`],
  )
  const fifo = startFifo(bundle)
  const wait = `eval "$(cat ${shellWord(fifo)})"`
  const enter = joined.length === 0 ? "" : `${shellLine("nsenter", ...joined)} `
  const unshare = `${shellLine("unshare", ...own, "--fork", "--kill-child", "--propagation", "private")} sh -c ${shellWord(wait)}`
  const entering = procs.length === 0 ? "" : `for f in ${shellLine(...procs)}; do echo $$ > $f; done; `
  const all = namespaces.map(({ type }) => NAMESPACE_FLAGS[type])
  return {
    key: "namespaces",
    values: {
      own: own.map(shortName).join(", "),
      joined: joined.map(shortName).join(", ") || "-",
      count: own.length,
    },
    shell: [
      shellLine("mkfifo", fifo),
      `sh -c ${shellWord(`${entering}exec ${enter}${unshare}`)} > ${shellWord(outputFile(bundle))} 2>&1 &`,
      `U=$!; until P=$(cat /proc/$U/task/$U/children 2>/dev/null) && P=\${P% } && [ -n "$P" ]; do sleep 0.02; done`,
      `inside() { nsenter --target "$P" ${all.join(" ")} -- "$@"; }`,
    ],
  }
}

function shortName(flag: string): string {
  return flag.replace(/^--/, "").replace(/=.*/, "")
}
