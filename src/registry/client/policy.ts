import { readFileSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument, PermissionDenied, Unsupported } from "../../base/errors.ts"
import type { RemoteReference } from "../registry.ts"
import { matchedLength } from "./locations.ts"

type Env = Record<string, string | undefined>
interface Requirement {
  type?: unknown
}
interface Policy {
  default?: unknown
  transports?: { docker?: Record<string, unknown> }
}

/**
 * Holds `ref` against containers-policy.json(5), the user's before the host's. Throws PermissionDenied when it rejects
 * the image, Unsupported when it asks for signatures, which we cannot check yet: not checking them is no choice.
 * Without a file everything is let in, as docker does.
 */
export function checkPolicy(ref: RemoteReference, env: Env = process.env): void {
  const userDir = join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? "/root", ".config"), "containers")
  for (const path of [join(userDir, "policy.json"), "/etc/containers/policy.json"]) {
    const policy = readPolicy(path)
    if (policy) return applyPolicy(policy, ref, path)
  }
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

function applyPolicy(policy: Policy, ref: RemoteReference, path: string): void {
  const name = `${ref.registry}/${ref.repository}`
  const full = `${name}${ref.digest === undefined ? `:${ref.tag ?? "latest"}` : `@${ref.digest}`}`
  const scopes = policy.transports?.docker ?? {}
  // the most specific scope counts alone; "" is the transport's own default
  const scope = Object.keys(scopes)
    .filter((each) => each === "" || matchedLength(full, each) > 0)
    .toSorted((a, b) => b.length - a.length)[0]
  const requirements = scope === undefined ? policy.default : scopes[scope]
  if (!Array.isArray(requirements) || requirements.length === 0)
    throw new InvalidArgument(`"${path}" has no requirement for "${name}": neither a scope nor a default`)
  for (const { type } of requirements as Requirement[]) {
    if (type === "insecureAcceptAnything") continue
    if (type === "reject")
      throw new PermissionDenied(`"${path}" rejects images of "${name}"`, {
        hint: `its ${scope === undefined ? "default" : `scope "${scope}"`} says so`,
      })
    throw new Unsupported(
      `"${path}" requires images of "${name}" to pass "${String(type)}", which skiff cannot check yet`,
      {
        hint: "allow this name there (insecureAcceptAnything) if you trust it without a signature",
      },
    )
  }
}
