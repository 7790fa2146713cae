import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import type { Lines } from "./lines.ts"
import { time } from "./time.ts"

/** What `describe pod` says. */
export function describePod(lines: Lines, pod: Tree): void {
  const spec = treeAt(pod, "spec")
  lines.pair("Name", textAt(pod, "metadata", "name"))
  lines.pair("Namespace", textAt(pod, "metadata", "namespace"))
  lines.pair("Priority", numberAt(spec, "priority") ?? 0)
  lines.pair("Service Account", textAt(spec, "serviceAccountName"))
  const host = textAt(pod, "status", "hostIP")
  lines.pair(
    "Node",
    textAt(spec, "nodeName") === "" ? "<none>" : `${textAt(spec, "nodeName")}${host === "" ? "" : `/${host}`}`,
  )
  const started = at(pod, "status", "startTime")
  if (started !== undefined) lines.pair("Start Time", time(started))
  lines.map("Labels", textsAt(pod, "metadata", "labels"))
  lines.map("Annotations", textsAt(pod, "metadata", "annotations"), ": ")
  const isEnding = textAt(pod, "metadata", "deletionTimestamp") !== ""
  lines.pair(
    "Status",
    isEnding ? `Terminating (since ${time(at(pod, "metadata", "deletionTimestamp"))})` : textAt(pod, "status", "phase"),
  )
  for (const key of ["reason", "message"]) {
    const text = textAt(pod, "status", key)
    if (text !== "")
      lines.pair(
        key.replace(/^./, (letter) => letter.toUpperCase()),
        text,
      )
  }
  lines.pair("IP", textAt(pod, "status", "podIP"))
  const addresses = listAt(pod, "status", "podIPs").map((one) => textAt(one, "ip"))
  if (addresses.length === 0) lines.pair("IPs", "<none>")
  else {
    lines.line("IPs:")
    for (const ip of addresses) lines.pair("IP", ip, 1)
  }
  const owner = listAt(pod, "metadata", "ownerReferences").find((one) => at(one, "controller") === true)
  if (owner !== undefined) lines.pair("Controlled By", `${textAt(owner, "kind")}/${textAt(owner, "name")}`)
  containers(
    lines,
    "Init Containers",
    listAt(spec, "initContainers"),
    listAt(pod, "status", "initContainerStatuses"),
    0,
  )
  containers(lines, "Containers", listAt(spec, "containers"), listAt(pod, "status", "containerStatuses"), 0)
  containers(
    lines,
    "Ephemeral Containers",
    listAt(spec, "ephemeralContainers"),
    listAt(pod, "status", "ephemeralContainerStatuses"),
    0,
  )
  const all = listAt(pod, "status", "conditions")
  if (all.length > 0)
    lines.section("Conditions", [["Type", "Status"], ...all.map((one) => [textAt(one, "type"), textAt(one, "status")])])
  volumes(lines, spec, 0)
  lines.pair("QoS Class", textAt(pod, "status", "qosClass"))
  placement(lines, spec, 0)
}

/** Which nodes it wants, and bears. */
function placement(lines: Lines, spec: Tree, level: number): void {
  lines.map("Node-Selectors", textsAt(spec, "nodeSelector"), "=", level)
  lines.texts(
    "Tolerations",
    listAt(spec, "tolerations").map((one) => {
      const key = [textAt(one, "key"), textAt(one, "value")].filter((text) => text !== "").join("=")
      const seconds = numberAt(one, "tolerationSeconds")
      return `${key}${textAt(one, "effect") === "" ? "" : `:${textAt(one, "effect")}`}${textAt(one, "operator") === "Exists" ? " op=Exists" : ""}${seconds === undefined ? "" : ` for ${seconds}s`}`
    }),
    level,
  )
}

/** The pods that a controller makes. */
export function describeTemplate(lines: Lines, template: Tree): void {
  lines.line("Pod Template:")
  const labels = Object.entries(textsAt(template, "metadata", "labels")).map(([key, value]) => `${key}=${value}`)
  lines.texts("Labels", labels.toSorted(), 1)
  const annotations = textsAt(template, "metadata", "annotations")
  if (Object.keys(annotations).length > 0) lines.map("Annotations", annotations, ": ", 1)
  const spec = treeAt(template, "spec")
  const account = textAt(spec, "serviceAccountName")
  if (account !== "") lines.pair("Service Account", account, 1)
  containers(lines, "Init Containers", listAt(spec, "initContainers"), [], 1)
  containers(lines, "Containers", listAt(spec, "containers"), [], 1)
  volumes(lines, spec, 1)
  placement(lines, spec, 1)
}

function containers(
  lines: Lines,
  head: string,
  all: readonly unknown[],
  statuses: readonly unknown[],
  level: number,
): void {
  if (all.length === 0) return
  lines.line(`${head}:`, level)
  for (const container of all) {
    const status = statuses.find((one) => textAt(one, "name") === textAt(container, "name"))
    lines.line(`${textAt(container, "name")}:`, level + 1)
    describeContainer(lines, container, status, level + 2)
  }
}

function describeContainer(lines: Lines, container: unknown, status: unknown, level: number): void {
  if (status !== undefined) lines.pair("Container ID", textAt(status, "containerID"), level)
  lines.pair("Image", textAt(container, "image"), level)
  if (status !== undefined) lines.pair("Image ID", textAt(status, "imageID"), level)
  const ports = listAt(container, "ports")
  const text = (key: string): string =>
    ports
      .map((port) => {
        const name = textAt(port, "name")
        return `${numberAt(port, key) ?? 0}/${textAt(port, "protocol")}${name === "" ? "" : ` (${name})`}`
      })
      .join(", ")
  lines.pair(ports.length > 1 ? "Ports" : "Port", ports.length === 0 ? "<none>" : text("containerPort"), level)
  lines.pair(ports.length > 1 ? "Host Ports" : "Host Port", ports.length === 0 ? "<none>" : text("hostPort"), level)
  for (const key of ["command", "args"]) {
    const words = listAt(container, key)
    if (words.length === 0) continue
    lines.line(`${key === "command" ? "Command" : "Args"}:`, level)
    for (const word of words) lines.line(String(word), level + 1)
  }
  if (status !== undefined) {
    state(lines, "State", treeAt(status, "state"), level)
    if (Object.keys(treeAt(status, "lastState")).length > 0)
      state(lines, "Last State", treeAt(status, "lastState"), level)
    lines.pair("Ready", at(status, "ready") === true ? "True" : "False", level)
    lines.pair("Restart Count", numberAt(status, "restartCount") ?? 0, level)
  }
  for (const kind of ["limits", "requests"]) {
    const amounts = Object.entries(treeAt(container, "resources", kind))
    if (amounts.length > 0)
      lines.section(
        kind === "limits" ? "Limits" : "Requests",
        amounts.map(([name, amount]) => [`${name}:`, String(amount)]),
        level,
      )
  }
  for (const [key, head] of [
    ["livenessProbe", "Liveness"],
    ["readinessProbe", "Readiness"],
    ["startupProbe", "Startup"],
  ] as const) {
    const probe = at(container, key)
    if (isTree(probe)) lines.pair(head, probeText(probe), level)
  }
  const from = listAt(container, "envFrom").map((one) => {
    const isSecret = at(one, "secretRef") !== undefined
    const optional = at(one, isSecret ? "secretRef" : "configMapRef", "optional") === true
    return [
      textAt(one, isSecret ? "secretRef" : "configMapRef", "name"),
      isSecret ? "Secret" : "ConfigMap",
      `Optional: ${optional}`,
    ]
  })
  if (from.length > 0) lines.section("Environment Variables from", from, level)
  lines.section(
    "Environment",
    listAt(container, "env").map((one) => [`${textAt(one, "name")}:`, environmentText(one)]),
    level,
  )
  lines.section(
    "Mounts",
    listAt(container, "volumeMounts").map((mount) => [
      `${textAt(mount, "mountPath")} from ${textAt(mount, "name")} (${at(mount, "readOnly") === true ? "ro" : "rw"}${textAt(mount, "subPath") === "" ? "" : `,path="${textAt(mount, "subPath")}"`})`,
    ]),
    level,
  )
}

function environmentText(variable: unknown): string {
  const source = treeAt(variable, "valueFrom")
  for (const [key, what] of [
    ["secretKeyRef", "secret"],
    ["configMapKeyRef", "config map"],
  ] as const)
    if (source[key] !== undefined)
      return `<set to the key '${textAt(source, key, "key")}' ${key === "secretKeyRef" ? "in" : "of"} ${what} '${textAt(source, key, "name")}'>  Optional: ${at(source, key, "optional") === true}`
  if (source["fieldRef"] !== undefined) return `(v1:${textAt(source, "fieldRef", "fieldPath")})`
  if (source["resourceFieldRef"] !== undefined) return `(${textAt(source, "resourceFieldRef", "resource")})`
  return textAt(variable, "value")
}

function state(lines: Lines, head: string, value: Tree, level: number): void {
  const running = value["running"]
  const waiting = value["waiting"]
  const ended = value["terminated"]
  if (isTree(running)) {
    lines.pair(head, "Running", level)
    lines.pair("Started", time(running["startedAt"]), level + 1)
  } else if (isTree(ended)) {
    lines.pair(head, "Terminated", level)
    if (textAt(ended, "reason") !== "") lines.pair("Reason", textAt(ended, "reason"), level + 1)
    if (textAt(ended, "message") !== "") lines.pair("Message", textAt(ended, "message"), level + 1)
    lines.pair("Exit Code", numberAt(ended, "exitCode") ?? 0, level + 1)
    lines.pair("Started", time(ended["startedAt"]), level + 1)
    lines.pair("Finished", time(ended["finishedAt"]), level + 1)
  } else {
    lines.pair(head, "Waiting", level)
    if (textAt(waiting, "reason") !== "") lines.pair("Reason", textAt(waiting, "reason"), level + 1)
  }
}

function probeText(probe: Tree): string {
  const times = `delay=${numberAt(probe, "initialDelaySeconds") ?? 0}s timeout=${numberAt(probe, "timeoutSeconds") ?? 1}s period=${numberAt(probe, "periodSeconds") ?? 10}s #success=${numberAt(probe, "successThreshold") ?? 1} #failure=${numberAt(probe, "failureThreshold") ?? 3}`
  const get = probe["httpGet"]
  if (isTree(get))
    return `http-get ${textAt(get, "scheme").toLowerCase()}://${textAt(get, "host")}:${String(get["port"])}${textAt(get, "path")} ${times}`
  if (isTree(probe["exec"])) return `exec [${listAt(probe, "exec", "command").join(" ")}] ${times}`
  if (isTree(probe["tcpSocket"]))
    return `tcp-socket ${textAt(probe, "tcpSocket", "host")}:${String(at(probe, "tcpSocket", "port"))} ${times}`
  return `grpc <pod>:${String(at(probe, "grpc", "port"))} ${textAt(probe, "grpc", "service")} ${times}`
}

const VOLUME_TYPES: Readonly<Record<string, string>> = {
  emptyDir: "EmptyDir (a temporary directory that shares a pod's lifetime)",
  hostPath: "HostPath (bare host directory volume)",
  configMap: "ConfigMap (a volume populated by a ConfigMap)",
  secret: "Secret (a volume populated by a Secret)",
  persistentVolumeClaim: "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
  projected: "Projected (a volume that contains injected data from multiple sources)",
  downwardAPI: "DownwardAPI (a volume populated by information about the pod)",
  image: "Image (a container image or OCI artifact)",
}

function volumes(lines: Lines, spec: Tree, level: number): void {
  const all = listAt(spec, "volumes").filter(isTree)
  if (all.length === 0) return lines.pair("Volumes", "<none>", level)
  lines.line("Volumes:", level)
  for (const volume of all) {
    lines.line(`${textAt(volume, "name")}:`, level + 1)
    const [key = "", source] = Object.entries(volume).find(([name]) => name !== "name") ?? []
    describeSource(lines, key, source, level + 2)
    if (key === "projected") projected(lines, source, level + 2)
  }
}

/** What kubectl says of each source of a projected volume. */
function projected(lines: Lines, volume: unknown, level: number): void {
  for (const source of listAt(volume, "sources").filter(isTree)) {
    const [key = "", own] = Object.entries(source)[0] ?? []
    const optional = String(at(own, "optional") === true)
    if (key === "secret") {
      lines.pair("SecretName", textAt(own, "name"), level)
      lines.pair("Optional", optional, level)
    } else if (key === "configMap") {
      lines.pair("ConfigMapName", textAt(own, "name"), level)
      lines.pair("Optional", optional, level)
    } else if (key === "downwardAPI") lines.pair("DownwardAPI", "true", level)
    else if (key === "serviceAccountToken")
      lines.pair("TokenExpirationSeconds", String(at(own, "expirationSeconds") ?? 3600), level)
  }
}

const TITLES: Readonly<Record<string, string>> = {
  path: "Path",
  name: "Name",
  secretName: "SecretName",
  claimName: "ClaimName",
  medium: "Medium",
  sizeLimit: "SizeLimit",
  readOnly: "ReadOnly",
  optional: "Optional",
  reference: "Reference",
}

/** Of what a volume is made: of a pod, or one that is kept. */
export function describeSource(lines: Lines, key: string, source: unknown, level: number): void {
  lines.pair("Type", VOLUME_TYPES[key] ?? key, level)
  const unsaid: Readonly<Record<string, unknown>> = {
    ...((key === "configMap" || key === "secret") && { optional: false }),
    ...(key === "persistentVolumeClaim" && { readOnly: false }),
    ...(key === "emptyDir" && { medium: "", sizeLimit: "<unset>" }),
  }
  for (const [field, title] of Object.entries(TITLES)) {
    const value = at(source, field) ?? unsaid[field]
    if (value !== undefined) lines.pair(title, value, level)
  }
  if (key === "hostPath") lines.pair("HostPathType", textAt(source, "type"), level)
}
