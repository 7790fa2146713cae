/** What Docker and Podman say of networks that cannot be made or removed. */
import type { SkiffError } from "../../base/errors.ts"
import { shortId } from "../../base/short-id.ts"
import type { NetworkUser } from "../../network/network.ts"

/** Docker's daemon's words; undefined: ours. */
export function dockerNetworkText({ code, data: { object, name, reason, users } }: SkiffError): string | undefined {
  if (object === "subnet") return "invalid pool request: Pool overlaps with other one on this address space"
  if (code === "AlreadyExists") return `network with name ${name} already exists`
  if (code === "InvalidArgument" && reason === "mode") return `operation is not permitted on predefined ${name} network`
  if (code !== "FailedPrecondition" || users === undefined) return undefined
  const endpoints = (users as readonly NetworkUser[]).map((user) => `name:"${user.name}" id:"${shortId(user.id)}"`)
  return `error while removing network: network ${name} has active endpoints (${endpoints.join(", ")})`
}

/** Docker's daemon's words of a container that is on a network already, or is not. */
export function dockerEndpointText({ code, data: { name, id, network } }: SkiffError): string {
  return code === "AlreadyExists"
    ? `endpoint with name ${name} already exists in network ${network}`
    : `container ${id} is not connected to network ${network}`
}

/** Podman's. */
export function podmanEndpointText({ code, data: { name, id, network } }: SkiffError): string {
  return code === "AlreadyExists"
    ? `container ${id} is already connected to network "${network}": network is already connected`
    : `container ${name} is not connected to network ${network}`
}

/** Podman's words; undefined: ours. */
export function podmanNetworkText({
  code,
  data: { object, name, reason, subnet, users },
}: SkiffError): string | undefined {
  const isTaken = `network name ${name} already used: network already exists`
  if (object === "subnet") return `subnet ${subnet} is already used on the host or by another config`
  if (code === "AlreadyExists") return isTaken
  if (code === "FailedPrecondition" && users !== undefined)
    return `"${name}" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used`
  switch (reason) {
    case "characters":
      return `network name ${name} invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument`
    case "mode":
      return name === "podman"
        ? isTaken
        : `cannot create network with name "${name}" because it conflicts with a valid network mode`
    case "default":
      return "default network podman cannot be removed"
    default:
      return undefined
  }
}
