import { mkdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"

type Env = Record<string, string | undefined>

/** containers-policy.json(5), as far as it is looked at here; what else it says is kept when it is changed. */
export interface Policy {
  default?: unknown
  transports?: { docker?: Record<string, unknown> } & Record<string, Record<string, unknown> | undefined>
}

const HOST_POLICY = "/etc/containers/policy.json"

/** Where the user's policy is, or would be. */
function userPolicyPath(env: Env = process.env): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME ?? "/root", ".config"), "containers/policy.json")
}

/** The one that counts: the user's, else the host's; undefined when there is neither. Throws InvalidArgument. */
export function findPolicy(env: Env = process.env): { path: string; policy: Policy } | undefined {
  for (const path of [userPolicyPath(env), HOST_POLICY]) {
    const policy = readPolicy(path)
    if (policy) return { path, policy }
  }
  return undefined
}

/**
 * Writes the policy that counts from now on: into the file that counts already, where this user may change it, else into
 * the user's own, which hides the host's. Gives its path.
 */
export function writePolicy(policy: Policy, found: { path: string } | undefined, env: Env = process.env): string {
  // in the rootless namespaces everybody is 0
  const isHosts = rootlessUid() === undefined && process.getuid?.() === 0 && found?.path !== userPolicyPath(env)
  const path = isHosts ? HOST_POLICY : userPolicyPath(env)
  mkdirSync(dirname(path), { recursive: true })
  atomicWrite(path, `${JSON.stringify(policy, undefined, 2)}\n`, { mode: 0o644, durable: true })
  return path
}

function readPolicy(path: string): Policy | undefined {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return undefined
    throw new InvalidArgument(`cannot read "${path}"`, { cause })
  }
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return document
  } catch (cause) {
    throw new InvalidArgument(`"${path}" is not JSON`, { cause })
  }
  throw new InvalidArgument(`"${path}" is not a JSON object`)
}
