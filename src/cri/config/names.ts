import { createHash } from "node:crypto"
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerMetadata, PodSandboxMetadata } from "../protocol/messages.ts"

const PART = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const MAX_LENGTH = 200

/** `k8s_POD_NAMESPACE_UID_ATTEMPT`. Throws InvalidArgument for what no name can be made of. Pure. */
export function podName(metadata: PodSandboxMetadata | null): string {
  const { name, namespace, uid, attempt } = metadata ?? missing("the sandbox's metadata")
  return joined({ name, namespace, uid }, attempt)
}

/** `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT`. Throws as `podName`. Pure. */
export function containerName(metadata: ContainerMetadata | null, pod: PodSandboxMetadata): string {
  const { name, attempt } = metadata ?? missing("the container's metadata")
  return joined({ name, pod: pod.name, namespace: pod.namespace, uid: pod.uid }, `${pod.attempt}_${attempt}`)
}

function missing(what: string): never {
  throw new InvalidArgument(`${what} is missing`, { field: "metadata" })
}

function joined(parts: Record<string, string>, last: number | string): string {
  for (const [field, part] of Object.entries(parts))
    if (!PART.test(part))
      throw new InvalidArgument(`invalid ${field} ${JSON.stringify(part.slice(0, 100))} in the metadata`, {
        field: `metadata.${field}`,
        hint: "it has letters, digits, `_`, `.` and `-`, and begins with a letter or digit",
      })
  const name = ["k8s", ...Object.values(parts), last].join("_")
  if (name.length <= MAX_LENGTH) return name
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 16)
  return `${name.slice(0, MAX_LENGTH)}_${digest}`
}
