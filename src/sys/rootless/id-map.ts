/** Which ids of the host an ordinary user may use in a namespace of his own (subuid(5), newuidmap(1)). */
import { readFileSync, writeFileSync } from "node:fs"
import { FailedPrecondition } from "../../base/errors.ts"
import { accountName } from "../account.ts"
import { findProgram, readText } from "../host.ts"
import { run } from "../process/process.ts"
import { hasCapability } from "./privilege.ts"

/** Ids `first` … `first + count - 1` of the host. */
export interface IdRange {
  first: number
  count: number
}

/** A user's ranges in /etc/subuid and /etc/subgid. */
export interface SubordinateIds {
  uids: readonly IdRange[]
  gids: readonly IdRange[]
}

/** The kernel takes 340 lines; more ranges than this are of no use. */
const MAX_RANGES = 32
const MAX_ID = 2 ** 32 - 2

/** Lines `name:first:count` (or the uid in place of the name) that belong to the user, in the file's order. */
export function parseSubordinateIds(text: string, owners: readonly (string | undefined)[]): IdRange[] {
  const ranges: IdRange[] = []
  for (const line of text.split("\n")) {
    const [, owner = "", first = "", count = ""] = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line) ?? []
    const range = { first: Number(first), count: Number(count) }
    if (!owners.includes(owner) || range.count === 0 || range.first + range.count - 1 > MAX_ID) continue
    if (ranges.length < MAX_RANGES) ranges.push(range)
  }
  return ranges
}

/** What /etc/subuid and /etc/subgid give this user; undefined when one of them gives nothing. */
export function subordinateIds(uid: number): SubordinateIds | undefined {
  const owners = [accountName(uid), String(uid)]
  const uids = parseSubordinateIds(readText("/etc/subuid") ?? "", owners)
  const gids = parseSubordinateIds(readText("/etc/subgid") ?? "", owners)
  return uids.length === 0 || gids.length === 0 ? undefined : { uids, gids }
}

/** newuidmap's words after the pid: 0 is the user, 1 and up are the ranges one after the other. */
export function mapArguments(own: number, ranges: readonly IdRange[]): string[] {
  const words = ["0", String(own), "1"]
  let inside = 1
  for (const { first, count } of ranges) {
    words.push(String(inside), String(first), String(count))
    inside += count
  }
  return words
}

/** What a new user namespace of ours can have: subordinate ranges, all that we have ourselves (as root), or our own id alone. */
export type IdMap = SubordinateIds | "all" | "own"

/** The best that is possible here, told without trying. */
export function possibleMap(): IdMap {
  const uid = process.getuid?.() ?? 0
  // user_namespaces(7): who maps many ids needs these over his own namespace, the last one to map root
  if (uid === 0) return (["SETUID", "SETGID", "SETFCAP"] as const).every(hasCapability) ? "all" : "own"
  const ids = subordinateIds(uid)
  return ids !== undefined && canGainPrivileges() ? ids : "own"
}

/** Where no program may gain privileges, newuidmap(1) cannot do its work: it is set-user-id, or has file capabilities. */
function canGainPrivileges(): boolean {
  return !/^NoNewPrivs:\s*1$/m.test(readText("/proc/self/status") ?? "")
}

/** Maps ids into the new user namespace of process `pid`, which nobody mapped yet. Throws FailedPrecondition. */
export async function mapIds(pid: number, map: Exclude<IdMap, "own">): Promise<void> {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  if (map === "all") {
    for (const file of ["uid_map", "gid_map"])
      writeFileSync(`/proc/${pid}/${file}`, sameIds(readFileSync(`/proc/self/${file}`, "latin1")))
    return
  }
  await runMapper("newuidmap", pid, mapArguments(uid, map.uids))
  await runMapper("newgidmap", pid, mapArguments(gid, map.gids))
}

/** Each id that the lines of a map name, mapped to itself; root has a line of its own, by which the namespaces are known (paths.ts). */
export function sameIds(map: string): string {
  const lines = map
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [first = 0, , count = 0] = line.trim().split(/\s+/).map(Number)
      return first === 0 && count > 1 ? [`0 0 1`, `1 1 ${count - 1}`] : [`${first} ${first} ${count}`]
    })
  return `${lines.join("\n")}\n`
}

async function runMapper(name: string, pid: number, words: readonly string[]): Promise<void> {
  const program = findProgram(name)
  const hint = { do: "diagnose" } as const
  if (program === undefined)
    throw new FailedPrecondition(`${name} is not installed: the ids of /etc/subuid cannot be mapped`, { hint })
  const { code, stderr } = await run([program, String(pid), ...words])
  if (code !== 0)
    throw new FailedPrecondition(
      `cannot map the ids of /etc/subuid: ${stderr.trim() || `${name} ended with ${code}`}`,
      {
        hint,
      },
    )
}
