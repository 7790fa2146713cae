import { at, numberAt, textAt, textsAt, type Tree } from "../../field.ts"
import { resourceKey, type ResourceKind } from "../../objects/kinds.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { fill, under } from "../defaults/fill.ts"
import { fillDefaults } from "../defaults/defaults.ts"
import { selectOwnPods } from "../defaults/workloads.ts"
import { forbidden } from "./forbidden.ts"
import { applyLimits } from "./limits.ts"
import { checkNamespaceLabels, enforcePodSecurity } from "./pod-security/pod-security.ts"
import { checkQuotas } from "./quota.ts"
import type { Tokens } from "../tokens.ts"
import { fillTokenSecret } from "./token-secret.ts"
import { useServiceAccount } from "./service-account.ts"
import { checkServiceAddresses } from "./service-addresses.ts"

const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
/** Classes that every cluster has. */
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
}

/**
 * What every new object passes, whoever makes it: a person's request or a controller. Fills in defaults, and what the namespace and the cluster set; throws PermissionDenied
 * (Forbidden) for what a limit or quota forbids. Gives the object to keep.
 */
export function admit(
  objects: KubeObjects,
  kind: ResourceKind,
  asked: StoredObject,
  tokens?: Pick<Tokens, "issue">,
): StoredObject {
  const object = structuredClone(asked)
  const resource = resourceKey(kind)
  fillDefaults(kind, object)
  if (resource === "namespaces") checkNamespaceLabels(object)
  if (resource === "pods") admitPod(objects, object)
  if (resource === "secrets") fillTokenSecret(objects, tokens, object)
  if (resource === "services") checkServiceAddresses(objects, object)
  if (resource === "jobs.batch") selectOwnPods(object)
  if (resource === "persistentvolumeclaims") {
    setStorageClass(objects, object)
    applyLimits(objects, resource, object)
  }
  checkQuotas(objects, resource, object)
  return object
}

/** What is filled into a new pod before webhooks see it. Safe to repeat. */
export function fillPod(objects: KubeObjects, pod: StoredObject): void {
  const isMirror = textsAt(pod, "metadata", "annotations")["kubernetes.io/config.mirror"] !== undefined
  if (!isMirror) useServiceAccount(objects, pod)
  setPriority(objects, pod, under(pod, "spec"))
}

function admitPod(objects: KubeObjects, pod: StoredObject): void {
  fillPod(objects, pod)
  applyLimits(objects, "pods", pod)
  enforcePodSecurity(objects, pod)
}

function setPriority(objects: KubeObjects, pod: StoredObject, spec: Tree): void {
  const name = textAt(spec, "priorityClassName")
  const classes = "priorityclasses.scheduling.k8s.io"
  const system = SYSTEM_PRIORITIES[name]
  const found =
    name === ""
      ? objects.list(classes, { fits: (one) => at(one, "globalDefault") === true }).items[0]
      : objects.find(classes, name)
  if (name !== "" && found === undefined && system === undefined)
    throw forbidden(pod, `no PriorityClass with name ${name} was found`)
  if (name === "" && found !== undefined) spec["priorityClassName"] = found.metadata.name
  spec["priority"] = system ?? numberAt(found, "value") ?? 0
  fill(spec, { preemptionPolicy: textAt(found, "preemptionPolicy") || "PreemptLowerPriority" })
}

/** The class that claims have which name none. */
function setStorageClass(objects: KubeObjects, claim: StoredObject): void {
  const spec = under(claim, "spec")
  if (spec["storageClassName"] !== undefined || textAt(spec, "volumeName") !== "") return
  const [found] = objects.list("storageclasses.storage.k8s.io", { fits: isDefault }).items
  if (found !== undefined) spec["storageClassName"] = found.metadata.name
}

function isDefault(storageClass: StoredObject): boolean {
  return textsAt(storageClass, "metadata", "annotations")[DEFAULT_CLASS] === "true"
}
