import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import type { Faults } from "./faults.ts"
import { configKeyFault, dnsLabelFault } from "./names.ts"
import { canonical, checkPort } from "./pod.ts"
import { immutable } from "./workloads.ts"

/** Of a ConfigMap or Secret. */
const MAX_DATA_BYTES = 1_048_576
const [FIRST_NODE_PORT, LAST_NODE_PORT] = [30_000, 32_767]

/** v1 ConfigMap and Secret. */
export function checkData(object: Tree, before: Tree | undefined, faults: Faults): void {
  let bytes = 0
  for (const key of ["data", "binaryData"])
    for (const [name, text] of Object.entries(textsAt(object, key))) {
      const fault = configKeyFault(name)
      if (fault !== undefined) faults.invalid(`${key}[${name}]`, name, fault)
      bytes += Buffer.byteLength(text)
    }
  if (bytes > MAX_DATA_BYTES) faults.tooLong("", `must have at most ${MAX_DATA_BYTES} bytes`)
  if (before?.["immutable"] !== true) return
  if (object["immutable"] !== true) faults.forbidden("immutable", "field is immutable when `immutable` is set")
  for (const key of ["data", "binaryData"])
    if (canonical(treeAt(object, key)) !== canonical(treeAt(before, key)))
      faults.forbidden(key, "field is immutable when `immutable` is set")
}

/** Keys that Secrets of some types must have. */
const SECRET_KEYS: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
}

/** v1 Secret. */
export function checkSecret(object: Tree, before: Tree | undefined, faults: Faults): void {
  checkData(object, before, faults)
  for (const key of SECRET_KEYS[textAt(object, "type")] ?? [])
    if (at(object, "data", key) === undefined) faults.required(`data[${key}]`)
  immutable(object, before, ["type"], faults)
}

/** v1 Service. */
export function checkService(object: Tree, before: Tree | undefined, faults: Faults): void {
  const spec = treeAt(object, "spec")
  const type = textAt(spec, "type")
  const isHeadless = textAt(spec, "clusterIP") === "None"
  const ports = listAt(spec, "ports")
  if (ports.length === 0 && !isHeadless && type !== "ExternalName") faults.required("spec.ports")
  const names = new Set<string>()
  const numbers = new Set<string>()
  for (const [index, port] of ports.entries()) {
    const path = `spec.ports[${index}]`
    const name = textAt(port, "name")
    const fault = name === "" ? undefined : dnsLabelFault(name)
    if (name === "" && ports.length > 1) faults.required(`${path}.name`)
    else if (fault !== undefined) faults.invalid(`${path}.name`, name, fault)
    else if (names.has(name)) faults.duplicate(`${path}.name`, name)
    names.add(name)
    checkPort(numberAt(port, "port") ?? 0, `${path}.port`, faults)
    const target = at(port, "targetPort")
    if (typeof target === "number") checkPort(target, `${path}.targetPort`, faults)
    const key = `${numberAt(port, "port")}/${textAt(port, "protocol")}`
    if (numbers.has(key)) faults.duplicate(path, port)
    numbers.add(key)
    const nodePort = numberAt(port, "nodePort") ?? 0
    if (nodePort === 0) continue
    if (type === "ClusterIP") faults.forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'")
    else if (nodePort < FIRST_NODE_PORT || nodePort > LAST_NODE_PORT)
      faults.invalid(
        `${path}.nodePort`,
        nodePort,
        `provided port is not in the valid range. The range of valid ports is ${FIRST_NODE_PORT}-${LAST_NODE_PORT}`,
      )
  }
  if (type === "ExternalName" && textAt(spec, "externalName") === "") faults.required("spec.externalName")
  const before4 = textAt(before, "spec", "clusterIP")
  if (before4 !== "" && type !== "ExternalName" && textAt(before, "spec", "type") !== "ExternalName")
    immutable(object, before, ["spec", "clusterIP"], faults)
}

/** v1 PersistentVolumeClaim. */
export function checkClaim(object: Tree, before: Tree | undefined, faults: Faults): void {
  if (listAt(object, "spec", "accessModes").length === 0)
    faults.required("spec.accessModes", "at least 1 access mode is required")
  if (at(object, "spec", "resources", "requests", "storage") === undefined) faults.required("spec.resources[storage]")
  if (before === undefined) return
  const fixed = (claim: Tree): string => {
    const { resources: _, volumeName: __, ...rest } = treeAt(claim, "spec")
    return canonical({ ...rest, ...(at(before, "spec", "volumeName") !== undefined && { volumeName: __ }) })
  }
  if (fixed(object) !== fixed(before))
    faults.forbidden(
      "spec",
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
    )
}

/** v1 PersistentVolume. */
export function checkVolume(object: Tree, faults: Faults): void {
  if (listAt(object, "spec", "accessModes").length === 0) faults.required("spec.accessModes")
  if (at(object, "spec", "capacity") === undefined) faults.required("spec.capacity")
}

/** networking.k8s.io/v1 Ingress. */
export function checkIngress(object: Tree, faults: Faults): void {
  const rules = listAt(object, "spec", "rules")
  const fallback = at(object, "spec", "defaultBackend")
  if (rules.length === 0 && fallback === undefined)
    faults.invalid("spec", treeAt(object, "spec"), "either `defaultBackend` or `rules` must be specified")
  for (const [index, rule] of rules.entries())
    for (const [at2, path] of listAt(rule, "http", "paths").entries()) {
      const here = `spec.rules[${index}].http.paths[${at2}]`
      const type = textAt(path, "pathType")
      if (type === "") faults.required(`${here}.pathType`, "pathType must be specified")
      const text = textAt(path, "path")
      if (type !== "ImplementationSpecific" && type !== "" && !text.startsWith("/"))
        faults.invalid(`${here}.path`, text, "must be an absolute path")
      checkBackend(treeAt(path, "backend"), `${here}.backend`, faults)
    }
  if (isTree(fallback)) checkBackend(fallback, "spec.defaultBackend", faults)
}

function checkBackend(backend: Tree, path: string, faults: Faults): void {
  const service = backend["service"]
  if (service === undefined && backend["resource"] === undefined)
    return faults.required(path, "port name or number is required")
  if (!isTree(service)) return
  if (textAt(service, "name") === "") faults.required(`${path}.service.name`)
  const port = treeAt(service, "port")
  if (port["name"] === undefined && port["number"] === undefined)
    faults.required(path, "port name or number is required")
}

/** rbac.authorization.k8s.io/v1 bindings. */
export function checkBinding(object: Tree, before: Tree | undefined, faults: Faults): void {
  if (textAt(object, "roleRef", "name") === "") faults.required("roleRef.name")
  immutable(object, before, ["roleRef"], faults, "cannot change roleRef")
  for (const [index, subject] of listAt(object, "subjects").entries()) {
    const path = `subjects[${index}]`
    if (textAt(subject, "name") === "") faults.required(`${path}.name`)
    if (textAt(subject, "kind") === "ServiceAccount" && textAt(subject, "namespace") === "")
      faults.required(`${path}.namespace`)
  }
}

/** rbac.authorization.k8s.io/v1 roles. */
export function checkRole(object: Tree, faults: Faults): void {
  for (const [index, rule] of listAt(object, "rules").entries()) {
    const path = `rules[${index}]`
    if (listAt(rule, "verbs").length === 0) faults.required(`${path}.verbs`, "verbs must contain at least one value")
    const hasUrls = listAt(rule, "nonResourceURLs").length > 0
    if (!hasUrls && listAt(rule, "resources").length === 0)
      faults.required(`${path}.resources`, "resource rules must supply at least one resource")
  }
}

/** apiextensions.k8s.io/v1. */
export function checkCustomDefinition(object: Tree, faults: Faults): void {
  const expected = `${textAt(object, "spec", "names", "plural")}.${textAt(object, "spec", "group")}`
  const name = textAt(object, "metadata", "name")
  if (name !== expected) faults.invalid("metadata.name", name, `must be spec.names.plural+"."+spec.group`)
  const versions = listAt(object, "spec", "versions")
  if (versions.filter((one) => at(one, "storage") === true).length !== 1)
    faults.invalid("spec.versions", versions, "must have exactly one version marked as storage version")
}

/** scheduling.k8s.io/v1. */
export function checkPriorityClass(object: Tree, before: Tree | undefined, faults: Faults): void {
  const value = numberAt(object, "value") ?? 0
  if (value > 1_000_000_000 && !textAt(object, "metadata", "name").startsWith("system-"))
    faults.forbidden("value", "maximum allowed value of a user defined priority is 1000000000")
  if (before !== undefined && numberAt(before, "value") !== numberAt(object, "value"))
    faults.forbidden("value", "may not be changed in an update.")
}
