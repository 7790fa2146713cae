import { InvalidArgument, PermissionDenied, Unsupported } from "../../base/errors.ts"
import type { RemoteReference } from "../registry.ts"
import { matchedLength } from "./locations.ts"
import { findPolicy, type Policy } from "./policy-file.ts"

type Env = Record<string, string | undefined>
interface Requirement {
  type?: unknown
}

/**
 * Holds `ref` against containers-policy.json(5), the user's before the host's. Throws PermissionDenied when it rejects
 * the image, Unsupported when it asks for signatures, which we cannot check yet: not checking them is no choice.
 * Without a file everything is let in, as docker does.
 */
export function checkPolicy(ref: RemoteReference, env: Env = process.env): void {
  const found = findPolicy(env)
  if (found) applyPolicy(found.policy, ref, found.path)
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
