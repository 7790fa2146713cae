import type { ContainerOptions } from "../../container/container.ts"
import { isCdiName } from "../../spec/cdi-name.ts"
import { parseDevice, type DeviceRequest as PathDevice } from "../../spec/docker/device-request.ts"
import { gpuDevices } from "../../spec/docker/gpu-request.ts"
import type { DeviceRequest } from "../project.ts"
import { atKey, wrongValue } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

/** Devices by path, by the Container Device Interface, and GPUs, which are known by the same. Throws InvalidArgument. */
export function deviceOptions(context: ServiceContext): Pick<ContainerOptions, "devices" | "security"> {
  const { devices = [], gpus = [], deploy } = context.service
  const byPath: PathDevice[] = []
  const byName: string[] = []
  for (const [index, { source, target = source, permissions = "rwm" }] of devices.entries())
    if (isCdiName(source)) byName.push(source)
    else
      byPath.push(atKey(keyOf(context, "devices", index), () => parseDevice([source, target, permissions].join(":"))))
  for (const [index, request] of gpus.entries()) byName.push(...requested(request, keyOf(context, "gpus", index)))
  for (const [index, request] of (deploy?.resources?.reservations?.devices ?? []).entries())
    byName.push(...requested(request, keyOf(context, "deploy.resources.reservations.devices", index)))
  return { devices: byPath, ...(byName.length > 0 && { security: { cdiDevices: [...new Set(byName)] } }) }
}

function requested({ driver, count, device_ids: ids = [] }: DeviceRequest, key: string): string[] {
  if (count !== undefined && ids.length > 0) throw wrongValue(key, '"count" and "device_ids" attributes are exclusive')
  if (driver === "cdi" || (ids.length > 0 && ids.every(isCdiName))) return [...ids]
  return atKey(key, () =>
    gpuDevices({ deviceIds: ids, ...(count !== undefined && { count }), ...(driver && { driver }) }),
  )
}
