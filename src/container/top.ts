import { readdirSync } from "node:fs"
import { heeding } from "../base/cancel.ts"
import { FailedPrecondition, InvalidArgument } from "../base/errors.ts"
import { installCommand } from "../sys/install-command.ts"
import { findProgram } from "../sys/host.ts"
import { namespaceLink } from "../sys/process/namespace-file.ts"
import { run } from "../sys/process/process.ts"
import type { Abortable } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { sharesPids } from "./namespaces.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"
import { parseDescriptors, processTable } from "./process-table.ts"
import { notRunning } from "./wrong-state.ts"

/**
 * Podman's descriptors, where all words are some; else the host's own `ps`, its rows of the container's processes: nothing of the
 * image is run (CVE-2022-1227). Throws FailedPrecondition when the container does not run.
 */
export async function top(
  deps: ContainerDeps,
  nameOrId: string,
  psOptions: readonly string[],
  { abort }: Abortable = {},
): Promise<{ titles: string[]; processes: string[][] }> {
  const record = deps.records.get(nameOrId)
  const { pid } = record.state
  deps.records.tell(containerEvent(record, "top"))
  if (!isRunning(record, deps) || pid === undefined) throw notRunning(record)
  const descriptors = parseDescriptors(psOptions)
  if (descriptors !== undefined) {
    const { rootfs } = (await deps.runtimes()).bundle(record.id)
    return processTable(processesOf(record, pid), descriptors, rootfs)
  }
  const ps = findProgram("ps")
  if (ps === undefined)
    throw new FailedPrecondition("top needs ps, which is not installed", { hint: installCommand({ debian: "procps" }) })
  const argv = [ps, ...(psOptions.length > 0 ? psOptions : ["-ef"])]
  const result = await heeding(abort, "ps", () => run(argv, { signal: abort }))
  if (result.code !== 0)
    throw new InvalidArgument(`ps ${psOptions.join(" ")}: ${result.stderr.trim().split("\n")[0] ?? "failed"}`, {
      hint: "see: man ps",
    })
  return selectRows(result.stdout, processesOf(record, pid))
}

/** Keeps the rows whose PID is among `pids`. The last column takes the rest of its line. Throws InvalidArgument. Pure. */
function selectRows(text: string, pids: ReadonlySet<number>): { titles: string[]; processes: string[][] } {
  const [head = "", ...lines] = text.split("\n")
  const titles = head.trim().split(/\s+/)
  const pidColumn = titles.indexOf("PID")
  if (pidColumn < 0)
    throw new InvalidArgument("the output of ps has no column PID", { hint: "add pid to the columns: -o pid,comm" })
  const processes = lines.map((line) => columns(line, titles.length)).filter((row) => pids.has(Number(row[pidColumn])))
  return { titles, processes }
}

function columns(line: string, count: number): string[] {
  const words = line.trim().split(/\s+/)
  return words.length <= count ? words : [...words.slice(0, count - 1), words.slice(count - 1).join(" ")]
}

/**
 * All processes in the pid namespace of the first one: those of `exec` are among them. Where that is shared, those of its mount
 * namespace, which is the container's own.
 */
function processesOf(record: ContainerRecord, first: number): Set<number> {
  const kind = sharesPids(record) ? "mnt" : "pid"
  const wanted = namespaceLink(first, kind)
  const pids = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []))
  return new Set(wanted === undefined ? [] : pids.filter((pid) => namespaceLink(pid, kind) === wanted))
}
