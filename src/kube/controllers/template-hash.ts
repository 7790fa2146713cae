import { createHash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { PodTemplateSpec } from "kubernetes-types/core/v1"

/** Label of what was made of one revision of a Deployment. */
export const TEMPLATE_HASH = "pod-template-hash"
/** The same of a StatefulSet or DaemonSet. */
export const REVISION_HASH = "controller-revision-hash"
/** Digits that read as no word (apimachinery, util/rand). */
const SAFE = "bcdfghjklmnpqrstvwxz2456789"

/**
 * A short name of a template: ten letters. Kubernetes makes it of Go's print of the struct, which nobody else can; nothing compares the
 * two. Pure.
 */
export function hashOf(value: unknown, collisions = 0): string {
  const digest = createHash("sha256").update(stable(value)).update(String(collisions)).digest()
  return Array.from(digest.subarray(0, 10), (byte) => SAFE[byte % SAFE.length]).join("")
}

/** The same text for the same value, however its keys are ordered. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Whether two templates are the same but for the label of their revision. Pure. */
export function sameTemplate(one: PodTemplateSpec | undefined, other: PodTemplateSpec | undefined): boolean {
  return isDeepStrictEqual(plain(one), plain(other))
}

/** What Go leaves out as empty is absent. */
function plain(template: PodTemplateSpec | undefined): unknown {
  const { [TEMPLATE_HASH]: _, ...labels } = template?.metadata?.labels ?? {}
  return JSON.parse(
    JSON.stringify({ labels, annotations: template?.metadata?.annotations ?? {}, spec: template?.spec ?? {} }),
  ) as unknown
}
