import { FailedPrecondition } from "../base/errors.ts"
import { callerSeesMounts } from "../sys/rootless/unshare.ts"

/** What an ordinary user mounts is seen inside his own namespaces alone. `words`: the command. Throws FailedPrecondition. */
export function refuseUnseenMounts(words: string): void {
  if (callerSeesMounts()) return
  throw new FailedPrecondition(
    `cannot run command "skiff ${words}" in rootless mode, must execute \`skiff unshare\` first`,
    { hint: `what is mounted is seen there alone: skiff unshare sh -c 'ls $(skiff ${words} NAME)'` },
  )
}
