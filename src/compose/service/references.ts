import { FailedPrecondition } from "../../base/errors.ts"
import type { Service } from "../project.ts"
import type { ServiceContext } from "./service-context.ts"

/** Keys whose `service:NAME` means the first container of that service, and what docker calls them. */
const SHARED = { network_mode: "network", ipc: "IPC", pid: "PID", uts: "UTS", cgroup: "cgroup" } as const
const SERVICE = "service:"
const CONTAINER = "container:"

/**
 * The service with `service:NAME` of namespaces and the services of `volumes_from` as `container:<id>`. The hash is made of this, so that
 * who shares something with a container that was replaced is replaced, too. Throws FailedPrecondition for a container that is not there.
 */
export function withReferences(context: Pick<ServiceContext, "service" | "containersOf">): Service {
  const { service } = context
  const resolved: Service = { ...service }
  for (const [key, what] of Object.entries(SHARED) as [keyof typeof SHARED, string][]) {
    const mode = service[key]
    if (mode?.startsWith(SERVICE))
      resolved[key] = CONTAINER + firstId(context, mode.slice(SERVICE.length), `${what} namespace`)
  }
  if (service.volumes_from)
    resolved.volumes_from = service.volumes_from.map((text) => {
      if (text.startsWith(CONTAINER)) return text.slice(CONTAINER.length)
      const [name = "", ...mode] = text.split(":")
      return [firstId(context, name, "volume"), ...mode].join(":")
    })
  return resolved
}

/** Names of the services that `withReferences` looks for. */
export function referredServices(service: Service): string[] {
  const shared = Object.keys(SHARED).flatMap((key) => {
    const mode = service[key as keyof typeof SHARED]
    return mode?.startsWith(SERVICE) ? [mode.slice(SERVICE.length)] : []
  })
  const volumes = (service.volumes_from ?? []).filter((text) => !text.startsWith(CONTAINER))
  return [...shared, ...volumes.map((text) => text.split(":", 1)[0] ?? "")]
}

function firstId({ containersOf }: Pick<ServiceContext, "containersOf">, name: string, what: string): string {
  const [first] = containersOf(name)
  if (first !== undefined) return first.id
  throw new FailedPrecondition(`cannot share ${what} with service ${name}: container missing`, {
    hint: `service "${name}" has no container: start it first, and with at least one replica`,
  })
}
