import type { Container, ObjectFieldSelector, Pod, ResourceFieldSelector } from "kubernetes-types/core/v1"
import { fieldFault } from "./field-fault.ts"
import type { NodeFacts } from "./node-pod.ts"
import { parseMilli, parseQuantity } from "./quantity.ts"

const KEYED = /^metadata\.(labels|annotations)\['([^']{1,317})'\]$/

/** A field of the pod as the downward API gives it (kubernetes.io: Downward API). Throws InvalidArgument for one that it has not. Pure. */
export function fieldValue(
  { metadata = {}, spec }: Pod,
  facts: NodeFacts,
  selector: ObjectFieldSelector,
  path: string,
): string {
  const { fieldPath = "" } = selector
  const [, group, key = ""] = KEYED.exec(fieldPath) ?? []
  if (group !== undefined) {
    const values = (group === "labels" ? metadata.labels : metadata.annotations) ?? {}
    return Object.hasOwn(values, key) ? (values[key] ?? "") : ""
  }
  switch (fieldPath) {
    case "metadata.name":
      return metadata.name ?? ""
    case "metadata.namespace":
      return facts.namespace
    case "metadata.uid":
      return facts.uid
    case "metadata.labels":
      return keyedLines(metadata.labels)
    case "metadata.annotations":
      return keyedLines(metadata.annotations)
    case "spec.nodeName":
      return facts.nodeName
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "default"
    case "status.hostIP":
      return facts.hostIps[0] ?? ""
    case "status.hostIPs":
      return facts.hostIps.join(",")
    case "status.podIP":
    case "status.podIPs":
      if (facts.podIps === undefined) break
      return fieldPath === "status.podIP" ? (facts.podIps[0] ?? "") : facts.podIps.join(",")
  }
  throw fieldFault(path, `fieldPath ${fieldPath.slice(0, 100)} is either not valid or not supported`)
}

/** As a file of the downward API has them: sorted, values quoted. */
function keyedLines(values: Readonly<Record<string, string>> = {}): string {
  return Object.entries(values)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n")
}

const MEMORY_DIVISORS = new Set(["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"])
const CPU_DIVISORS = new Set(["1", "1m"])

/** A limit or request of a container, in units of the divisor, rounded up; without a limit it is the node's. Pure. */
export function resourceValue(
  container: Container,
  facts: NodeFacts,
  { resource = "", divisor = "1" }: Partial<ResourceFieldSelector>,
  path: string,
): string {
  const [, kind = "", name = ""] = /^(limits|requests)\.(.+)$/.exec(resource) ?? []
  const unit = divisor === "0" ? "1" : divisor
  if (name === "cpu") return ratio(cpuOf(container, kind, facts, path), unit, CPU_DIVISORS, path)
  if (name === "memory") return ratio(memoryOf(container, kind, facts, path), unit, MEMORY_DIVISORS, path)
  if (name.startsWith("hugepages-") || name === "ephemeral-storage") {
    const own = given(container, kind, name)
    return ratio(own === undefined ? 0 : parseQuantity(own, path), unit, MEMORY_DIVISORS, path)
  }
  throw fieldFault(path, `resource ${resource.slice(0, 100)} is either not valid or not supported`)
}

function ratio(value: number, divisor: string, valid: ReadonlySet<string>, path: string): string {
  if (!valid.has(divisor)) throw fieldFault(path, `divisor value ${divisor.slice(0, 20)} is not valid`)
  const units = value / parseQuantity(divisor, path)
  return String(Math.ceil(Number(units.toFixed(6))))
}

/** A request that is not said is the limit. */
function given({ resources }: Container, kind: string, name: string): string | undefined {
  const limit = resources?.limits?.[name]
  return kind === "limits" ? limit : (resources?.requests?.[name] ?? limit)
}

function cpuOf(container: Container, kind: string, { cpus }: NodeFacts, path: string): number {
  const own = given(container, kind, "cpu")
  const milli = own === undefined ? 0 : parseMilli(own, path)
  return milli === 0 ? cpus : milli / 1000
}

function memoryOf(container: Container, kind: string, { memoryBytes }: NodeFacts, path: string): number {
  const own = given(container, kind, "memory")
  return own === undefined ? memoryBytes : parseQuantity(own, path) || memoryBytes
}
