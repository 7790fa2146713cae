import { textAt, treeAt, type Tree } from "../../field.ts"
import { fill, ifUnder, items, under } from "./fill.ts"

const DEFAULT_MODE = 0o644
const TOKEN_SECONDS = 3600
/** Keys of a volume that say what it is. */
const NO_SOURCE = new Set(["name"])

/** Of a pod's spec, and of that in a template (SetDefaults_PodSpec and its neighbours). Changes `spec`. */
export function fillPodSpec(spec: Tree): void {
  fill(spec, {
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
    schedulerName: "default-scheduler",
  })
  if (spec["serviceAccountName"] !== undefined) fill(spec, { serviceAccount: spec["serviceAccountName"] })
  else if (spec["serviceAccount"] !== undefined) spec["serviceAccountName"] = spec["serviceAccount"]
  for (const key of ["containers", "initContainers", "ephemeralContainers"])
    for (const container of items(spec, key)) fillContainer(container, spec["hostNetwork"] === true)
  for (const volume of items(spec, "volumes")) fillVolume(volume)
}

/** What a pod has besides, and a template has not (SetDefaults_Pod). Changes `pod`. */
export function fillPod(pod: Tree): void {
  const spec = under(pod, "spec")
  fillPodSpec(spec)
  fill(spec, { enableServiceLinks: true })
  for (const key of ["containers", "initContainers"])
    for (const container of items(spec, key)) {
      const resources = under(container, "resources")
      const limits = treeAt(resources, "limits")
      if (Object.keys(limits).length > 0) fill(under(resources, "requests"), limits)
    }
  fill(pod, { status: { phase: "Pending", qosClass: qosClass(spec) } })
}

/** Burstable where anything is asked for; Guaranteed where all have limits of both that are what they request. */
export function qosClass(spec: Tree): string {
  const all = [...items(spec, "containers"), ...items(spec, "initContainers")]
  const resources = ["cpu", "memory"]
  if (
    all.every((one) =>
      resources.every((name) => isNothing(asksFor("requests", name, one)) && isNothing(asksFor("limits", name, one))),
    )
  )
    return "BestEffort"
  const isGuaranteed = all.every((one) =>
    resources.every((name) => {
      const limit = asksFor("limits", name, one)
      return !isNothing(limit) && asksFor("requests", name, one) === limit
    }),
  )
  return isGuaranteed ? "Guaranteed" : "Burstable"
}

function asksFor(kind: string, resource: string, container: Tree): string {
  return String(treeAt(container, "resources", kind)[resource] ?? "0")
}

function isNothing(text: string): boolean {
  return Number.parseFloat(text) === 0
}

function fillContainer(container: Tree, isOnHost: boolean): void {
  fill(container, {
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: pullPolicy(textAt(container, "image")),
  })
  for (const port of items(container, "ports")) {
    fill(port, { protocol: "TCP" })
    if (isOnHost) fill(port, { hostPort: port["containerPort"] })
  }
  for (const variable of items(container, "env")) {
    const source = ifUnder(variable, "valueFrom")
    const fieldRef = source && ifUnder(source, "fieldRef")
    if (fieldRef) fill(fieldRef, { apiVersion: "v1" })
    const resourceRef = source && ifUnder(source, "resourceFieldRef")
    if (resourceRef) fill(resourceRef, { divisor: "0" })
  }
  for (const key of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = ifUnder(container, key)
    if (!probe) continue
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
    fillHandler(probe)
  }
  const lifecycle = ifUnder(container, "lifecycle")
  for (const key of ["postStart", "preStop"]) {
    const hook = lifecycle && ifUnder(lifecycle, key)
    if (hook) fillHandler(hook)
  }
}

function fillHandler(handler: Tree): void {
  const get = ifUnder(handler, "httpGet")
  if (get) fill(get, { path: "/", scheme: "HTTP" })
  const grpc = ifUnder(handler, "grpc")
  if (grpc) fill(grpc, { service: "" })
}

/** Always for `latest`, said or not; what has a digest never changes. */
export function pullPolicy(image: string): "Always" | "IfNotPresent" {
  if (image.includes("@")) return "IfNotPresent"
  const name = image.slice(image.lastIndexOf("/") + 1)
  const tag = name.includes(":") ? name.slice(name.indexOf(":") + 1) : "latest"
  return tag === "latest" ? "Always" : "IfNotPresent"
}

function fillVolume(volume: Tree): void {
  if (Object.keys(volume).every((key) => NO_SOURCE.has(key))) volume["emptyDir"] = {}
  for (const key of ["secret", "configMap", "projected", "downwardAPI"]) {
    const source = ifUnder(volume, key)
    if (source) fill(source, { defaultMode: DEFAULT_MODE })
  }
  const hostPath = ifUnder(volume, "hostPath")
  if (hostPath) fill(hostPath, { type: "" })
  const image = ifUnder(volume, "image")
  if (image) fill(image, { pullPolicy: pullPolicy(textAt(image, "reference")) })
  const claim = ifUnder(volume, "ephemeral")
  const template = claim && ifUnder(claim, "volumeClaimTemplate")
  const spec = template && ifUnder(template, "spec")
  if (spec) fill(spec, { volumeMode: "Filesystem" })
  fillDownward(ifUnder(volume, "downwardAPI"))
  const projected = ifUnder(volume, "projected")
  for (const source of projected ? items(projected, "sources") : []) {
    fillDownward(ifUnder(source, "downwardAPI"))
    const token = ifUnder(source, "serviceAccountToken")
    if (token) fill(token, { expirationSeconds: TOKEN_SECONDS })
  }
}

function fillDownward(source: Tree | undefined): void {
  for (const item of source ? items(source, "items") : []) {
    const fieldRef = ifUnder(item, "fieldRef")
    if (fieldRef) fill(fieldRef, { apiVersion: "v1" })
    const resourceRef = ifUnder(item, "resourceFieldRef")
    if (resourceRef) fill(resourceRef, { divisor: "0" })
  }
}
