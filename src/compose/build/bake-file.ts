import { resolve } from "node:path"
import { imageName } from "../service/names.ts"
import { COMPOSE_VERSION, LABEL } from "../labels.ts"
import type { Project } from "../project.ts"
import { buildDependencies, serviceContext } from "./build-order.ts"
import type { BuildChoices } from "./build-options.ts"

/** What `docker buildx bake` would be given for these services (docker compose: `build --print`). Pure. */
export function bakeFile(project: Project, names: readonly string[], choices: BuildChoices): object {
  const own = Object.keys(project.services).filter((name) => project.services[name]?.build)
  const chosen = names.length === 0 ? own : own.filter((name) => names.includes(name))
  const all = [
    ...new Set(chosen.flatMap((name) => [name, ...buildDependencies(project, name, choices.separator)])),
  ].toSorted()
  return {
    group: { default: { targets: chosen } },
    target: Object.fromEntries(all.map((name) => [name, bakeTarget(project, name, choices)])),
  }
}

function bakeTarget(project: Project, name: string, choices: BuildChoices): object {
  const service = project.services[name] ?? {}
  const { separator = "-" } = choices
  const build = service.build ?? {}
  const { context = project.workingDirectory, dockerfile = "Dockerfile", dockerfile_inline: inline } = build
  const isRemote = /^(?:[a-z]+:\/\/|git@|github\.com\/)/.test(context)
  const args = { ...build.args, ...choices.args }
  const target = {
    context,
    contexts: mapped(build.additional_contexts, (value) => {
      const other = serviceContext(value)
      return other === undefined ? value : `target:${other}`
    }),
    dockerfile: inline === undefined ? (isRemote ? dockerfile : resolve(context, dockerfile)) : undefined,
    "dockerfile-inline": inline,
    args: Object.fromEntries(
      Object.entries(args).map(([key, value]) => [key, value ?? project.environment[key] ?? null]),
    ),
    labels: {
      ...build.labels,
      [LABEL.project]: project.name,
      [LABEL.service]: name,
      [LABEL.version]: COMPOSE_VERSION,
    },
    tags: [imageName({ project, key: name, service, separator }), ...(build.tags ?? [])],
    "cache-from": build.cache_from,
    "cache-to": build.cache_to,
    target: build.target,
    secret: (build.secrets ?? []).map(({ source, target: id = source }) => {
      const { file, environment } = project.secrets[source] ?? {}
      return environment === undefined ? `id=${id},type=file,src=${file ?? ""}` : `id=${id},type=env,env=${environment}`
    }),
    ssh: [...(build.ssh ?? []), ...(choices.ssh ?? [])],
    platforms: build.platforms ?? (service.platform === undefined ? undefined : [service.platform]),
    pull: choices.pull === true || build.pull === true || undefined,
    "no-cache": choices.noCache === true || build.no_cache === true || undefined,
    "shm-size": build.shm_size,
    ulimits: Object.entries(build.ulimits ?? {}).map(([key, limit]) =>
      typeof limit === "number" ? `${key}=${limit}:${limit}` : `${key}=${limit.soft}:${limit.hard}`,
    ),
    network: build.network,
    entitlements: build.entitlements,
    extra_hosts: build.extra_hosts,
    output: [choices.push === true && service.image !== undefined ? "type=registry" : "type=docker"],
  }
  return Object.fromEntries(Object.entries(target).filter(([, value]) => !isEmpty(value)))
}

function mapped(values: Record<string, string> = {}, change: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]))
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0)
}
