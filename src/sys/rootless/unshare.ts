import { closeSync, openSync } from "node:fs"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { findProgram } from "../host.ts"
import { check, execve, libc } from "../libc.ts"
import { JUST_ENTERED_ENV, rootlessUid } from "../fs/paths.ts"
import { rootlessNetns } from "./namespaces.ts"
import { useOurNamespaces } from "./use-namespaces.ts"

const CLONE_NEWNET = 0x40000000

/**
 * Replaces this process by a program of the host. The launcher has entered the user's namespaces before, so there the program sees
 * the files of containers as they do: `skiff unshare ls -l ~/.local/share/skiff`. As real root nothing is entered.
 * Throws NotFound; never returns.
 */
export function runInNamespaces(argv: readonly [string, ...string[]], withNetwork = false): never {
  const program = findProgram(argv[0])
  if (program === undefined) throw new NotFound(`no such program: "${argv[0]}"`, { data: { programExit: 127 } })
  if (withNetwork) enterNetwork()
  useOurNamespaces() // the program keeps it
  // who is inside from here on has not entered himself
  return execve(program, argv, { ...process.env, [JUST_ENTERED_ENV]: undefined })
}

/** That of the containers' bridge. Throws FailedPrecondition as real root, whose is the host's. */
function enterNetwork(): void {
  const path = rootlessNetns()
  if (path === undefined)
    throw new FailedPrecondition("root has no network namespace of its own: its containers are connected to the host's")
  const fd = openSync(path, "r")
  check(libc.setns(fd, CLONE_NEWNET), "setns")
  closeSync(fd)
}

/** Whether who called us sees what we mount: false for an ordinary user outside of `skiff unshare`. */
export function callerSeesMounts(): boolean {
  return rootlessUid() === undefined || process.env[JUST_ENTERED_ENV] === undefined
}
