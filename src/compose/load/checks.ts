import { isIpAddress } from "../../spec/docker/ip-address.ts"
import { fault } from "./fault.ts"
import { isMap, originAt, originIn, type Origin, type Tree, type TreeMap } from "./tree.ts"

/** What the schema cannot say of values in their long form. Throws InvalidArgument. */
export function checkValues(tree: TreeMap): void {
  for (const [name, volume] of entriesOf(tree["volumes"])) checkVolume(name, volume)
  for (const [name, secret] of entriesOf(tree["secrets"]))
    checkFileObject(`secrets.${name}`, secret, ["file", "environment"], tree)
  for (const [name, config] of entriesOf(tree["configs"]))
    checkFileObject(`configs.${name}`, config, ["file", "environment", "content"], tree)
  for (const [name, service] of entriesOf(tree["services"])) checkService(`services.${name}`, service)
}

function checkService(path: string, service: TreeMap): void {
  for (const port of itemsOf(service["ports"])) {
    const { host_ip: address } = port
    if (typeof address === "string" && address !== "" && !isIpAddress(address))
      throw fault(`${path}.ports.[]: invalid ip address: ${address}`, originIn(port, "host_ip"))
  }
  for (const request of itemsOf(service["gpus"])) checkDeviceRequest(`${path}.gpus.[]`, request)
  for (const request of itemsOf(below(service, "deploy", "resources", "reservations", "devices")))
    checkDeviceRequest(`${path}.deploy.resources.reservations.devices.[]`, request)
  for (const rule of itemsOf(below(service, "develop", "watch")))
    if (rule["path"] === "") throw fault(`${path}.develop.watch.[].path: value can't be blank`, originIn(rule, "path"))
}

function checkDeviceRequest(path: string, request: TreeMap): void {
  if (request["count"] !== undefined && request["device_ids"] !== undefined)
    throw fault(`${path}: "count" and "device_ids" attributes are exclusive`, originIn(request, "count"))
}

/** An external volume has nothing but its name. */
function checkVolume(name: string, volume: TreeMap): void {
  if (volume["external"] !== true) return
  for (const key of Object.keys(volume))
    if (key !== "name" && key !== "external" && !key.startsWith("x-"))
      throw fault(`volumes.${name}: conflicting parameters "external" and "${key}" specified`, originIn(volume, key))
}

/** What a secret or config holds comes from one place. */
function checkFileObject(path: string, object: TreeMap, sources: readonly string[], tree: TreeMap): void {
  const { external, driver } = object
  if (external !== undefined && external !== false) return
  const given = sources.filter((source) => Object.hasOwn(object, source))
  if (given.length > 1)
    throw fault(`${path}: ${sources.join("|")} attributes are mutually exclusive`, originIn(object, given[1] ?? ""))
  if (given.length === 0 && driver === undefined)
    throw fault(`${path}: one of ${sources.join("|")} must be set`, placeOf(tree, path))
}

function placeOf(tree: TreeMap, path: string): Origin | undefined {
  const [section = "", ...name] = path.split(".")
  return originAt(tree, [section, name.join(".")])
}

function entriesOf(value: Tree | undefined): [string, TreeMap][] {
  if (!isMap(value)) return []
  return Object.entries(value).flatMap(([name, one]) => (isMap(one) ? [[name, one]] : []))
}

function itemsOf(value: Tree | undefined): TreeMap[] {
  return Array.isArray(value) ? value.filter(isMap) : []
}

function below(tree: TreeMap, ...path: readonly string[]): Tree | undefined {
  let at: Tree | undefined = tree
  for (const key of path) at = isMap(at) ? at[key] : undefined
  return at
}
