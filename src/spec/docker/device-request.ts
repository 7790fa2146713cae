import { InvalidArgument } from "../../base/errors.ts"

/** What `--device` asks for. */
export interface DeviceRequest {
  hostPath: string
  containerPath: string
  /** Any of `rwm`. */
  permissions: string
  /** Of the node in the container, where it is not the host's. */
  fileMode?: number
  uid?: number
  gid?: number
}

/** Parses docker's `--device /dev/fuse[:/dev/inside[:rwm]]`. Throws InvalidArgument in docker's words. */
export function parseDevice(text: string): DeviceRequest {
  const parts = text.split(":")
  const [hostPath = "", second, third] = parts
  const onlyMode = third === undefined && second !== undefined && isMode(second)
  const containerPath = second === undefined || onlyMode ? hostPath : second
  const permissions = (onlyMode ? second : third) ?? "rwm"
  if (parts.length > 3 || !hostPath.startsWith("/") || !containerPath.startsWith("/"))
    throw new InvalidArgument(`invalid device specification: ${text}`, {
      hint: "expected /dev/HOST[:/dev/INSIDE][:rwm]",
    })
  if (!isMode(permissions)) throw new InvalidArgument(`invalid mode specified for device: ${permissions}`)
  return { hostPath, containerPath, permissions }
}

function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length
}
