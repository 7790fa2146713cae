import { FailedPrecondition } from "../base/errors.ts"
import type { KubeObject, ManifestOptions } from "./kube.ts"

/** What makes such pods as `pod` says: by default the pod itself. Throws FailedPrecondition for one that could not be made again. Pure. */
export function workloadObject(pod: KubeObject, { kind = "pod", replicas = 1 }: ManifestOptions): KubeObject {
  if (kind === "pod") return pod
  const { name, labels, creationTimestamp } = pod.metadata
  const spec = pod.spec as { restartPolicy?: string }
  const restarts = kind === "job" ? ["Never", "OnFailure"] : ["Always"]
  // a policy that was not chosen is the kind's
  if (spec.restartPolicy !== undefined && spec.restartPolicy !== "Never" && !restarts.includes(spec.restartPolicy))
    throw new FailedPrecondition(`a ${kind} cannot have the restart policy ${spec.restartPolicy}`, {
      hint: `its pods have ${restarts.join(" or ")}`,
    })
  const template = {
    metadata: pod.metadata,
    spec: { ...spec, restartPolicy: kind === "job" ? spec.restartPolicy : "Always" },
  }
  const metadata = { name: `${name}-${kind}`, labels, creationTimestamp }
  const selector = { matchLabels: { app: name } }
  switch (kind) {
    case "deployment":
      return { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas, selector, template } }
    case "daemonset":
      return { apiVersion: "apps/v1", kind: "DaemonSet", metadata, spec: { selector, template } }
    case "job":
      return { apiVersion: "batch/v1", kind: "Job", metadata, spec: { template } }
  }
}
