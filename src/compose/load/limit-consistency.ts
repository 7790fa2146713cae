import type { Service } from "../project.ts"
import type { Complain } from "./complain.ts"

/** What a service and its `deploy` both say must be the same. */
export function checkLimits(name: string, service: Service, complain: Complain): void {
  const { deploy, scale, container_name: containerName } = service
  const { limits, reservations } = deploy?.resources ?? {}
  const compare = (key: string, own: unknown, path: string, other: unknown) => {
    if (own !== other)
      complain(`services.${name}: can't set distinct values on '${key}' and '${path}': invalid compose project`, [key])
  }
  if (scale !== undefined && deploy?.replicas !== undefined) compare("scale", scale, "deploy.replicas", deploy.replicas)
  if (scale !== undefined && scale < 0)
    complain(`services.${name}.scale: must be greater than or equal to 0`, ["scale"])
  if (limits) {
    if (service.cpus !== undefined) compare("cpus", String(service.cpus), "deploy.resources.limits.cpus", limits.cpus)
    if (service.mem_limit !== undefined)
      compare("mem_limit", service.mem_limit, "deploy.resources.limits.memory", limits.memory)
    if (service.pids_limit !== undefined)
      compare("pids_limit", service.pids_limit, "deploy.resources.limits.pids", limits.pids)
  }
  if (reservations && service.mem_reservation !== undefined)
    compare("mem_reservation", service.mem_reservation, "deploy.resources.reservations.memory", reservations.memory)
  if (containerName !== undefined && (scale ?? deploy?.replicas ?? 1) > 1) {
    const key = scale === undefined ? "deploy.replicas" : "scale"
    complain(
      `services.${key}: can't set container_name and ${name} as container name must be unique: invalid compose project`,
      ["container_name"],
    )
  }
}
