import type { Container, Pod } from "kubernetes-types/core/v1"
import type { Warnings } from "./field-fault.ts"

/** Fields of a pod that this node does nothing of. What only places pods on nodes means nothing here, and is not told. */
const OF_POD: Readonly<Record<string, string>> = {
  ephemeralContainers: "none is made",
  readinessGates: "nobody asks for them",
  resourceClaims: "no device is claimed",
  runtimeClassName: "the engine's runtime is used",
  serviceAccount: "no account is had here",
  serviceAccountName: "no account is had here",
}

/** Tells of the pod's fields that are not honoured. */
export function warnOfPod({ spec }: Pod, warnings: Warnings): void {
  for (const [field, text] of Object.entries(OF_POD)) {
    const value = (spec as Readonly<Record<string, unknown>> | undefined)?.[field]
    if (value === undefined || value === "" || value === "default" || (Array.isArray(value) && value.length === 0))
      continue
    warnings.add(`spec.${field}`, text)
  }
  if (spec?.automountServiceAccountToken) warnings.add("spec.automountServiceAccountToken", "no account is had here")
}

/** The same of a container. */
export function warnOfContainer(container: Container, path: string, warnings: Warnings): void {
  if ((container.volumeDevices ?? []).length > 0)
    warnings.add(
      `${path}.volumeDevices`,
      "no raw block device is claimed here: name it by a hostPath of type BlockDevice",
    )
  const { terminationMessagePath } = container
  if (terminationMessagePath !== undefined && terminationMessagePath !== "/dev/termination-log")
    warnings.add(`${path}.terminationMessagePath`, "nobody reads it")
}
