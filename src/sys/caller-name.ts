import { accountName } from "./account.ts"
import { rootlessUid } from "./fs/paths.ts"

/** The account on the host of the user who runs us: `root`, `ann`; the uid where it has no name. */
export function callerName(): string {
  const uid = rootlessUid() ?? process.getuid?.() ?? 0
  return uid === 0 ? "root" : (accountName(uid) ?? String(uid))
}
