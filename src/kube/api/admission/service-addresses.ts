import { at, listAt, textAt, type Tree } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { invalid, type Cause } from "../status.ts"

/**
 * Throws Invalid for a Service that asks for an address or a port of the host which another Service has: whoever is looked at first would
 * have the other's traffic. `before`: what it replaces, which keeps what it has.
 */
export function checkServiceAddresses(objects: KubeObjects, service: StoredObject | Tree, before?: Tree): void {
  const had = new Set(before === undefined ? [] : [...addressesOf(before), ...nodePortsOf(before)])
  const asked = [...addressesOf(service), ...nodePortsOf(service)].filter((one) => !had.has(one))
  if (asked.length === 0) return
  const name = textAt(service, "metadata", "name")
  const namespace = textAt(service, "metadata", "namespace") || "default"
  const taken = new Set<string>()
  for (const other of objects.list("services").items) {
    if (other.metadata.name === name && (other.metadata.namespace ?? "default") === namespace) continue
    for (const one of addressesOf(other)) taken.add(one)
    for (const one of nodePortsOf(other)) taken.add(one)
  }
  const causes = asked.filter((one) => taken.has(one)).map(causeOf)
  if (causes.length > 0) throw invalid("Service", "", name, causes)
}

function causeOf(text: string): Cause {
  const [, port] = / (\d+)$/.exec(text) ?? []
  return {
    reason: "FieldValueInvalid",
    field: port === undefined ? "spec.clusterIPs" : "spec.ports.nodePort",
    message:
      port === undefined
        ? `Invalid value: ["${text}"]: failed to allocate IP ${text}: provided IP is already allocated`
        : `Invalid value: ${port}: provided port is already allocated`,
  }
}

function addressesOf(service: Tree | StoredObject): string[] {
  const all = [textAt(service, "spec", "clusterIP"), ...listAt(service, "spec", "clusterIPs").map(String)]
  return [...new Set(all.filter((one) => one !== "" && one !== "None").map(canonical))]
}

/** One form of each address. */
function canonical(address: string): string {
  if (!address.includes(":")) return address
  try {
    return new URL(`http://[${address}]/`).hostname.slice(1, -1)
  } catch {
    return address
  }
}

/** `TCP 30080`. */
function nodePortsOf(service: Tree | StoredObject): string[] {
  return listAt(service, "spec", "ports").flatMap((port) => {
    const number = at(port, "nodePort")
    return typeof number === "number" && number > 0 ? [`${textAt(port, "protocol") || "TCP"} ${number}`] : []
  })
}
