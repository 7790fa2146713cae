/** Flags of devices and what the kernel lets a program do. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions, SecurityOptions } from "../../container/container.ts"
import { isCdiName } from "../../spec/cdi-name.ts"
import { parseDevice, type DeviceRequest } from "../../spec/docker/device-request.ts"
import { parseGpus } from "../../spec/docker/gpu-request.ts"
import { parseSecurityOptions } from "../../spec/docker/security-option.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"

/** A device by its path, or by the Container Device Interface. */
export type DeviceFlag = DeviceRequest | { cdi: string }

export const SECURITY_FLAGS = {
  device: flag.list(readDevice, "Add a host device to the container"),
  gpus: flag.of(parseGpus, "GPU devices to add to the container ('all' to pass all GPUs)", "gpu-request"),
  seccompPolicy: flag.choice(["default", "image"], 'Where the seccomp profile is from ("default", "image")'),
  securityOpt: flag.list(readSecurityOption, "Security Options"),
}

/** What `run` and `create` ask for. */
export function securityOptions(
  flags: FlagValues<typeof SECURITY_FLAGS>,
): Pick<ContainerOptions, "devices" | "security" | "securityOptions"> {
  const cdiDevices = [...flags.device.flatMap((one) => ("cdi" in one ? one.cdi : [])), ...(flags.gpus ?? [])]
  const security: SecurityOptions = {
    ...(cdiDevices.length > 0 && { cdiDevices }),
    ...(flags.seccompPolicy === "image" && { seccompFromImage: true }),
  }
  return {
    devices: flags.device.filter((one): one is DeviceRequest => !("cdi" in one)),
    securityOptions: flags.securityOpt,
    ...(Object.keys(security).length > 0 && { security }),
  }
}

/** Where only host paths are devices. Throws UsageError. */
export function pathDevices(devices: readonly DeviceFlag[]): readonly DeviceRequest[] {
  return devices.map((device) => {
    if ("cdi" in device) throw new UsageError(`the device ${device.cdi} can be given to containers alone`)
    return device
  })
}

function readDevice(text: string): DeviceFlag {
  return isCdiName(text) ? { cdi: text } : parseDevice(text)
}

/** A file is named as the caller sees it: the container may be started from elsewhere. */
function readSecurityOption(text: string): string {
  const { seccomp } = parseSecurityOptions([text])
  if (seccomp === undefined || ["unconfined", "builtin", "default"].includes(seccomp)) return text
  const path = resolve(seccomp)
  if (!existsSync(path))
    throw new InvalidArgument(`opening seccomp profile (${seccomp}) failed: no such file or directory`)
  return `seccomp=${path}`
}
