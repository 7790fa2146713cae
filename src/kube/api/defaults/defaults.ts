import { at, isTree, listAt, textAt, textsAt, type Tree } from "../../field.ts"
import { resourceKey, type ResourceKind } from "../../objects/kinds.ts"
import { fill, ifUnder, items, under } from "./fill.ts"
import { fillPod } from "./pod.ts"
import {
  fillAutoscaler,
  fillClaim,
  fillCronJob,
  fillDaemonSet,
  fillDeployment,
  fillJob,
  fillPodTemplate,
  fillReplicaSet,
  fillReplicationController,
  fillStatefulSet,
} from "./workloads.ts"

const RBAC = "rbac.authorization.k8s.io"
/** Of a Service by client address: three hours. */
const AFFINITY_SECONDS = 10_800

/** By resource. Each changes what it is handed, and nothing that is said there. */
const FILLERS: Readonly<Record<string, (object: Tree) => void>> = {
  pods: fillPod,
  podtemplates: fillPodTemplate,
  replicationcontrollers: fillReplicationController,
  "deployments.apps": fillDeployment,
  "replicasets.apps": fillReplicaSet,
  "statefulsets.apps": fillStatefulSet,
  "daemonsets.apps": fillDaemonSet,
  "jobs.batch": fillJob,
  "cronjobs.batch": fillCronJob,
  "horizontalpodautoscalers.autoscaling": fillAutoscaler,
  persistentvolumeclaims: fillClaim,
  persistentvolumes: fillVolume,
  services: fillService,
  endpoints: (object) => {
    for (const subset of items(object, "subsets"))
      for (const port of items(subset, "ports")) fill(port, { protocol: "TCP" })
  },
  "endpointslices.discovery.k8s.io": (object) => {
    for (const port of items(object, "ports")) fill(port, { name: "", protocol: "TCP" })
  },
  secrets: fillSecret,
  namespaces: fillNamespace,
  limitranges: fillLimitRange,
  "networkpolicies.networking.k8s.io": fillNetworkPolicy,
  "ingressclasses.networking.k8s.io": (object) => {
    const parameters = ifUnder(under(object, "spec"), "parameters")
    if (parameters) fill(parameters, { scope: "Cluster" })
  },
  "storageclasses.storage.k8s.io": (object) =>
    fill(object, { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" }),
  "priorityclasses.scheduling.k8s.io": (object) => fill(object, { preemptionPolicy: "PreemptLowerPriority" }),
  [`rolebindings.${RBAC}`]: fillBinding,
  [`clusterrolebindings.${RBAC}`]: fillBinding,
  "customresourcedefinitions.apiextensions.k8s.io": fillDefinition,
  "validatingwebhookconfigurations.admissionregistration.k8s.io": fillWebhooks,
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": fillWebhooks,
}

/** Gives an object what its author left to Kubernetes. Changes `object`; safe to repeat. */
export function fillDefaults(kind: ResourceKind, object: Tree): void {
  FILLERS[resourceKey(kind)]?.(object)
}

function fillService(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { type: "ClusterIP", sessionAffinity: "None" })
  const type = textAt(spec, "type")
  if (spec["sessionAffinity"] === "ClientIP")
    fill(under(under(spec, "sessionAffinityConfig"), "clientIP"), { timeoutSeconds: AFFINITY_SECONDS })
  for (const port of items(spec, "ports")) {
    fill(port, { protocol: "TCP" })
    if (port["targetPort"] === undefined || port["targetPort"] === 0 || port["targetPort"] === "")
      port["targetPort"] = port["port"]
  }
  if (type === "ExternalName") return
  fill(spec, { internalTrafficPolicy: "Cluster" })
  if (type === "NodePort" || type === "LoadBalancer") fill(spec, { externalTrafficPolicy: "Cluster" })
  if (type === "LoadBalancer") fill(spec, { allocateLoadBalancerNodePorts: true })
}

function fillVolume(object: Tree): void {
  const spec = under(object, "spec")
  fill(spec, { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" })
  const hostPath = ifUnder(spec, "hostPath")
  if (hostPath) fill(hostPath, { type: "" })
  fill(object, { status: { phase: "Pending" } })
}

/** What is written in clear goes to its place in base64. */
function fillSecret(object: Tree): void {
  fill(object, { type: "Opaque" })
  const clear = textsAt(object, "stringData")
  if (object["stringData"] === undefined) return
  const data = under(object, "data")
  for (const [key, text] of Object.entries(clear)) data[key] = Buffer.from(text).toString("base64")
  delete object["stringData"]
}

function fillNamespace(object: Tree): void {
  const metadata = under(object, "metadata")
  const labels = under(metadata, "labels")
  if (textAt(metadata, "name") !== "") labels["kubernetes.io/metadata.name"] = textAt(metadata, "name")
  fill(under(object, "spec"), { finalizers: ["kubernetes"] })
  fill(object, { status: { phase: "Active" } })
}

function fillLimitRange(object: Tree): void {
  for (const limit of items(under(object, "spec"), "limits")) {
    if (limit["type"] !== "Container") continue
    if (limit["max"] !== undefined) fill(under(limit, "default"), under(limit, "max"))
    if (limit["default"] !== undefined) fill(under(limit, "defaultRequest"), under(limit, "default"))
    if (limit["min"] !== undefined) fill(under(limit, "defaultRequest"), under(limit, "min"))
  }
}

function fillNetworkPolicy(object: Tree): void {
  const spec = under(object, "spec")
  for (const key of ["ingress", "egress"])
    for (const rule of items(spec, key)) for (const port of items(rule, "ports")) fill(port, { protocol: "TCP" })
  fill(spec, { policyTypes: ["Ingress", ...(listAt(spec, "egress").length > 0 ? ["Egress"] : [])] })
}

function fillBinding(object: Tree): void {
  const role = ifUnder(object, "roleRef")
  if (role) fill(role, { apiGroup: RBAC })
  for (const subject of items(object, "subjects"))
    if (subject["kind"] === "User" || subject["kind"] === "Group") fill(subject, { apiGroup: RBAC })
}

/** Served at once: what waits for `Established` need not wait. */
function fillDefinition(object: Tree): void {
  const spec = under(object, "spec")
  const names = under(spec, "names")
  fill(names, { singular: textAt(names, "kind").toLowerCase(), listKind: `${textAt(names, "kind")}List` })
  fill(spec, { conversion: { strategy: "None" } })
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z")
  fill(object, {
    status: {
      acceptedNames: structuredClone(names),
      conditions: [
        {
          lastTransitionTime: now,
          message: "no conflicts found",
          reason: "NoConflicts",
          status: "True",
          type: "NamesAccepted",
        },
        {
          lastTransitionTime: now,
          message: "the initial names have been accepted",
          reason: "InitialNamesAccepted",
          status: "True",
          type: "Established",
        },
      ],
      storedVersions: items(spec, "versions")
        .filter(({ storage }) => storage === true)
        .map((version) => version["name"]),
    },
  })
}

function fillWebhooks(object: Tree): void {
  for (const webhook of items(object, "webhooks")) {
    for (const rule of items(webhook, "rules")) fill(rule, { scope: "*" })
    const service = at(webhook, "clientConfig", "service")
    if (isTree(service)) fill(service, { port: 443 })
    if (object["kind"] === "MutatingWebhookConfiguration") fill(webhook, { reinvocationPolicy: "Never" })
    fill(webhook, {
      failurePolicy: "Fail",
      matchPolicy: "Equivalent",
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
    })
  }
}
