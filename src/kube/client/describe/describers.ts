import { selectorText } from "../../api/selectors.ts"
import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import type { KubeClient } from "../kube-client.ts"
import { humanDuration } from "../../api/tables/age.ts"
import { time } from "./time.ts"
import type { Lines } from "./lines.ts"
import { describeAutoscaler, describeBudget } from "./autoscaler.ts"
import { describeLimits, describeNamespace, describeQuota } from "./limits.ts"
import { describePolicy, describeSlice } from "./networks.ts"
import { describeNode } from "./node.ts"
import { describePod, describeTemplate } from "./pod.ts"
import { describeClaim, describeStorageClass, describeVolume } from "./storage.ts"

type Describer = (lines: Lines, object: Tree, client: KubeClient) => void | Promise<void>

function labelText(labels: Readonly<Record<string, string>>): string {
  const all = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return all.length === 0 ? "<none>" : all.map(([key, value]) => `${key}=${value}`).join(",")
}

function conditions(lines: Lines, object: Tree): void {
  const all = listAt(object, "status", "conditions")
  if (all.length === 0) return
  lines.section("Conditions", [
    ["Type", "Status", "Reason"],
    ["----", "------", "------"],
    ...all.map((one) => [textAt(one, "type"), textAt(one, "status"), textAt(one, "reason")]),
  ])
}

/** Pods of a controller by how they are. */
async function podStates(client: KubeClient, object: Tree): Promise<string> {
  const kind = await client.kindNamed("pods")
  const namespace = textAt(object, "metadata", "namespace")
  const { items } = await client.list(kind, { namespace, labelSelector: selectorQuery(at(object, "spec", "selector")) })
  const count = (phase: string): number => items.filter((pod) => textAt(pod, "status", "phase") === phase).length
  return `${count("Running")} Running / ${count("Pending")} Waiting / ${count("Succeeded")} Succeeded / ${count("Failed")} Failed`
}

function selectorQuery(selector: unknown): string {
  const text = selectorText(selector)
  return text === "<none>" ? "" : text
}

const deployment: Describer = async (lines, object, client) => {
  const { metadata, spec, status } = {
    metadata: treeAt(object, "metadata"),
    spec: treeAt(object, "spec"),
    status: treeAt(object, "status"),
  }
  lines.pair("Name", metadata["name"])
  lines.pair("Namespace", metadata["namespace"])
  lines.pair("CreationTimestamp", time(metadata["creationTimestamp"]))
  lines.map("Labels", textsAt(metadata, "labels"))
  lines.map("Annotations", textsAt(metadata, "annotations"), ": ")
  lines.pair("Selector", selectorText(spec["selector"]))
  const count = (key: string): number => numberAt(status, key) ?? 0
  lines.pair(
    "Replicas",
    `${numberAt(spec, "replicas") ?? 0} desired | ${count("updatedReplicas")} updated | ${count("replicas")} total | ${count("availableReplicas")} available | ${count("unavailableReplicas")} unavailable`,
  )
  lines.pair("StrategyType", textAt(spec, "strategy", "type"))
  lines.pair("MinReadySeconds", numberAt(spec, "minReadySeconds") ?? 0)
  const rolling = treeAt(spec, "strategy", "rollingUpdate")
  if (Object.keys(rolling).length > 0)
    lines.pair(
      "RollingUpdateStrategy",
      `${String(rolling["maxUnavailable"])} max unavailable, ${String(rolling["maxSurge"])} max surge`,
    )
  describeTemplate(lines, treeAt(spec, "template"))
  conditions(lines, object)
  const sets = await client.list(await client.kindNamed("replicasets.apps"), {
    namespace: textAt(metadata, "namespace"),
    labelSelector: selectorQuery(spec["selector"]),
  })
  const own = sets.items
    .filter((set) =>
      listAt(set, "metadata", "ownerReferences").some((owner) => textAt(owner, "uid") === textAt(metadata, "uid")),
    )
    .toSorted((a, b) => revision(a) - revision(b))
  const newest = own.at(-1)
  lines.pair("OldReplicaSets", own.length > 1 ? own.slice(0, -1).map(setText).join(", ") : "<none>")
  lines.pair("NewReplicaSet", newest === undefined ? "<none>" : setText(newest))
}

function setText(set: Tree): string {
  return `${textAt(set, "metadata", "name")} (${numberAt(set, "status", "replicas") ?? 0}/${numberAt(set, "spec", "replicas") ?? 0} replicas created)`
}

function revision(set: Tree): number {
  return Number(textsAt(set, "metadata", "annotations")["deployment.kubernetes.io/revision"] ?? 0)
}

/** ReplicaSet, StatefulSet, DaemonSet, ReplicationController. */
const controller: Describer = async (lines, object, client) => {
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.pair("Namespace", textAt(object, "metadata", "namespace"))
  const selector = at(object, "spec", "selector")
  const isPlain =
    isTree(selector) && selector["matchLabels"] === undefined && selector["matchExpressions"] === undefined
  const isDaemonSet = textAt(object, "kind") === "DaemonSet"
  if (textAt(object, "kind") === "StatefulSet")
    lines.pair("CreationTimestamp", time(at(object, "metadata", "creationTimestamp")))
  lines.pair("Selector", isPlain ? labelText(textsAt(object, "spec", "selector")) : selectorText(selector))
  if (isDaemonSet) lines.pair("Node-Selector", labelText(textsAt(object, "spec", "template", "spec", "nodeSelector")))
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  const owner = listAt(object, "metadata", "ownerReferences").find((one) => at(one, "controller") === true)
  if (owner !== undefined) lines.pair("Controlled By", `${textAt(owner, "kind")}/${textAt(owner, "name")}`)
  const count = (key: string): number => numberAt(object, "status", key) ?? 0
  if (isDaemonSet) {
    lines.line(`Desired Number of Nodes Scheduled: ${count("desiredNumberScheduled")}`)
    lines.line(`Current Number of Nodes Scheduled: ${count("currentNumberScheduled")}`)
    lines.line(`Number of Nodes Scheduled with Up-to-date Pods: ${count("updatedNumberScheduled")}`)
    lines.line(`Number of Nodes Scheduled with Available Pods: ${count("numberAvailable")}`)
    lines.line(`Number of Nodes Misscheduled: ${count("numberMisscheduled")}`)
  } else if (textAt(object, "kind") === "StatefulSet") {
    lines.pair("Replicas", `${numberAt(object, "spec", "replicas") ?? 0} desired | ${count("replicas")} total`)
    lines.pair("Update Strategy", textAt(object, "spec", "updateStrategy", "type"))
    const partition = numberAt(object, "spec", "updateStrategy", "rollingUpdate", "partition")
    if (partition !== undefined) lines.pair("Partition", partition, 1)
  } else
    lines.pair(
      "Replicas",
      `${numberAt(object, "status", "replicas") ?? 0} current / ${numberAt(object, "spec", "replicas") ?? 0} desired`,
    )
  if (!isPlain) lines.pair("Pods Status", await podStates(client, object))
  describeTemplate(lines, treeAt(object, "spec", "template"))
  if (textAt(object, "kind") === "StatefulSet") claimTemplates(lines, listAt(object, "spec", "volumeClaimTemplates"))
}

function claimTemplates(lines: Lines, claims: readonly unknown[]): void {
  if (claims.length === 0) return lines.pair("Volume Claims", "<none>")
  lines.line("Volume Claims:")
  for (const claim of claims) {
    lines.pair("Name", textAt(claim, "metadata", "name"), 1)
    lines.pair("StorageClass", textAt(claim, "spec", "storageClassName"), 1)
    lines.map("Labels", textsAt(claim, "metadata", "labels"), "=", 1)
    lines.map("Annotations", textsAt(claim, "metadata", "annotations"), ": ", 1)
    lines.pair("Capacity", textAt(claim, "spec", "resources", "requests", "storage"), 1)
    lines.pair("Access Modes", `[${listAt(claim, "spec", "accessModes").join(" ")}]`, 1)
  }
}

const job: Describer = (lines, object) => {
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.pair("Namespace", textAt(object, "metadata", "namespace"))
  lines.pair("Selector", selectorText(at(object, "spec", "selector")))
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  lines.pair("Parallelism", numberAt(object, "spec", "parallelism") ?? "<unset>")
  lines.pair("Completions", numberAt(object, "spec", "completions") ?? "<unset>")
  lines.pair("Completion Mode", textAt(object, "spec", "completionMode"))
  lines.pair("Suspend", at(object, "spec", "suspend") === true)
  lines.pair("Backoff Limit", numberAt(object, "spec", "backoffLimit"))
  const started = at(object, "status", "startTime")
  if (started !== undefined) lines.pair("Start Time", time(started))
  const ended = at(object, "status", "completionTime")
  if (ended !== undefined) lines.pair("Completed At", time(ended))
  if (typeof started === "string" && typeof ended === "string")
    lines.pair("Duration", humanDuration(Date.parse(ended) - Date.parse(started)))
  const count = (key: string): number => numberAt(object, "status", key) ?? 0
  lines.pair(
    "Pods Statuses",
    `${count("active")} Active (${count("ready")} Ready) / ${count("succeeded")} Succeeded / ${count("failed")} Failed`,
  )
  describeTemplate(lines, treeAt(object, "spec", "template"))
}

const cronJob: Describer = (lines, object) => {
  lines.name(object)
  lines.pair("Schedule", textAt(object, "spec", "schedule"))
  lines.pair("Concurrency Policy", textAt(object, "spec", "concurrencyPolicy"))
  lines.pair("Suspend", at(object, "spec", "suspend") === true ? "True" : "False")
  lines.pair("Successful Job History Limit", numberAt(object, "spec", "successfulJobsHistoryLimit"))
  lines.pair("Failed Job History Limit", numberAt(object, "spec", "failedJobsHistoryLimit"))
  const deadline = numberAt(object, "spec", "startingDeadlineSeconds")
  lines.pair("Starting Deadline Seconds", deadline === undefined ? "<unset>" : `${deadline}s`)
  const template = treeAt(object, "spec", "jobTemplate", "spec")
  lines.pair("Selector", template["selector"] === undefined ? "<unset>" : selectorText(template["selector"]))
  lines.pair("Parallelism", numberAt(template, "parallelism") ?? "<unset>")
  lines.pair("Completions", numberAt(template, "completions") ?? "<unset>")
  describeTemplate(lines, treeAt(template, "template"))
  const last = at(object, "status", "lastScheduleTime")
  lines.pair("Last Schedule Time", last === undefined ? "<unset>" : time(last))
  lines.pair(
    "Active Jobs",
    listAt(object, "status", "active")
      .map((one) => textAt(one, "name"))
      .join(", ") || "<none>",
  )
}

const service: Describer = async (lines, object, client) => {
  lines.name(object)
  const spec = treeAt(object, "spec")
  lines.pair("Selector", labelText(textsAt(spec, "selector")))
  lines.pair("Type", textAt(spec, "type"))
  lines.pair("IP Family Policy", textAt(spec, "ipFamilyPolicy") || "<none>")
  lines.pair("IP Families", listAt(spec, "ipFamilies").join(",") || "<none>")
  lines.pair("IP", textAt(spec, "clusterIP"))
  lines.pair("IPs", listAt(spec, "clusterIPs").join(",") || "<none>")
  if (textAt(spec, "externalName") !== "") lines.pair("External Name", textAt(spec, "externalName"))
  const ingress = listAt(object, "status", "loadBalancer", "ingress").map(
    (one) => textAt(one, "ip") || textAt(one, "hostname"),
  )
  if (ingress.length > 0) lines.pair("LoadBalancer Ingress", ingress.join(", "))
  const endpoints = await endpointsOf(client, object)
  for (const port of listAt(spec, "ports")) {
    const name = textAt(port, "name") || "<unset>"
    lines.pair("Port", `${name}  ${numberAt(port, "port")}/${textAt(port, "protocol")}`)
    lines.pair("TargetPort", `${String(at(port, "targetPort"))}/${textAt(port, "protocol")}`)
    const node = numberAt(port, "nodePort")
    if (node !== undefined) lines.pair("NodePort", `${name}  ${node}/${textAt(port, "protocol")}`)
    lines.pair("Endpoints", endpoints(textAt(port, "name")))
  }
  lines.pair("Session Affinity", textAt(spec, "sessionAffinity"))
  if (textAt(spec, "externalTrafficPolicy") !== "")
    lines.pair("External Traffic Policy", textAt(spec, "externalTrafficPolicy"))
  if (textAt(spec, "internalTrafficPolicy") !== "")
    lines.pair("Internal Traffic Policy", textAt(spec, "internalTrafficPolicy"))
}

async function endpointsOf(client: KubeClient, object: Tree): Promise<(port: string) => string> {
  const kind = await client.kindNamed("endpointslices.discovery.k8s.io")
  const { items } = await client.list(kind, {
    namespace: textAt(object, "metadata", "namespace"),
    labelSelector: `kubernetes.io/service-name=${textAt(object, "metadata", "name")}`,
  })
  return (name) => {
    const all = items.flatMap((slice) => {
      const number = listAt(slice, "ports").find((port) => textAt(port, "name") === name)
      const ready = listAt(slice, "endpoints").filter((one) => at(one, "conditions", "ready") !== false)
      return number === undefined
        ? []
        : ready.flatMap((one) =>
            listAt(one, "addresses").map((address) => `${String(address)}:${numberAt(number, "port")}`),
          )
    })
    if (all.length <= 3) return all.join(",")
    return `${all.slice(0, 3).join(",")} + ${all.length - 3} more...`
  }
}

const configMap: Describer = (lines, object) => {
  lines.name(object)
  lines.line("")
  lines.line("Data")
  lines.line("====")
  for (const [key, text] of Object.entries(textsAt(object, "data")).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    lines.line(`${key}:`)
    lines.line("----")
    lines.line(text)
    lines.line("")
  }
  lines.line("")
  lines.line("BinaryData")
  lines.line("====")
  for (const [key, text] of Object.entries(textsAt(object, "binaryData")))
    lines.line(`${key}: ${Buffer.from(text, "base64").length} bytes`)
  lines.line("")
}

/** Sizes alone: what they hold is nobody's. */
const secret: Describer = (lines, object) => {
  lines.name(object)
  lines.line("")
  lines.pair("Type", textAt(object, "type"))
  lines.line("")
  lines.line("Data")
  lines.line("====")
  for (const [key, text] of Object.entries(textsAt(object, "data")).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    lines.pair(key, `${Buffer.from(text, "base64").length} bytes`)
}

function backend(one: unknown): string {
  return `${textAt(one, "service", "name")}:${String(at(one, "service", "port", "number") ?? at(one, "service", "port", "name") ?? "")}`
}

const ingress: Describer = async (lines, object, client) => {
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.pair("Namespace", textAt(object, "metadata", "namespace"))
  lines.pair(
    "Address",
    listAt(object, "status", "loadBalancer", "ingress")
      .map((one) => textAt(one, "ip") || textAt(one, "hostname"))
      .join(","),
  )
  lines.pair("Ingress Class", textAt(object, "spec", "ingressClassName") || "<none>")
  const fallback = at(object, "spec", "defaultBackend")
  lines.pair("Default backend", fallback === undefined ? "<default>" : backend(fallback))
  const tls = listAt(object, "spec", "tls")
  if (tls.length > 0) {
    lines.line("TLS:")
    for (const one of tls) {
      const secretName = textAt(one, "secretName")
      const hosts = listAt(one, "hosts").join(",")
      lines.line(`${secretName === "" ? "SNI routes" : `${secretName} terminates`} ${hosts}`, 1)
    }
  }
  const rows: string[][] = []
  for (const rule of listAt(object, "spec", "rules")) {
    rows.push([textAt(rule, "host") || "*", "", ""])
    for (const path of listAt(rule, "http", "paths"))
      rows.push(["", textAt(path, "path"), await reachedBackend(client, object, at(path, "backend"))])
  }
  lines.section("Rules", [["Host", "Path", "Backends"], ["----", "----", "--------"], ...rows])
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
}

/** A backend with the addresses that are behind it. */
async function reachedBackend(client: KubeClient, of: Tree, one: unknown): Promise<string> {
  const name = textAt(one, "service", "name")
  const namespace = textAt(of, "metadata", "namespace")
  if (name === "") return backend(one)
  const found = await client.find(await client.kindNamed("services"), name, namespace)
  if (found === undefined) return `${backend(one)} (<error: services "${name}" not found>)`
  const wanted = at(one, "service", "port", "number") ?? at(one, "service", "port", "name")
  const port = listAt(found, "spec", "ports").find((each) => [at(each, "port"), at(each, "name")].includes(wanted))
  return `${backend(one)} (${(await endpointsOf(client, found))(textAt(port, "name"))})`
}

const role: Describer = (lines, object) => {
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  const rows = listAt(object, "rules").flatMap((rule) =>
    listAt(rule, "resources").flatMap((resource) =>
      listAt(rule, "apiGroups").map((group) => [
        `${String(resource)}${group === "" ? "" : `.${String(group)}`}`,
        `[${listAt(rule, "nonResourceURLs").join(" ")}]`,
        `[${listAt(rule, "resourceNames").join(" ")}]`,
        `[${listAt(rule, "verbs").join(" ")}]`,
      ]),
    ),
  )
  lines.section("PolicyRule", [
    ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"],
    ["---------", "-----------------", "--------------", "-----"],
    ...rows,
  ])
}

const roleBinding: Describer = (lines, object) => {
  lines.pair("Name", textAt(object, "metadata", "name"))
  lines.map("Labels", textsAt(object, "metadata", "labels"))
  lines.map("Annotations", textsAt(object, "metadata", "annotations"), ": ")
  lines.line("Role:")
  lines.pair("Kind", textAt(object, "roleRef", "kind"), 1)
  lines.pair("Name", textAt(object, "roleRef", "name"), 1)
  lines.section("Subjects", [
    ["Kind", "Name", "Namespace"],
    ["----", "----", "---------"],
    ...listAt(object, "subjects").map((one) => [textAt(one, "kind"), textAt(one, "name"), textAt(one, "namespace")]),
  ])
}

const serviceAccount: Describer = (lines, object) => {
  lines.name(object)
  lines.texts(
    "Image pull secrets",
    listAt(object, "imagePullSecrets").map((one) => textAt(one, "name")),
  )
}

const ingressClass: Describer = (lines, object) => {
  lines.name(object)
  lines.pair("Controller", textAt(object, "spec", "controller"))
}

const RBAC = "rbac.authorization.k8s.io"

/** By resource; what is not here is told field by field. */
export const describers: Readonly<Record<string, Describer>> = {
  pods: describePod,
  "deployments.apps": deployment,
  "replicasets.apps": controller,
  "statefulsets.apps": controller,
  "daemonsets.apps": controller,
  replicationcontrollers: controller,
  "jobs.batch": job,
  "cronjobs.batch": cronJob,
  services: service,
  configmaps: configMap,
  secrets: secret,
  persistentvolumeclaims: describeClaim,
  persistentvolumes: describeVolume,
  "storageclasses.storage.k8s.io": describeStorageClass,
  namespaces: describeNamespace,
  resourcequotas: describeQuota,
  limitranges: describeLimits,
  nodes: describeNode,
  serviceaccounts: serviceAccount,
  "networkpolicies.networking.k8s.io": describePolicy,
  "endpointslices.discovery.k8s.io": describeSlice,
  "ingressclasses.networking.k8s.io": ingressClass,
  "horizontalpodautoscalers.autoscaling": describeAutoscaler,
  "poddisruptionbudgets.policy": describeBudget,
  "ingresses.networking.k8s.io": ingress,
  [`roles.${RBAC}`]: role,
  [`clusterroles.${RBAC}`]: role,
  [`rolebindings.${RBAC}`]: roleBinding,
  [`clusterrolebindings.${RBAC}`]: roleBinding,
}

/** Of these kubectl tells no events. */
export const WITHOUT_EVENTS: ReadonlySet<string> = new Set([
  "events",
  "secrets",
  "namespaces",
  "resourcequotas",
  "limitranges",
  "networkpolicies",
  "roles",
  "clusterroles",
  "rolebindings",
  "clusterrolebindings",
])
