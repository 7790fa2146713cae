/** Namespaces: the pod's, a container's own, the node's, another container's. */
import { InvalidArgument } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import type { PodOptions } from "../../pod/pod.ts"
import type { IDMapping, NamespaceMode, NamespaceOption, UserNamespace } from "../protocol/messages.ts"

type Namespaces = NonNullable<ContainerOptions["namespaces"]>
type UserNamespaceMode = NonNullable<ContainerOptions["userNamespace"]>

const POD: NamespaceOption = { network: "POD", pid: "POD", ipc: "POD", target_id: "", userns_options: null }

/** What a sandbox shares, and what its containers have of the node. Throws InvalidArgument. Pure. */
export function podNamespaces(
  given: NamespaceOption | null,
): Pick<PodOptions, "shares" | "network" | "namespaces" | "userNamespace"> {
  const { network, pid, ipc, userns_options } = given ?? POD
  const isHosts = network === "NODE"
  const namespaces: Namespaces = {
    ...(pid === "NODE" && { pid: { kind: "host" } }),
    ...(ipc === "NODE" && { ipc: { kind: "host" } }),
    // the host's name goes with its network
    ...(isHosts && { uts: { kind: "host" } }),
  }
  const userNamespace = userNamespaceOf(userns_options)
  return {
    shares: [
      "network",
      ...(isHosts ? [] : (["uts"] as const)),
      ...(ipc === "POD" ? (["ipc"] as const) : []),
      ...(pid === "POD" ? (["pid"] as const) : []),
    ],
    ...(isHosts && { network: { kind: "host" } }),
    namespaces,
    ...(userNamespace && { userNamespace }),
  }
}

/** What a container has otherwise than its sandbox. Throws InvalidArgument. Pure. */
export function containerNamespaces(given: NamespaceOption | null, pod: NamespaceOption | null): Namespaces {
  if (given === null) return {}
  const target = given.target_id
  if ([given.network, given.ipc].includes("TARGET"))
    throw new InvalidArgument("only the pid namespace of another container can be joined", {
      field: "namespace_options",
    })
  if (given.pid === "TARGET" && target === "")
    throw new InvalidArgument("the container whose pid namespace is to be joined is missing", {
      field: "namespace_options.target_id",
    })
  return {
    ...(given.pid === "TARGET"
      ? { pid: { kind: "container", container: target } }
      : modeOf("pid", given.pid, (pod ?? POD).pid)),
    ...modeOf("ipc", given.ipc, (pod ?? POD).ipc),
  }
}

/** Nothing, where it is what the pod has. */
function modeOf(kind: "pid" | "ipc", wanted: NamespaceMode, pods: NamespaceMode): Namespaces {
  if (wanted === pods) return {}
  if (wanted === "CONTAINER") return { [kind]: { kind: "private" } }
  if (wanted === "NODE") return { [kind]: { kind: "host" } }
  throw new InvalidArgument(`the ${kind} namespace of the pod was asked for, and the pod has none`, {
    field: `namespace_options.${kind}`,
  })
}

function userNamespaceOf(given: UserNamespace | null): UserNamespaceMode | undefined {
  if (given === null || given.mode === "NODE") {
    if (given !== null && given.uids.length + given.gids.length > 0)
      throw new InvalidArgument("ids are mapped, and the user namespace is the node's", { field: "userns_options" })
    return undefined
  }
  if (given.mode !== "POD")
    throw new InvalidArgument(`a user namespace of the mode ${given.mode} is not to be had`, {
      field: "userns_options",
      hint: { valid: ["POD", "NODE"] },
    })
  const { uids, gids } = given
  // as the protocol stands: one range, and the same for both
  if (uids.length !== 1 || gids.length !== 1)
    throw new InvalidArgument(
      `one range of user ids and one of group ids is wanted, not ${uids.length} and ${gids.length}`,
      {
        field: "userns_options",
      },
    )
  const [uid, gid] = [uids[0], gids[0]].map((one) => one && `${one.host_id}:${one.container_id}:${one.length}`)
  if (uid !== gid)
    throw new InvalidArgument(`user ids are mapped as ${uid}, group ids as ${gid}: both must be the same`, {
      field: "userns_options",
    })
  return { kind: "mapped", uids: uids.map(mappingOf), gids: gids.map(mappingOf) }
}

function mappingOf({ host_id, container_id, length }: IDMapping): {
  inside: number
  outside: number
  count: number
  ofHost: boolean
} {
  if (length === 0) throw new InvalidArgument("a range of no ids is mapped", { field: "userns_options" })
  return { inside: container_id, outside: host_id, count: length, ofHost: true }
}
