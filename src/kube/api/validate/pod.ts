import { at, isTree, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { quantityValue } from "../../quantity.ts"
import { qosClass } from "../defaults/pod.ts"
import type { Faults } from "./faults.ts"
import { dnsLabelFault, dnsSubdomainFault, portNameFault } from "./names.ts"

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]

/** A pod's spec, also that of a template. `path`: `spec` or `spec.template.spec`. */
export function checkPodSpec(spec: Tree, path: string, faults: Faults): void {
  const volumes = checkVolumes(spec, `${path}.volumes`, faults)
  const names = new Set<string>()
  if (listAt(spec, "containers").length === 0) faults.required(`${path}.containers`)
  for (const key of ["initContainers", "containers", "ephemeralContainers"])
    for (const [index, container] of listAt(spec, key).entries())
      if (isTree(container)) checkContainer(container, `${path}.${key}[${index}]`, { names, volumes, faults })
  const host = textAt(spec, "hostname")
  const hostFault = host === "" ? undefined : dnsLabelFault(host)
  if (hostFault !== undefined) faults.invalid(`${path}.hostname`, host, hostFault)
  for (const key of ["terminationGracePeriodSeconds", "activeDeadlineSeconds"]) {
    const seconds = numberAt(spec, key)
    if (seconds === undefined || seconds >= (key === "activeDeadlineSeconds" ? 1 : 0)) continue
    faults.invalid(
      `${path}.${key}`,
      seconds,
      key === "activeDeadlineSeconds"
        ? "must be between 1 and 2147483647, inclusive"
        : "must be greater than or equal to 0",
    )
  }
  if (spec["dnsPolicy"] === "None" && listAt(spec, "dnsConfig", "nameservers").length === 0)
    faults.required(
      `${path}.dnsConfig.nameservers`,
      "must provide at least one DNS nameserver when `dnsPolicy` is None",
    )
  if (spec["hostPID"] === true && spec["shareProcessNamespace"] === true)
    faults.invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled")
}

function checkVolumes(spec: Tree, path: string, faults: Faults): Set<string> {
  const names = new Set<string>()
  for (const [index, volume] of listAt(spec, "volumes").entries()) {
    if (!isTree(volume)) continue
    const here = `${path}[${index}]`
    const name = textAt(volume, "name")
    const fault = dnsLabelFault(name)
    if (name === "") faults.required(`${here}.name`)
    else if (fault !== undefined) faults.invalid(`${here}.name`, name, fault)
    else if (names.has(name)) faults.duplicate(`${here}.name`, name)
    names.add(name)
    const sources = Object.keys(volume).filter((key) => key !== "name")
    for (const more of sources.slice(1)) faults.forbidden(`${here}.${more}`, "may not specify more than 1 volume type")
    const hostPath = textAt(volume, "hostPath", "path")
    if (volume["hostPath"] !== undefined && hostPath === "") faults.required(`${here}.hostPath.path`)
    // without a slash it would be the name of any volume of the engine
    else if (volume["hostPath"] !== undefined && !hostPath.startsWith("/"))
      faults.invalid(`${here}.hostPath.path`, hostPath, "must be an absolute path")
    if (hostPath.split("/").includes("..")) faults.invalid(`${here}.hostPath.path`, hostPath, "must not contain '..'")
    if (volume["secret"] !== undefined && textAt(volume, "secret", "secretName") === "")
      faults.required(`${here}.secret.secretName`)
    if (volume["configMap"] !== undefined && textAt(volume, "configMap", "name") === "")
      faults.required(`${here}.configMap.name`)
    if (volume["persistentVolumeClaim"] !== undefined && textAt(volume, "persistentVolumeClaim", "claimName") === "")
      faults.required(`${here}.persistentVolumeClaim.claimName`)
  }
  return names
}

interface Around {
  names: Set<string>
  volumes: ReadonlySet<string>
  faults: Faults
}

function checkContainer(container: Tree, path: string, { names, volumes, faults }: Around): void {
  const name = textAt(container, "name")
  const fault = dnsLabelFault(name)
  if (name === "") faults.required(`${path}.name`)
  else if (fault !== undefined) faults.invalid(`${path}.name`, name, fault)
  else if (names.has(name)) faults.duplicate(`${path}.name`, name)
  names.add(name)
  const image = textAt(container, "image")
  if (image === "") faults.required(`${path}.image`)
  else if (image !== image.trim())
    faults.invalid(`${path}.image`, image, "must not have leading or trailing whitespace")
  checkPorts(container, `${path}.ports`, faults)
  for (const [index, variable] of listAt(container, "env").entries()) {
    const key = textAt(variable, "name")
    if (key === "") faults.required(`${path}.env[${index}].name`)
    else if (key.includes("="))
      faults.invalid(
        `${path}.env[${index}].name`,
        key,
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      )
    const source = treeAt(variable, "valueFrom")
    if (textAt(variable, "value") !== "" && Object.keys(source).length > 0)
      faults.invalid(`${path}.env[${index}].valueFrom`, "", "may not be specified when `value` is not empty")
  }
  checkMounts(container, `${path}.volumeMounts`, volumes, faults)
  checkResources(treeAt(container, "resources"), `${path}.resources`, faults)
  for (const key of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = container[key]
    if (isTree(probe)) checkProbe(probe, `${path}.${key}`, key !== "readinessProbe", faults)
  }
  for (const key of ["postStart", "preStop"]) {
    const hook = treeAt(container, "lifecycle")[key]
    if (isTree(hook)) checkHandler(hook, `${path}.lifecycle.${key}`, faults)
  }
}

function checkPorts(container: Tree, path: string, faults: Faults): void {
  const names = new Set<string>()
  for (const [index, port] of listAt(container, "ports").entries()) {
    const here = `${path}[${index}]`
    const name = textAt(port, "name")
    const fault = name === "" ? undefined : portNameFault(name)
    if (fault !== undefined) faults.invalid(`${here}.name`, name, fault)
    else if (name !== "" && names.has(name)) faults.duplicate(`${here}.name`, name)
    names.add(name)
    const number = numberAt(port, "containerPort")
    if (number === undefined || number === 0) faults.required(`${here}.containerPort`)
    else checkPort(number, `${here}.containerPort`, faults)
    const hostPort = numberAt(port, "hostPort")
    if (hostPort !== undefined && hostPort !== 0) checkPort(hostPort, `${here}.hostPort`, faults)
  }
}

/** 1 to 65535. */
export function checkPort(number: number, path: string, faults: Faults): void {
  if (number < 1 || number > 65_535) faults.invalid(path, number, "must be between 1 and 65535, inclusive")
}

function checkMounts(container: Tree, path: string, volumes: ReadonlySet<string>, faults: Faults): void {
  const paths = new Set<string>()
  for (const [index, mount] of listAt(container, "volumeMounts").entries()) {
    const here = `${path}[${index}]`
    const name = textAt(mount, "name")
    if (name === "") faults.required(`${here}.name`)
    else if (!volumes.has(name)) faults.notFound(`${here}.name`, name)
    const target = textAt(mount, "mountPath")
    if (target === "") faults.required(`${here}.mountPath`)
    else if (target.includes(":")) faults.invalid(`${here}.mountPath`, target, "must not contain ':'")
    else if (paths.has(target)) faults.invalid(`${here}.mountPath`, target, "must be unique")
    paths.add(target)
    if (
      textAt(mount, "mountPropagation") === "Bidirectional" &&
      at(container, "securityContext", "privileged") !== true
    )
      faults.forbidden(
        `${here}.mountPropagation`,
        "Bidirectional mount propagation is available only to privileged containers",
      )
    for (const key of ["subPath", "subPathExpr"]) {
      const part = textAt(mount, key)
      if (part.startsWith("/")) faults.invalid(`${here}.${key}`, part, "must be a relative path")
      if (part.split("/").includes("..")) faults.invalid(`${here}.${key}`, part, "must not contain '..'")
    }
  }
}

function checkResources(resources: Tree, path: string, faults: Faults): void {
  const limits = treeAt(resources, "limits")
  const requests = treeAt(resources, "requests")
  for (const [kind, amounts] of [
    ["limits", limits],
    ["requests", requests],
  ] as const)
    for (const [name, amount] of Object.entries(amounts))
      if (quantityValue(String(amount)) < 0)
        faults.invalid(`${path}.${kind}[${name}]`, String(amount), "must be greater than or equal to 0")
  for (const [name, amount] of Object.entries(requests)) {
    const limit = limits[name]
    if (limit !== undefined && quantityValue(String(amount)) > quantityValue(String(limit)))
      faults.invalid(
        `${path}.requests`,
        String(amount),
        `must be less than or equal to ${name} limit of ${String(limit)}`,
      )
  }
}

function checkProbe(probe: Tree, path: string, mustSucceedOnce: boolean, faults: Faults): void {
  checkHandler(probe, path, faults)
  for (const key of [
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
  ]) {
    const value = numberAt(probe, key)
    if (value !== undefined && value < 0) faults.invalid(`${path}.${key}`, value, "must be greater than or equal to 0")
  }
  const successes = numberAt(probe, "successThreshold")
  if (mustSucceedOnce && successes !== undefined && successes !== 1)
    faults.invalid(`${path}.successThreshold`, successes, "must be 1")
}

function checkHandler(handler: Tree, path: string, faults: Faults): void {
  const found = HANDLERS.filter((key) => handler[key] !== undefined)
  if (found.length === 0) faults.required(path, "must specify a handler type")
  for (const more of found.slice(1)) faults.forbidden(`${path}.${more}`, "may not specify more than 1 handler type")
  if (handler["exec"] !== undefined && listAt(handler, "exec", "command").length === 0)
    faults.required(`${path}.exec.command`)
  for (const key of ["httpGet", "tcpSocket", "grpc"]) {
    const port = treeAt(handler, key)["port"]
    if (typeof port === "number") checkPort(port, `${path}.${key}.port`, faults)
    else if (typeof port === "string" && portNameFault(port) !== undefined)
      faults.invalid(`${path}.${key}.port`, port, portNameFault(port) ?? "")
  }
}

/** Fields of a pod's spec that may change. Ephemeral containers come by a part of their own. */
const FREE = ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName", "schedulingGates"]

/** A pod that is kept changes in few fields. */
export function checkPodUpdate(object: Tree, before: Tree, faults: Faults): void {
  if (fixedPart(object) === fixedPart(before)) return
  faults.forbidden(
    "spec",
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
  )
}

function fixedPart(pod: Tree): string {
  const spec = structuredClone(treeAt(pod, "spec"))
  for (const key of ["containers", "initContainers"])
    for (const container of listAt(spec, key)) if (isTree(container)) delete container["image"]
  for (const free of FREE) delete spec[free]
  return canonical(spec)
}

/** What a resize may change: CPU and memory, without another class of service (core/v1, ValidatePodResize). */
export function checkResize(object: Tree, before: Tree, faults: Faults): void {
  if (qosClass(treeAt(object, "spec")) !== qosClass(treeAt(before, "spec")))
    faults.invalid("spec", qosClass(treeAt(object, "spec")), "Pod QOS Class may not change as a result of resizing")
  for (const key of ["containers", "initContainers"]) {
    const old = new Map(listAt(before, "spec", key).map((one) => [textAt(one, "name"), one]))
    for (const [index, one] of listAt(object, "spec", key).entries()) {
      const was = old.get(textAt(one, "name"))
      const isFixed = key === "initContainers" && textAt(one, "restartPolicy") !== "Always"
      for (const kind of ["limits", "requests"]) {
        const path = `spec.${key}[${index}].resources.${kind}`
        const [now, then] = [textsAt(one, "resources", kind), textsAt(was, "resources", kind)]
        for (const name of new Set([...Object.keys(now), ...Object.keys(then)])) {
          if (String(now[name]) === String(then[name])) continue
          if (isFixed) faults.forbidden(path, "resources of non-sidecar init containers may not be changed")
          else if (name !== "cpu" && name !== "memory")
            faults.forbidden(path, "only cpu and memory resources are mutable")
          else if (now[name] === undefined) faults.forbidden(path, `resource ${kind} cannot be removed`)
        }
      }
    }
  }
}

/** JSON with its keys in order. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`
  if (!isTree(value)) return JSON.stringify(value) ?? "null"
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join(",")}}`
}

/** Of a reference by name. */
export function checkReference(name: string, path: string, faults: Faults): void {
  const fault = name === "" ? undefined : dnsSubdomainFault(name)
  if (fault !== undefined) faults.invalid(path, name, fault)
}
