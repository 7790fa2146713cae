import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { selectorText } from "../selectors.ts"
import { ageOf, humanDuration } from "./age.ts"
import { podRow, type PodRow } from "./pod-row.ts"

/** One column of what `get` shows. */
export interface Column {
  name: string
  type: "string" | "integer" | "date" | "boolean"
  /** `-o wide` alone. */
  isWide?: boolean
  value(object: Tree): string | number
}

type Value = (object: Tree) => string | number

const NONE = "<none>"
const RBAC = "rbac.authorization.k8s.io"

function column(name: string, value: Value, type: Column["type"] = "string"): Column {
  return { name, type, value }
}

function wide(name: string, value: Value): Column {
  return { name, type: "string", isWide: true, value }
}

const text =
  (...path: string[]): Value =>
  (object) =>
    textAt(object, ...path)
const orNone =
  (...path: string[]): Value =>
  (object) => {
    const value = at(object, ...path)
    return value === undefined || value === "" ? NONE : String(value)
  }
const number =
  (...path: string[]): Value =>
  (object) =>
    numberAt(object, ...path) ?? 0

const NAME = column("Name", text("metadata", "name"))
const AGE = column("Age", (object) => ageOf(at(object, "metadata", "creationTimestamp")))

/** Containers, images and selector, for `wide`. */
function templateColumns(...path: string[]): Column[] {
  const containers = (object: Tree): readonly unknown[] => listAt(object, ...path, "spec", "containers")
  return [
    wide("Containers", (object) =>
      containers(object)
        .map((one) => textAt(one, "name"))
        .join(","),
    ),
    wide("Images", (object) =>
      containers(object)
        .map((one) => textAt(one, "image"))
        .join(","),
    ),
  ]
}
/** Not for `wide` alone. */
function always({ name, type, value }: Column): Column {
  return { name, type, value }
}

const SELECTOR = wide("Selector", (object) => selectorText(at(object, "spec", "selector")))

function labelText(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return all.length === 0 ? NONE : all.map(([key, value]) => `${key}=${value}`).join(",")
}

const ACCESS: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
}

function accessModes(modes: readonly unknown[]): string {
  return modes.map((mode) => ACCESS[String(mode)] ?? String(mode)).join(",")
}

function externalAddress(object: Tree): string {
  const type = textAt(object, "spec", "type")
  const own = listAt(object, "spec", "externalIPs").map(String)
  if (type === "ExternalName") return textAt(object, "spec", "externalName")
  if (type !== "LoadBalancer") return own.length > 0 ? own.join(",") : NONE
  const given = listAt(object, "status", "loadBalancer", "ingress").map(
    (one) => textAt(one, "ip") || textAt(one, "hostname"),
  )
  const all = [...given, ...own]
  return all.length > 0 ? all.join(",") : "<pending>"
}

function servicePorts(object: Tree): string {
  const ports = listAt(object, "spec", "ports").map((port) => {
    const node = numberAt(port, "nodePort") ?? 0
    return `${numberAt(port, "port")}${node > 0 ? `:${node}` : ""}/${textAt(port, "protocol")}`
  })
  return ports.length > 0 ? ports.join(",") : NONE
}

/** Addresses with ports, at most three told of (formatEndpoints). */
function endpointText(object: Tree): string {
  const all = listAt(object, "subsets").flatMap((subset) => {
    const addresses = listAt(subset, "addresses").map((one) => textAt(one, "ip"))
    const ports = listAt(subset, "ports").map((port) => numberAt(port, "port") ?? 0)
    return ports.length === 0 ? addresses : addresses.flatMap((ip) => ports.map((port) => `${ip}:${port}`))
  })
  return firstOf(all)
}

function firstOf(all: readonly string[]): string {
  if (all.length === 0) return NONE
  return all.length > 3 ? `${all.slice(0, 3).join(",")} + ${all.length - 3} more...` : all.join(",")
}

function ingressAddress(object: Tree): string {
  return listAt(object, "status", "loadBalancer", "ingress")
    .map((one) => textAt(one, "ip") || textAt(one, "hostname"))
    .join(",")
}

function hosts(object: Tree): string {
  const all = listAt(object, "spec", "rules").map((rule) => textAt(rule, "host") || "*")
  return all.length === 0
    ? "*"
    : all.length > 3
      ? `${all.slice(0, 3).join(",")} + ${all.length - 3} more...`
      : all.join(",")
}

function jobStatus(object: Tree): string {
  const is = (type: string): boolean =>
    listAt(object, "status", "conditions").some(
      (one) => textAt(one, "type") === type && textAt(one, "status") === "True",
    )
  for (const type of ["Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"])
    if (is(type)) return type
  return textAt(object, "metadata", "deletionTimestamp") === "" ? "Running" : "Terminating"
}

function jobCompletions(object: Tree): string {
  const wanted = numberAt(object, "spec", "completions")
  const done = numberAt(object, "status", "succeeded") ?? 0
  if (wanted !== undefined) return `${done}/${wanted}`
  const parallel = numberAt(object, "spec", "parallelism") ?? 0
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`
}

function jobDuration(object: Tree): string {
  const start = textAt(object, "status", "startTime")
  if (start === "") return ""
  const end = textAt(object, "status", "completionTime")
  return humanDuration((end === "" ? Date.now() : Date.parse(end)) - Date.parse(start))
}

function nodeStatus(object: Tree): string {
  const ready = listAt(object, "status", "conditions").find((one) => textAt(one, "type") === "Ready")
  const words = [ready === undefined ? "Unknown" : textAt(ready, "status") === "True" ? "Ready" : "NotReady"]
  if (at(object, "spec", "unschedulable") === true) words.push("SchedulingDisabled")
  return words.join(",")
}

function nodeRoles(object: Tree): string {
  const roles = Object.keys(textsAt(object, "metadata", "labels"))
    .filter((key) => key.startsWith("node-role.kubernetes.io/"))
    .map((key) => key.slice("node-role.kubernetes.io/".length))
  return roles.length > 0 ? roles.toSorted().join(",") : NONE
}

function nodeAddress(type: string): Value {
  return (object) => {
    const found = listAt(object, "status", "addresses").find((one) => textAt(one, "type") === type)
    return textAt(found, "address") || NONE
  }
}

function metricText(object: Tree): string {
  const current = listAt(object, "status", "currentMetrics")
  const all = listAt(object, "spec", "metrics").map((metric, index) => {
    const key = textAt(metric, "type").replace(/^./, (letter) => letter.toLowerCase())
    const source = treeAt(metric, key)
    const now = treeAt(current[index], key, "current")
    const utilization = numberAt(source, "target", "averageUtilization")
    const name = key === "resource" ? `${textAt(source, "name")}: ` : ""
    if (utilization !== undefined)
      return `${name}${numberAt(now, "averageUtilization") ?? "<unknown>"}${now["averageUtilization"] === undefined ? "" : "%"}/${utilization}%`
    const target = at(source, "target", "averageValue") ?? at(source, "target", "value")
    const value = now["averageValue"] ?? now["value"] ?? "<unknown>"
    return `${name}${String(value)}/${String(target)}`
  })
  return all.length === 0
    ? NONE
    : all.length > 2
      ? `${all.slice(0, 2).join(", ")} + ${all.length - 2} more...`
      : all.join(", ")
}

function deploymentReady(object: Tree): string {
  return `${numberAt(object, "status", "readyReplicas") ?? 0}/${numberAt(object, "spec", "replicas") ?? 0}`
}

function eventObject(object: Tree): string {
  return `${textAt(object, "involvedObject", "kind").toLowerCase()}/${textAt(object, "involvedObject", "name")}`
}

function eventTime(object: Tree): string {
  const first = textAt(object, "firstTimestamp") || textAt(object, "eventTime")
  const last = textAt(object, "series", "lastObservedTime") || textAt(object, "lastTimestamp") || first
  const count = numberAt(object, "series", "count") ?? numberAt(object, "count") ?? 1
  return count > 1 ? `${ageOf(last)} (x${count} over ${ageOf(first)})` : ageOf(last)
}

function quotaText(part: "requests" | "limits"): Value {
  return (object) => {
    const hard = treeAt(object, "status", "hard")
    const used = treeAt(object, "status", "used")
    return Object.keys(hard)
      .filter((key) => key.startsWith("limits") === (part === "limits"))
      .toSorted()
      .map((key) => `${key}: ${String(used[key] ?? 0)}/${String(hard[key])}`)
      .join(", ")
  }
}

function subjects(kind: string): Value {
  return (object) =>
    listAt(object, "subjects")
      .filter((one) => textAt(one, "kind") === kind)
      .map((one) =>
        kind === "ServiceAccount" ? `${textAt(one, "namespace")}/${textAt(one, "name")}` : textAt(one, "name"),
      )
      .join(", ")
}

const BINDING_COLUMNS = [
  NAME,
  column("Role", (object) => `${textAt(object, "roleRef", "kind")}/${textAt(object, "roleRef", "name")}`),
  AGE,
  wide("Users", subjects("User")),
  wide("Groups", subjects("Group")),
  wide("ServiceAccounts", subjects("ServiceAccount")),
]

const CREATED = column("Created At", text("metadata", "creationTimestamp"), "date")

let lastRow: { pod: Tree; at: number; row: PodRow } | undefined
/** The columns of one pod are asked for one after the other; what they say of the time is of this moment. */
const ROW_FRESH_MS = 100

function rowOf(pod: Tree): PodRow {
  const now = Date.now()
  if (lastRow?.pod !== pod || now - lastRow.at > ROW_FRESH_MS) lastRow = { pod, at: now, row: podRow(pod) }
  return lastRow.row
}

/** By resource, as kubectl's printers have them (printers/internalversion). */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    NAME,
    column("Ready", (pod) => rowOf(pod).ready),
    column("Status", (pod) => rowOf(pod).status),
    column("Restarts", (pod) => rowOf(pod).restarts),
    AGE,
    wide("IP", orNone("status", "podIP")),
    wide("Node", orNone("spec", "nodeName")),
    wide("Nominated Node", orNone("status", "nominatedNodeName")),
    wide("Readiness Gates", (pod) => {
      const gates = listAt(pod, "spec", "readinessGates")
      if (gates.length === 0) return NONE
      const isTrue = (type: string): boolean =>
        listAt(pod, "status", "conditions").some(
          (one) => textAt(one, "type") === type && textAt(one, "status") === "True",
        )
      return `${gates.filter((gate) => isTrue(textAt(gate, "conditionType"))).length}/${gates.length}`
    }),
  ],
  podtemplates: [
    NAME,
    ...templateColumns("template").map(always),
    column("Pod Labels", (object) => labelText(textsAt(object, "template", "metadata", "labels"))),
  ],
  replicationcontrollers: [
    NAME,
    column("Desired", number("spec", "replicas"), "integer"),
    column("Current", number("status", "replicas"), "integer"),
    column("Ready", number("status", "readyReplicas"), "integer"),
    AGE,
    ...templateColumns("spec", "template"),
    wide("Selector", (object) => labelText(textsAt(object, "spec", "selector"))),
  ],
  "replicasets.apps": [
    NAME,
    column("Desired", number("spec", "replicas"), "integer"),
    column("Current", number("status", "replicas"), "integer"),
    column("Ready", number("status", "readyReplicas"), "integer"),
    AGE,
    ...templateColumns("spec", "template"),
    SELECTOR,
  ],
  "deployments.apps": [
    NAME,
    column("Ready", deploymentReady),
    column("Up-to-date", number("status", "updatedReplicas"), "integer"),
    column("Available", number("status", "availableReplicas"), "integer"),
    AGE,
    ...templateColumns("spec", "template"),
    SELECTOR,
  ],
  "statefulsets.apps": [NAME, column("Ready", deploymentReady), AGE, ...templateColumns("spec", "template")],
  "daemonsets.apps": [
    NAME,
    column("Desired", number("status", "desiredNumberScheduled"), "integer"),
    column("Current", number("status", "currentNumberScheduled"), "integer"),
    column("Ready", number("status", "numberReady"), "integer"),
    column("Up-to-date", number("status", "updatedNumberScheduled"), "integer"),
    column("Available", number("status", "numberAvailable"), "integer"),
    column("Node Selector", (object) => labelText(textsAt(object, "spec", "template", "spec", "nodeSelector"))),
    AGE,
    ...templateColumns("spec", "template"),
    SELECTOR,
  ],
  "controllerrevisions.apps": [
    NAME,
    column("Controller", (object) => {
      const owner = listAt(object, "metadata", "ownerReferences").find((one) => at(one, "controller") === true)
      if (owner === undefined) return NONE
      const [group = ""] = textAt(owner, "apiVersion").split("/")
      return `${textAt(owner, "kind").toLowerCase()}.${group}/${textAt(owner, "name")}`
    }),
    column("Revision", number("revision"), "integer"),
    AGE,
  ],
  "jobs.batch": [
    NAME,
    column("Status", jobStatus),
    column("Completions", jobCompletions),
    column("Duration", jobDuration),
    AGE,
    ...templateColumns("spec", "template"),
    SELECTOR,
  ],
  "cronjobs.batch": [
    NAME,
    column("Schedule", text("spec", "schedule")),
    column("Timezone", orNone("spec", "timeZone")),
    column("Suspend", (object) => (at(object, "spec", "suspend") === true ? "True" : "False")),
    column("Active", (object) => listAt(object, "status", "active").length, "integer"),
    column("Last Schedule", (object) => {
      const last = textAt(object, "status", "lastScheduleTime")
      return last === "" ? NONE : ageOf(last)
    }),
    AGE,
    ...templateColumns("spec", "jobTemplate", "spec", "template"),
    wide("Selector", (object) => selectorText(at(object, "spec", "jobTemplate", "spec", "selector"))),
  ],
  "horizontalpodautoscalers.autoscaling": [
    NAME,
    column(
      "Reference",
      (object) =>
        `${textAt(object, "spec", "scaleTargetRef", "kind")}/${textAt(object, "spec", "scaleTargetRef", "name")}`,
    ),
    column("Targets", metricText),
    column("MinPods", (object) => numberAt(object, "spec", "minReplicas") ?? "<unset>"),
    column("MaxPods", number("spec", "maxReplicas"), "integer"),
    column("Replicas", number("status", "currentReplicas"), "integer"),
    AGE,
  ],
  services: [
    NAME,
    column("Type", text("spec", "type")),
    column("Cluster-IP", orNone("spec", "clusterIP")),
    column("External-IP", externalAddress),
    column("Port(s)", servicePorts),
    AGE,
    wide("Selector", (object) => labelText(textsAt(object, "spec", "selector"))),
  ],
  endpoints: [NAME, column("Endpoints", endpointText), AGE],
  "endpointslices.discovery.k8s.io": [
    NAME,
    column("AddressType", text("addressType")),
    column("Ports", (object) =>
      firstOf(listAt(object, "ports").map((port) => String(numberAt(port, "port") ?? "*"))).replace(NONE, "<unset>"),
    ),
    column("Endpoints", (object) =>
      firstOf(listAt(object, "endpoints").flatMap((one) => listAt(one, "addresses").map(String))).replace(
        NONE,
        "<unset>",
      ),
    ),
    AGE,
  ],
  "ingresses.networking.k8s.io": [
    NAME,
    column("Class", orNone("spec", "ingressClassName")),
    column("Hosts", hosts),
    column("Address", ingressAddress),
    column("Ports", (object) => (listAt(object, "spec", "tls").length > 0 ? "80, 443" : "80")),
    AGE,
  ],
  "ingressclasses.networking.k8s.io": [
    NAME,
    column("Controller", text("spec", "controller")),
    column("Parameters", (object) => {
      const parameters = treeAt(object, "spec", "parameters")
      const group = textAt(parameters, "apiGroup")
      return parameters["kind"] === undefined
        ? NONE
        : `${textAt(parameters, "kind")}${group === "" ? "" : `.${group}`}/${textAt(parameters, "name")}`
    }),
    AGE,
  ],
  "networkpolicies.networking.k8s.io": [
    NAME,
    column("Pod-Selector", (object) => selectorText(at(object, "spec", "podSelector"))),
    AGE,
  ],
  configmaps: [
    NAME,
    column(
      "Data",
      (object) => Object.keys(treeAt(object, "data")).length + Object.keys(treeAt(object, "binaryData")).length,
      "integer",
    ),
    AGE,
  ],
  secrets: [
    NAME,
    column("Type", text("type")),
    column("Data", (object) => Object.keys(treeAt(object, "data")).length, "integer"),
    AGE,
  ],
  serviceaccounts: [NAME, AGE],
  namespaces: [NAME, column("Status", text("status", "phase")), AGE],
  nodes: [
    NAME,
    column("Status", nodeStatus),
    column("Roles", nodeRoles),
    AGE,
    column("Version", text("status", "nodeInfo", "kubeletVersion")),
    wide("Internal-IP", nodeAddress("InternalIP")),
    wide("External-IP", nodeAddress("ExternalIP")),
    wide("OS-Image", orNone("status", "nodeInfo", "osImage")),
    wide("Kernel-Version", orNone("status", "nodeInfo", "kernelVersion")),
    wide("Container-Runtime", orNone("status", "nodeInfo", "containerRuntimeVersion")),
  ],
  persistentvolumes: [
    NAME,
    column("Capacity", text("spec", "capacity", "storage")),
    column("Access Modes", (object) => accessModes(listAt(object, "spec", "accessModes"))),
    column("Reclaim Policy", text("spec", "persistentVolumeReclaimPolicy")),
    column("Status", (object) =>
      textAt(object, "metadata", "deletionTimestamp") === "" ? textAt(object, "status", "phase") : "Terminating",
    ),
    column("Claim", (object) => {
      const claim = treeAt(object, "spec", "claimRef")
      return claim["name"] === undefined ? "" : `${textAt(claim, "namespace")}/${textAt(claim, "name")}`
    }),
    column("StorageClass", text("spec", "storageClassName")),
    column("VolumeAttributesClass", (object) => textAt(object, "spec", "volumeAttributesClassName") || "<unset>"),
    column("Reason", text("status", "reason")),
    AGE,
    wide("VolumeMode", orNone("spec", "volumeMode")),
  ],
  persistentvolumeclaims: [
    NAME,
    column("Status", (object) =>
      textAt(object, "metadata", "deletionTimestamp") === "" ? textAt(object, "status", "phase") : "Terminating",
    ),
    column("Volume", text("spec", "volumeName")),
    column("Capacity", (object) =>
      textAt(object, "spec", "volumeName") === "" ? "" : textAt(object, "status", "capacity", "storage"),
    ),
    column("Access Modes", (object) =>
      textAt(object, "spec", "volumeName") === "" ? "" : accessModes(listAt(object, "status", "accessModes")),
    ),
    column("StorageClass", text("spec", "storageClassName")),
    column("VolumeAttributesClass", (object) => textAt(object, "spec", "volumeAttributesClassName") || "<unset>"),
    AGE,
    wide("VolumeMode", orNone("spec", "volumeMode")),
  ],
  "storageclasses.storage.k8s.io": [
    column("Name", (object) => {
      const isDefault =
        textsAt(object, "metadata", "annotations")["storageclass.kubernetes.io/is-default-class"] === "true"
      return `${textAt(object, "metadata", "name")}${isDefault ? " (default)" : ""}`
    }),
    column("Provisioner", text("provisioner")),
    column("ReclaimPolicy", text("reclaimPolicy")),
    column("VolumeBindingMode", text("volumeBindingMode")),
    column("AllowVolumeExpansion", (object) => String(at(object, "allowVolumeExpansion") === true)),
    AGE,
  ],
  limitranges: [NAME, CREATED],
  resourcequotas: [NAME, column("Request", quotaText("requests")), column("Limit", quotaText("limits")), AGE],
  events: [
    column("Last Seen", eventTime),
    column("Type", text("type")),
    column("Reason", text("reason")),
    column("Object", eventObject),
    wide("Subobject", text("involvedObject", "fieldPath")),
    wide("Source", (object) => textAt(object, "source", "component") || textAt(object, "reportingComponent")),
    column("Message", (object) => textAt(object, "message").trim()),
    wide("First Seen", (object) => ageOf(textAt(object, "firstTimestamp") || textAt(object, "eventTime"))),
    wide("Count", (object) => numberAt(object, "count") ?? 1),
    wide("Name", text("metadata", "name")),
  ],
  "poddisruptionbudgets.policy": [
    NAME,
    column("Min Available", (object) => String(at(object, "spec", "minAvailable") ?? "N/A")),
    column("Max Unavailable", (object) => String(at(object, "spec", "maxUnavailable") ?? "N/A")),
    column("Allowed Disruptions", number("status", "disruptionsAllowed"), "integer"),
    AGE,
  ],
  "leases.coordination.k8s.io": [NAME, column("Holder", text("spec", "holderIdentity")), AGE],
  "priorityclasses.scheduling.k8s.io": [
    NAME,
    column("Value", number("value"), "integer"),
    column("Global-Default", (object) => String(at(object, "globalDefault") === true)),
    AGE,
    column("PreemptionPolicy", text("preemptionPolicy")),
  ],
  [`roles.${RBAC}`]: [NAME, CREATED],
  [`clusterroles.${RBAC}`]: [NAME, CREATED],
  [`rolebindings.${RBAC}`]: BINDING_COLUMNS,
  [`clusterrolebindings.${RBAC}`]: BINDING_COLUMNS,
  "customresourcedefinitions.apiextensions.k8s.io": [NAME, CREATED],
  "validatingwebhookconfigurations.admissionregistration.k8s.io": [
    NAME,
    column("Webhooks", (object) => listAt(object, "webhooks").length, "integer"),
    AGE,
  ],
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": [
    NAME,
    column("Webhooks", (object) => listAt(object, "webhooks").length, "integer"),
    AGE,
  ],
  "validatingadmissionpolicies.admissionregistration.k8s.io": [
    NAME,
    column("Validations", (object) => listAt(object, "spec", "validations").length, "integer"),
    column("ParamKind", (object) => textAt(object, "spec", "paramKind", "kind") || "<unset>"),
    AGE,
  ],
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": [
    NAME,
    column("PolicyName", text("spec", "policyName")),
    column("ParamRef", (object) => textAt(object, "spec", "paramRef", "name") || "<unset>"),
    AGE,
  ],
  "certificatesigningrequests.certificates.k8s.io": [
    NAME,
    AGE,
    column("SignerName", text("spec", "signerName")),
    column("Requestor", text("spec", "username")),
    column("RequestedDuration", requestedDuration),
    column("Condition", requestCondition),
  ],
  "gatewayclasses.gateway.networking.k8s.io": [NAME, column("Controller", text("spec", "controllerName")), AGE],
  "gateways.gateway.networking.k8s.io": [
    NAME,
    column("Class", text("spec", "gatewayClassName")),
    column("Address", (object) =>
      listAt(object, "status", "addresses")
        .map((one) => textAt(one, "value"))
        .join(","),
    ),
    AGE,
  ],
  "httproutes.gateway.networking.k8s.io": [
    NAME,
    column("Hostnames", (object) => {
      const names = listAt(object, "spec", "hostnames")
      return names.length === 0 ? "" : JSON.stringify(names)
    }),
    AGE,
  ],
}

/** What is shown of a resource; of one that nothing is known of its name and age. */
export function columnsOf(resource: string): readonly Column[] {
  return (Object.hasOwn(COLUMNS, resource) ? COLUMNS[resource] : undefined) ?? [NAME, AGE]
}

/** Of a kind that a CustomResourceDefinition makes: `additionalPrinterColumns`. */
export function customColumns(
  columns: readonly unknown[],
  read: (object: Tree, path: string) => unknown,
): readonly Column[] {
  const own = columns.filter(isTree).map((one) => customColumn(one, read))
  return own.length > 0 ? [NAME, ...own] : [NAME, AGE]
}

function customColumn(one: Tree, read: (object: Tree, path: string) => unknown): Column {
  const type = one["type"] === "date" ? "date" : one["type"] === "integer" ? "integer" : "string"
  return {
    name: textAt(one, "name"),
    type,
    ...((numberAt(one, "priority") ?? 0) > 0 && { isWide: true }),
    value(object) {
      const value = read(object, textAt(one, "jsonPath"))
      if (type === "date") return ageOf(value)
      return typeof value === "object" ? JSON.stringify(value) : value === undefined ? "" : String(value)
    },
  }
}

const HOUR_SECONDS = 3600

function requestedDuration(object: Tree): string {
  const seconds = at(object, "spec", "expirationSeconds")
  if (typeof seconds !== "number") return "<none>"
  if (seconds >= 2 * 24 * HOUR_SECONDS) return `${Math.floor(seconds / (24 * HOUR_SECONDS))}d`
  return seconds >= 2 * HOUR_SECONDS ? `${Math.floor(seconds / HOUR_SECONDS)}h` : `${Math.floor(seconds / 60)}m`
}

/** `Approved,Issued`, as kubectl has it. */
function requestCondition(object: Tree): string {
  const types = listAt(object, "status", "conditions").map((one) => textAt(one, "type"))
  const judged = types.find((one) => one === "Denied") ?? types.find((one) => one === "Approved") ?? "Pending"
  const failed = types.includes("Failed") ? ",Failed" : ""
  return `${judged}${failed}${textAt(object, "status", "certificate") === "" ? "" : ",Issued"}`
}
