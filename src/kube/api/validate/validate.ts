import { at, isTree, listAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { resourceKey, type ResourceKind } from "../../objects/kinds.ts"
import type { Definition, FieldType } from "../schema/schema.ts"
import { invalid } from "../status.ts"
import { Faults } from "./faults.ts"
import { dnsLabelFault, dnsSubdomainFault, pathSegmentFault, qualifiedNameFault, serviceNameFault } from "./names.ts"
import {
  checkBinding,
  checkClaim,
  checkCustomDefinition,
  checkData,
  checkIngress,
  checkPriorityClass,
  checkRole,
  checkSecret,
  checkService,
  checkVolume,
} from "./others.ts"
import { checkPodSpec, checkPodUpdate } from "./pod.ts"
import { checkWebhooks } from "./webhooks.ts"
import {
  checkAutoscaler,
  checkBudget,
  checkController,
  checkCronJob,
  checkJob,
  checkLabels,
  checkStatefulSet,
} from "./workloads.ts"

type Check = (object: Tree, before: Tree | undefined, faults: Faults) => void

const RBAC = "rbac.authorization.k8s.io"
const MAX_ANNOTATION_BYTES = 262_144
/** More faults than a person reads: the walk ends. */
const MAX_FAULTS = 50

const CHECKS: Readonly<Record<string, Check>> = {
  pods: (object, before, faults) => {
    checkPodSpec(treeAt(object, "spec"), "spec", faults)
    if (before !== undefined) checkPodUpdate(object, before, faults)
  },
  "deployments.apps": checkController,
  "replicasets.apps": checkController,
  "daemonsets.apps": checkController,
  "statefulsets.apps": checkStatefulSet,
  "jobs.batch": checkJob,
  "cronjobs.batch": (object, _before, faults) => checkCronJob(object, faults),
  "horizontalpodautoscalers.autoscaling": (object, _before, faults) => checkAutoscaler(object, faults),
  "poddisruptionbudgets.policy": (object, _before, faults) => checkBudget(object, faults),
  configmaps: checkData,
  secrets: checkSecret,
  services: checkService,
  persistentvolumeclaims: checkClaim,
  persistentvolumes: (object, _before, faults) => checkVolume(object, faults),
  "ingresses.networking.k8s.io": (object, _before, faults) => checkIngress(object, faults),
  [`roles.${RBAC}`]: (object, _before, faults) => checkRole(object, faults),
  [`clusterroles.${RBAC}`]: (object, _before, faults) => checkRole(object, faults),
  [`rolebindings.${RBAC}`]: checkBinding,
  [`clusterrolebindings.${RBAC}`]: checkBinding,
  "customresourcedefinitions.apiextensions.k8s.io": (object, _before, faults) => checkCustomDefinition(object, faults),
  "priorityclasses.scheduling.k8s.io": checkPriorityClass,
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": (object, _before, faults) =>
    checkWebhooks(object, faults),
  "validatingwebhookconfigurations.admissionregistration.k8s.io": (object, _before, faults) =>
    checkWebhooks(object, faults),
}

/** Whose names are no subdomains. */
const NAME_FAULTS: Readonly<Record<string, (name: string) => string | undefined>> = {
  namespaces: dnsLabelFault,
  services: serviceNameFault,
  [`roles.${RBAC}`]: pathSegmentFault,
  [`clusterroles.${RBAC}`]: pathSegmentFault,
  [`rolebindings.${RBAC}`]: pathSegmentFault,
  [`clusterrolebindings.${RBAC}`]: pathSegmentFault,
}

/**
 * Throws Invalid with all that is wrong with `object`, defaults filled in. `before`: what it replaces. Its definition says what must be there
 * and which words stand for what; the rest is told by kind.
 */
export function validate(kind: ResourceKind, definition: Definition, object: Tree, before?: Tree): void {
  const faults = new Faults()
  checkMetadata(kind, object, faults)
  // its metadata was looked at, and that it is there some kinds require (Event)
  const { status: _, ...whole } = object
  const own = { ...whole, metadata: {} }
  if (definition.name !== "apiextensions.v1.CustomResourceDefinition") checkStructure(own, definition, "", faults)
  CHECKS[resourceKey(kind)]?.(object, before, faults)
  if (faults.causes.length === 0) return
  const name = textAt(object, "metadata", "name") || textAt(object, "metadata", "generateName")
  throw invalid(kind.kind, kind.group, name, faults.causes)
}

function checkMetadata(kind: ResourceKind, object: Tree, faults: Faults): void {
  const name = textAt(object, "metadata", "name")
  const prefix = textAt(object, "metadata", "generateName")
  const faultOf = NAME_FAULTS[resourceKey(kind)] ?? dnsSubdomainFault
  if (name === "" && prefix === "") faults.required("metadata.name", "name or generateName is required")
  const fault = name === "" ? undefined : faultOf(name)
  if (fault !== undefined) faults.invalid("metadata.name", name, fault)
  const prefixFault = prefix === "" ? undefined : faultOf(prefix.replace(/-+$/, "") || "x")
  if (prefixFault !== undefined) faults.invalid("metadata.generateName", prefix, prefixFault)
  checkLabels(textsAt(object, "metadata", "labels"), "metadata.labels", faults)
  let bytes = 0
  for (const [key, value] of Object.entries(textsAt(object, "metadata", "annotations"))) {
    const keyFault = qualifiedNameFault(key.toLowerCase())
    if (keyFault !== undefined) faults.invalid("metadata.annotations", key, keyFault)
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > MAX_ANNOTATION_BYTES)
    faults.tooLong("metadata.annotations", `must have at most ${MAX_ANNOTATION_BYTES} bytes`)
  for (const [index, owner] of listAt(object, "metadata", "ownerReferences").entries())
    for (const key of ["apiVersion", "kind", "name", "uid"])
      if (textAt(owner, key) === "")
        faults.invalid(`metadata.ownerReferences[${index}].${key}`, "", "must not be empty")
}

function checkStructure(object: Tree, definition: Definition, path: string, faults: Faults): void {
  for (const [key, field] of definition.fields) {
    const value = at(object, key)
    const here = path === "" ? key : `${path}.${key}`
    if (faults.causes.length > MAX_FAULTS) return
    if (value === undefined || value === "") {
      const isNamed = key === "name" || (field.type.type === "string" && key === "image")
      if (field.isRequired && !isNamed && !isLeftEmpty(value, field.type)) faults.required(here)
    } else checkValue(value, field.type, here, faults)
  }
}

/** An empty text is no fault where it is one of the words. */
function isLeftEmpty(value: unknown, type: FieldType): boolean {
  return value === "" && type.type === "string" && type.values === undefined
}

function checkValue(value: unknown, type: FieldType, path: string, faults: Faults): void {
  if (type.type === "string") {
    if (type.values && typeof value === "string" && !type.values.includes(value))
      faults.unsupported(path, value, type.values)
  } else if (type.type === "object" && isTree(value)) checkStructure(value, type.definition(), path, faults)
  else if (type.type === "list" && Array.isArray(value))
    for (const [index, item] of value.entries()) checkValue(item, type.of, `${path}[${index}]`, faults)
}
