import { relative } from "node:path"
import { parseSize } from "../base/sizes.ts"
import type { Project, Service } from "../compose/compose.ts"
import { isList, isObject, type HclValue } from "./hcl/value.ts"
import { addTarget, type Definition } from "./definition.ts"
import { isTargetKey, readFields, readKey, type BakeTarget, type Fields } from "./target.ts"

/** Adds the services of a project that are built, and the group `default` of all of them, as buildx reads a compose file. */
export function addProject(definition: Definition, project: Project, directory: string): void {
  const names: string[] = []
  for (const [key, service] of Object.entries({ ...project.services, ...project.disabledServices })) {
    if (!service.build) continue
    const name = key.replaceAll(/[^\w-]/g, "_")
    names.push(name)
    addTarget(definition, name, { inherits: [], own: withExtension(targetOf(project, service, directory), service) })
  }
  definition.groups.set("default", names)
}

function targetOf(project: Project, service: Service, directory: string): BakeTarget {
  const { build = {} } = service
  const tags = build.tags ?? []
  const contexts = Object.entries(build.additional_contexts ?? {}).map(([name, value]) => [
    name,
    value.startsWith("service:") ? `target:${value.slice("service:".length)}` : shortened(value, directory),
  ])
  const args = Object.entries(build.args ?? {}).flatMap(([name, value]) => {
    const given = value ?? project.environment[name]
    return given === undefined ? [] : [[name, given]]
  })
  const target: { [K in keyof BakeTarget]: BakeTarget[K] | undefined } = {
    context: build.context && shortened(build.context, directory),
    contexts: Object.fromEntries(contexts) as Record<string, string>,
    dockerfile: build.dockerfile,
    "dockerfile-inline": build.dockerfile_inline,
    args: Object.fromEntries(args) as Record<string, string>,
    labels: build.labels,
    tags: tags.length === 0 && service.image !== undefined ? [service.image] : tags,
    "cache-from": build.cache_from?.map((one) => readFields("cache-from", one)),
    "cache-to": build.cache_to?.map((one) => readFields("cache-to", one)),
    target: build.target,
    secret: build.secrets?.map(({ source, target: id = source }): Fields => {
      const { file, environment } = project.secrets[source] ?? {}
      return environment === undefined ? { id, src: shortened(file ?? "", directory) } : { id, env: environment }
    }),
    ssh: build.ssh?.map((one) => readFields("ssh", one)),
    platforms: build.platforms,
    pull: build.pull,
    "no-cache": build.no_cache,
    network: build.network,
    "shm-size": build.shm_size === undefined ? undefined : sizeText(parseSize(build.shm_size)),
    ulimits: Object.entries(build.ulimits ?? {}).map(([name, limit]) =>
      typeof limit === "number" ? `${name}=${limit}:${limit}` : `${name}=${limit.soft}:${limit.hard}`,
    ),
    entitlements: build.entitlements,
    "extra-hosts": Object.fromEntries(
      (build.extra_hosts ?? []).map((host) => {
        const at = host.search(/[=:]/)
        return [host.slice(0, at), host.slice(at + 1)]
      }),
    ) as Record<string, string>,
  }
  return Object.fromEntries(Object.entries(target).filter(([, value]) => value !== undefined))
}

/** `x-bake` beside a build's own keys: lists are added to, the rest is set. */
function withExtension(target: BakeTarget, { build }: Service): BakeTarget {
  const extension = build?.["x-bake"] as HclValue | undefined
  if (!isObject(extension)) return target
  const changed: Record<string, unknown> = { ...target }
  for (const [key, given] of Object.entries(extension)) {
    if (!isTargetKey(key)) continue
    const isOne =
      typeof given === "string" &&
      ["tags", "cache-from", "cache-to", "secret", "ssh", "platforms", "output"].includes(key)
    const value = readKey(key, isOne ? [given] : given)
    const before = target[key]
    changed[key] =
      isList(value as HclValue) && Array.isArray(before) ? [...before, ...(value as readonly unknown[])] : value
  }
  return changed
}

/** As in the file: from the directory that we are in. */
function shortened(path: string, directory: string): string {
  if (!path.startsWith("/")) return path
  const short = relative(directory, path)
  return short.startsWith("..") ? path : short || "."
}

/** go-units' BytesSize, as buildx writes it. */
function sizeText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let [value, at] = [bytes, 0]
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024
  return `${Number(value.toPrecision(4))}${units[at]}`
}
