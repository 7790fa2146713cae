/**
 * What this host has and lacks for containers, each with the one command that repairs it.
 *
 * Looks at the host as the user who asks: a check tries the thing itself (mounts an overlay, makes a namespace, loads a
 * table) wherever that is harmless, in namespaces that end with it. It works when everything is missing.
 */
import { rootlessUid, type StorePaths } from "../sys/fs/paths.ts"
import type { Check, HostProbe } from "./check.ts"
import { kernelChecks } from "./kernel.ts"
import { programChecks } from "./programs.ts"
import { ipv6Checks } from "./ipv6.ts"
import { resolverChecks } from "./resolver.ts"
import { userChecks } from "./user.ts"
import type { HostCheck } from "./doctor.ts"

/** Every requirement of the host, in the order of a container's start. Throws nothing. */
export async function hostChecks(paths: StorePaths): Promise<HostCheck[]> {
  const own = process.getuid?.() ?? 0
  const host = { paths, uid: rootlessUid() ?? (own === 0 ? undefined : own) }
  const checks = [...programChecks, ...kernelChecks, ...ipv6Checks, ...resolverChecks, ...userChecks]
  return await Promise.all(checks.map((check) => examine(check, host)))
}

async function examine({ name, purpose, look }: Check, host: HostProbe): Promise<HostCheck> {
  try {
    return { name, purpose, ...(await look(host)) }
  } catch (error) {
    // a check that cannot be made is no proof of a fault
    const detail = `cannot be checked: ${error instanceof Error ? error.message : String(error)}`
    return { name, purpose, status: "warning", detail }
  }
}
