import { place } from "./copy-tree.ts"
import { mapsIn } from "./defaults.ts"
import { showScalar } from "./go-scalar.ts"
import { copyOrigin, isMap, type Tree, type TreeMap } from "./tree.ts"
import { cleanTarget } from "./volume-text.ts"

/** Of the project. */
export interface NormalizeContext {
  name: string
  environment: Readonly<Record<string, string>>
}

/** Names, networks and dependencies that files leave out, in place. Safe to repeat. */
export function normalize(tree: TreeMap, { name, environment }: NormalizeContext): void {
  tree["name"] = name
  addDefaultNetwork(tree)
  for (const service of mapsIn(tree["services"])) normalizeService(service, environment)
  for (const section of ["networks", "volumes", "configs", "secrets"]) nameResources(tree, section, name)
}

function normalizeService(service: TreeMap, environment: Readonly<Record<string, string>>): void {
  const { build, volumes } = service
  if (service["pull_policy"] === "if_not_present") service["pull_policy"] = "missing"
  if (isMap(build)) {
    build["context"] ??= "."
    if (build["dockerfile"] == null && build["dockerfile_inline"] == null) build["dockerfile"] = "Dockerfile"
    if (build["args"] !== undefined) build["args"] = resolveArguments(build["args"], environment)
  }
  for (const volume of mapsIn(volumes))
    if (typeof volume["target"] === "string") volume["target"] = cleanTarget(volume["target"])
  const dependencies = impliedDependencies(service)
  if (dependencies.size === 0) return
  const known = isMap(service["depends_on"]) ? service["depends_on"] : {}
  for (const [one, restart] of dependencies)
    if (!Object.hasOwn(known, one)) place(known, one, { condition: "service_started", restart, required: true })
  service["depends_on"] = known
}

/** Services that another key names, and whether a restart of theirs is one of this service. */
function impliedDependencies(service: TreeMap): Map<string, boolean> {
  const found = new Map<string, boolean>()
  const add = (name: string, restart: boolean) => {
    if (!found.has(name)) found.set(name, restart)
  }
  for (const link of textsIn(service["links"])) {
    const [target = "", ...alias] = link.split(":")
    add(alias.length === 1 ? target : link, true)
  }
  for (const key of ["network_mode", "ipc", "pid", "uts", "cgroup"]) {
    const value = service[key]
    if (typeof value === "string" && value.startsWith("service:")) add(value.slice("service:".length), true)
  }
  for (const from of textsIn(service["volumes_from"]))
    if (!from.startsWith("container:")) add(from.split(":")[0] ?? "", false)
  return found
}

function textsIn(value: Tree | undefined): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : []
}

/** A service that says nothing of networks is on `default`, which is there only when a service is on it. */
function addDefaultNetwork(tree: TreeMap): void {
  let isUsed = false
  for (const service of mapsIn(tree["services"])) {
    const { networks } = service
    if (service["provider"] !== undefined || service["network_mode"] !== undefined) continue
    if (!isMap(networks) || Object.keys(networks).length === 0) service["networks"] = { default: null }
    isUsed ||= isMap(service["networks"]) && Object.hasOwn(service["networks"], "default")
  }
  const networks = isMap(tree["networks"]) ? tree["networks"] : {}
  if (isUsed && !Object.hasOwn(networks, "default")) networks["default"] = null
  if (Object.keys(networks).length > 0) tree["networks"] = networks
}

function nameResources(tree: TreeMap, section: string, project: string): void {
  const resources = tree[section]
  if (!isMap(resources)) return
  for (const [key, value] of Object.entries(resources)) {
    const resource: TreeMap = isMap(value) ? value : {}
    resource["name"] ??= resource["external"] === true ? key : `${project}_${key}`
    place(resources, key, resource, resources)
  }
}

/** Arguments without a value take it from the environment; what is not there is left out. */
function resolveArguments(value: Tree, environment: Readonly<Record<string, string>>): Tree {
  if (Array.isArray(value)) {
    const list: Tree[] = []
    for (const [index, item] of value.entries()) {
      const key = showScalar(item)
      const found = key.includes("=") ? undefined : ownValue(environment, key)
      if (!key.includes("=") && found === undefined) continue
      list.push(found === undefined ? item : `${key}=${found}`)
      copyOrigin(value, index, list, list.length - 1)
    }
    return list
  }
  if (!isMap(value)) return value
  const map: TreeMap = {}
  for (const [key, one] of Object.entries(value)) {
    const found = one === null ? ownValue(environment, key) : one
    if (found !== undefined) place(map, key, found, value)
  }
  return map
}

function ownValue(environment: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(environment, key) ? environment[key] : undefined
}
