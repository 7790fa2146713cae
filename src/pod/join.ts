import { InvalidArgument } from "../base/errors.ts"
import type { ContainerOptions } from "../container/container.ts"
import type { PodRecord } from "./records.ts"
import { ownsNetwork, sharedOf } from "./sandbox-options.ts"

/**
 * What a container of a pod is created with: its own options, after those that the pod gives all. What the sandbox has (name,
 * networks, ports) is refused where the container is created. Throws InvalidArgument. Pure.
 */
export function inPod({ id, name, spec }: PodRecord, options: ContainerOptions): ContainerOptions {
  const { options: pod, sandboxId } = spec
  const hasOwnNetwork = options.network !== undefined
  const isGiven = sharedOf(pod).includes("network") && !ownsNetwork(pod)
  if (hasOwnNetwork && sharedOf(pod).includes("network"))
    throw new InvalidArgument(`cannot set the network of a container in pod "${name}": it has the pod's`, {
      field: "network",
      hint: "give it to the pod",
      data: { object: "sandbox", field: "network" },
    })
  return {
    ...options,
    pod: { id, name },
    ...(sandboxId === undefined ? {} : { sandbox: sandboxId }),
    ...(isGiven && pod.network !== undefined ? { network: pod.network } : {}),
    dns: orElse(options.dns, pod.dns),
    dnsSearch: orElse(options.dnsSearch, pod.dnsSearch),
    dnsOptions: orElse(options.dnsOptions, pod.dnsOptions),
    extraHosts: [...(pod.extraHosts ?? []), ...(options.extraHosts ?? [])],
    // a container's own mount at the same place counts
    mounts: [
      ...(pod.mounts ?? []).filter(({ target }) => !options.mounts?.some((own) => own.target === target)),
      ...(options.mounts ?? []),
    ],
    ...(pod.volumesFrom && { volumesFrom: [...pod.volumesFrom, ...(options.volumesFrom ?? [])] }),
    ...(pod.etc && { etc: { ...pod.etc, ...options.etc } }),
    devices: [...(pod.devices ?? []), ...(options.devices ?? [])],
    securityOptions: orElse(options.securityOptions, pod.securityOptions),
    ...(pod.namespaces === undefined ? {} : { namespaces: { ...pod.namespaces, ...options.namespaces } }),
    sysctls: { ...pod.sysctls, ...options.sysctls },
    ...(pod.userNamespace && { userNamespace: options.userNamespace ?? pod.userNamespace }),
    ...(options.restart === undefined && pod.restart !== undefined && !options.autoRemove
      ? { restart: pod.restart }
      : {}),
  }
}

/** The container's, or where it says none the pod's. */
function orElse<T>(own: readonly T[] | undefined, pods: readonly T[] | undefined): readonly T[] {
  return own === undefined || own.length === 0 ? (pods ?? []) : own
}
