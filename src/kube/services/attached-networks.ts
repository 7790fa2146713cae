/** Further networks of a pod: those of CNI's configuration lists, which an administrator has put down. */
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { NetworkRequest, Networks } from "../../network/network.ts"

/** Of the Network Plumbing Working Group's specification, as Multus has it: names, or JSON. */
export const NETWORKS_ANNOTATION = "k8s.v1.cni.cncf.io/networks"
const MOST = 8

/**
 * What the annotation asks for beside the cluster's network. Of all other networks of this engine a pod can have none: who may write a Pod may not
 * therefore reach what keeps itself apart. Throws InvalidArgument, NotFound, FailedPrecondition.
 */
export function attachedNetworks(
  annotations: Readonly<Record<string, string>> | undefined,
  networks: Pick<Networks, "inspect">,
): NetworkRequest[] {
  const asked = parseAttached(annotations?.[NETWORKS_ANNOTATION] ?? "")
  return asked.map((request) => {
    const { name, driver } = networks.inspect(request.network)
    if (driver === "cni") return request
    throw new FailedPrecondition(`a pod cannot be on network "${name}": it has the driver ${driver}`, {
      hint: "name one of CNI's configuration lists in /etc/cni/net.d",
      data: { object: "network", name },
    })
  })
}

/** `web`, `shop/web@eth1, other`, or a list of objects. Pure. Throws InvalidArgument. */
export function parseAttached(text: string): NetworkRequest[] {
  if (text.trim() === "") return []
  const found = text.trimStart().startsWith("[") ? ofJson(text) : text.split(",").map(ofWord)
  if (found.length > MOST) throw wrong(text)
  return found
}

function ofWord(word: string): NetworkRequest {
  const [, , network, name] =
    /^(?:([a-z0-9-]+)\/)?([A-Za-z0-9_.-]+)(?:@([A-Za-z0-9_.-]{1,15}))?$/.exec(word.trim()) ?? []
  if (network === undefined) throw wrong(word)
  return { network, ...(name !== undefined && { interface: name }) }
}

function ofJson(text: string): NetworkRequest[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw wrong(text)
  }
  if (!Array.isArray(parsed)) throw wrong(text)
  return parsed.map((one: unknown) => {
    const { name, interface: link } = (one ?? {}) as { name?: unknown; interface?: unknown }
    if (typeof name !== "string" || (link !== undefined && typeof link !== "string")) throw wrong(text)
    return ofWord(link === undefined ? name : `${name}@${link}`)
  })
}

function wrong(text: string): InvalidArgument {
  return new InvalidArgument(
    `annotation ${NETWORKS_ANNOTATION}: ${JSON.stringify(text.slice(0, 80))} names no networks`,
    {
      hint: `expected names with commas between them, at most ${MOST}`,
    },
  )
}
