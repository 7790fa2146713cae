import { existsSync } from "node:fs"
import { findProgram, readText } from "../host.ts"

/**
 * Words that, put before a program's own, start it in a scope of the user's systemd; none where that is not needed or not
 * possible. The program keeps its process id.
 *
 * A login session's own scope is root's: from there nobody may move a process into a container's cgroup, as exec does
 * (cgroup-v2.rst, "Delegation Containment"). And what the session started may end with it.
 */
export function userScope(uid: number, runtimeDirectory: string | undefined): string[] {
  if (runtimeDirectory === undefined || !existsSync(`${runtimeDirectory}/systemd/private`)) return []
  // cgroups(7): on a pure v2 host this is the one line
  const [, path] = /^0::(\/.*)\n$/.exec(readText("/proc/self/cgroup") ?? "") ?? []
  if (path === undefined || path.includes(`/user@${uid}.service/`)) return []
  const program = findProgram("systemd-run")
  if (program === undefined) return []
  // without a description of our own the journal gets the whole command line, secrets of `-e` and all
  return [program, "--user", "--scope", "--quiet", "--collect", "--description=skiff", "--"]
}
