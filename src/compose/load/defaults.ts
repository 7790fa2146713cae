import { isMap, type Tree, type TreeMap } from "./tree.ts"

/** Fills in what the specification says of keys that are not given, in place. */
export function setDefaults(tree: TreeMap): void {
  for (const service of mapsIn(tree["services"])) {
    const { build, secrets, ports, gpus, deploy } = service
    if (isMap(build)) build["context"] ??= "."
    for (const secret of mapsIn(secrets))
      if (typeof secret["source"] === "string") secret["target"] ??= `/run/secrets/${secret["source"]}`
    for (const port of mapsIn(ports)) setPortDefaults(port)
    for (const request of [...mapsIn(gpus), ...mapsIn(reservedDevices(deploy))]) setCount(request)
  }
}

function setPortDefaults(port: TreeMap): void {
  port["protocol"] ??= "tcp"
  port["mode"] ??= "ingress"
}

/** All there are, where neither a number nor names are given. */
function setCount(request: TreeMap): void {
  if (request["count"] === undefined && request["device_ids"] === undefined) request["count"] = "all"
}

function reservedDevices(deploy: Tree | undefined): Tree | undefined {
  const resources = isMap(deploy) ? deploy["resources"] : undefined
  const reservations = isMap(resources) ? resources["reservations"] : undefined
  return isMap(reservations) ? reservations["devices"] : undefined
}

/** Those values of a list or map that are maps. */
export function mapsIn(value: Tree | undefined): TreeMap[] {
  if (Array.isArray(value)) return value.filter(isMap)
  return isMap(value) ? Object.values(value).filter(isMap) : []
}
