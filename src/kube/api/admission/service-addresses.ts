import { at, listAt, textAt, type Tree } from "../../field.ts"
import type { KubeObjects, StoredObject } from "../../objects/objects.ts"
import { invalid, type Cause } from "../status.ts"

/**
 * Throws Invalid for a Service that asks for an address, a port of the host or a port of an external address which another Service has: whoever is
 * looked at first would have the other's traffic (CVE-2020-8554). `before`: what it replaces, which keeps what it has.
 */
export function checkServiceAddresses(objects: KubeObjects, service: StoredObject | Tree, before?: Tree): void {
  const had = new Set(before === undefined ? [] : [...addressesOf(before), ...nodePortsOf(before)])
  const asked = [...addressesOf(service), ...nodePortsOf(service)].filter((one) => !had.has(one))
  const external = externalOf(service)
  if (asked.length === 0 && external.addresses.size === 0) return
  const name = textAt(service, "metadata", "name")
  const namespace = textAt(service, "metadata", "namespace") || "default"
  const hadExternal = externalOf(before ?? {})
  const causes: Cause[] = []
  const taken = new Set<string>()
  for (const other of objects.list("services").items) {
    if (other.metadata.name === name && (other.metadata.namespace ?? "default") === namespace) continue
    for (const one of addressesOf(other)) taken.add(one)
    for (const one of nodePortsOf(other)) taken.add(one)
    const shared = sharedExternal(external, externalOf(other), hadExternal)
    if (shared !== undefined)
      causes.push({
        reason: "FieldValueInvalid",
        field: "spec.externalIPs",
        message: `Invalid value: "${shared.address}": another Service has its port ${shared.port}`,
      })
  }
  causes.push(...asked.filter((one) => taken.has(one)).map(causeOf))
  if (causes.length > 0) throw invalid("Service", "", name, causes)
}

/** Each of its addresses with each of its ports (`80/TCP`): apart, as there may be many of both. */
interface External {
  addresses: ReadonlySet<string>
  ports: ReadonlySet<string>
}

function externalOf(service: Tree | StoredObject): External {
  const addresses = new Set(listAt(service, "spec", "externalIPs").map((one) => canonical(String(one))))
  const ports = addresses.size === 0 ? [] : listAt(service, "spec", "ports")
  return {
    addresses,
    ports: new Set(ports.map((port) => `${String(at(port, "port"))}/${textAt(port, "protocol") || "TCP"}`)),
  }
}

/** A port of an address that both have, and that the one had not before. */
function sharedExternal(
  asked: External,
  other: External,
  had: External,
): { address: string; port: string } | undefined {
  const addresses = [...asked.addresses].filter((one) => other.addresses.has(one))
  const ports = addresses.length === 0 ? [] : [...asked.ports].filter((one) => other.ports.has(one))
  const [newAddress, newPort] = [
    addresses.find((one) => !had.addresses.has(one)),
    ports.find((one) => !had.ports.has(one)),
  ]
  const [address, port] = [newAddress ?? addresses[0], newPort ?? ports[0]]
  if (address === undefined || port === undefined) return undefined
  return newAddress === undefined && newPort === undefined ? undefined : { address, port }
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
