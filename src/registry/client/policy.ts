import { InvalidArgument, PermissionDenied } from "../../base/errors.ts"
import { scopesOf, subjectName } from "../trust/scopes.ts"
import type { Admission, PolicySubject } from "../registry.ts"
import { findPolicy, type Policy } from "./policy-file.ts"

type Env = Record<string, string | undefined>
interface Requirement {
  type?: unknown
}

/**
 * What containers-policy.json(5), the user's before the host's, asks of an image; undefined: nothing, as without a file, where everything
 * is let in, as docker does. Throws PermissionDenied when it rejects the image, InvalidArgument.
 */
export async function admissionOf(subject: PolicySubject, env: Env = process.env): Promise<Admission | undefined> {
  const found = findPolicy(env)
  return found && (await applyPolicy(found.policy, subject, found.path))
}

async function applyPolicy(policy: Policy, subject: PolicySubject, path: string): Promise<Admission | undefined> {
  const scopes = policy.transports?.[subject.transport] ?? {}
  // the most specific scope counts alone; "" is the transport's own default
  const scope = [...scopesOf(subject), ""].find((each) => Object.hasOwn(scopes, each))
  const requirements: unknown = scope === undefined ? policy.default : scopes[scope]
  const image = subjectName(subject)
  if (!Array.isArray(requirements) || requirements.length === 0)
    throw new InvalidArgument(`"${path}" has no requirement for "${image}": neither a scope nor a default`)
  const asked = (requirements as Requirement[]).filter((each) => each?.type !== "insecureAcceptAnything")
  const named = scope === undefined ? "default" : `scope "${scope}"`
  if (asked.some((each) => each?.type === "reject")) {
    const name = image.replace(/(?::[^:/]*|@.*)$/, "")
    throw new PermissionDenied(`"${path}" rejects images of "${subject.transport === "docker" ? name : image}"`, {
      hint: `its ${named} says so`,
    })
  }
  if (asked.length === 0) return undefined
  const { signedAdmission } = await import("../trust/admission.ts")
  return signedAdmission(asked, { subject, path, scope: named })
}
