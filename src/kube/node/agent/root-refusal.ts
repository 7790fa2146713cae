import type { Container as ContainerSpec } from "kubernetes-types/core/v1"
import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"

/** Why a container with runAsNonRoot may not run; undefined: it may (kubernetes: security_context.go, verifyRunAsNonRoot). */
export function rootRefusal(
  pod: KeptPod,
  { name, securityContext }: ContainerSpec,
  { User: user = "" }: ImageRunConfig,
): string | undefined {
  const uid = securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser
  const who = `pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${name}`
  if (uid !== undefined) return uid === 0 ? `container's runAsUser breaks non-root policy (${who})` : undefined
  const [account = ""] = user.split(":")
  if (account === "" || account === "0") return `container has runAsNonRoot and image will run as root (${who})`
  if (!/^\d+$/.test(account))
    return `container has runAsNonRoot and image has non-numeric user (${account}), cannot verify user is non-root (${who})`
  return undefined
}
