import { readFileSync } from "node:fs"

/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)), as that process sees it. */
export interface MountFact {
  /** Where it is seen. */
  target: string
  type: string
  source: string
  /** The directory of its file system that is shown: `/` for the whole. */
  root: string
  /** Of this mount: `ro`, `nosuid` … */
  options: readonly string[]
  /** Of the file system: `lowerdir=…`, `size=…`. */
  superOptions: readonly string[]
  /** `shared:7`, `master:3`; none is private. */
  propagation: readonly string[]
}

/** What is mounted in the namespace of a process, in the order of its making. Throws errno errors. */
export function mountTable(pid: number | "self"): MountFact[] {
  return readFileSync(`/proc/${pid}/mountinfo`, "utf8").trimEnd().split("\n").flatMap(parseMountLine)
}

/** Pure; a line that is none gives nothing. */
export function parseMountLine(line: string): MountFact[] {
  const [left = "", right = ""] = line.split(" - ")
  const [, , , root = "", target = "", options = "", ...propagation] = left.split(" ")
  const [type = "", source = "", superOptions = ""] = right.split(" ")
  if (target === "" || type === "") return []
  return [
    {
      target: unescape(target),
      type,
      source: unescape(source),
      root: unescape(root),
      options: options.split(","),
      superOptions: superOptions.split(",").filter((one) => one !== "rw" && one !== "ro"),
      propagation,
    },
  ]
}

/** Those that are seen: of several at one place, the last. */
export function topMounts(mounts: readonly MountFact[]): MountFact[] {
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()]
}

/** `\040` is a space. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
