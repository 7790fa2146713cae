/**
 * Who needs the rootless namespaces says so by a lock: shared (flock(2)), on a descriptor that programs inherit. The kernel lets go of
 * it when the last copy is closed, however its owners end. The pause process waits for the lock to be free (pause-process.ts).
 */
import { constants, openSync } from "node:fs"
import { Unavailable } from "../../base/errors.ts"
import { keepOnExec, tryLock } from "../libc.ts"
import { defaultPaths, rootlessUid } from "../fs/paths.ts"

/** What a pause process that is ending needs at the longest: it holds the lock for itself meanwhile. */
const ENDING_MS = 10_000
const POLL_MS = 1

const useFile = (runRoot: string): string => `${runRoot}/namespaces.lock`

/**
 * From now on, until every copy of the descriptor is closed, no pause process of this run root ends. Look for its record only
 * after this: one that is not there any more has ended. The descriptor stays open over execve(2). Throws Unavailable.
 */
export async function useNamespaces(runRoot: string): Promise<number> {
  const fd = openUseFile(runRoot)
  const deadline = Date.now() + ENDING_MS
  while (!tryLock(fd, "shared")) {
    if (Date.now() > deadline)
      throw new Unavailable("the pause process has not ended within 10 s", { hint: "try again" })
    await Bun.sleep(POLL_MS)
  }
  keepOnExec(fd)
  return fd
}

/**
 * The same from inside, for a program that outlives this process: our own lock keeps anyone from ending the pause process
 * meanwhile. Undefined as real root. The caller closes the descriptor when the program has it.
 */
export function useOurNamespaces(): number | undefined {
  if (rootlessUid() === undefined) return undefined
  const fd = openUseFile(defaultPaths().runRoot)
  tryLock(fd, "shared")
  keepOnExec(fd)
  return fd
}

function openUseFile(runRoot: string): number {
  return openSync(useFile(runRoot), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
}
