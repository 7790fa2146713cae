import { fitsSome } from "../base/fits-some.ts"
import { mountSource } from "../spec/docker/mount-request.ts"
import { InvalidArgument } from "../base/errors.ts"
import type { Pod, PodFilter } from "./pod.ts"

const STATUSES = ["created", "running", "degraded", "exited", "stopped", "paused", "error"]
const CONTAINER_STATUSES = ["created", "running", "paused", "exited", "restarting", "removing"]

/** Filters of lists of pods. Throws InvalidArgument for a status that there is none of. Pure. */
export function podFilter(filter: PodFilter): (pod: Pod) => boolean {
  checkStatus("status", filter.status, STATUSES)
  checkStatus("ctr-status", filter.containerStatus, CONTAINER_STATUSES)
  const { until } = filter
  return (pod) => {
    const { containers, options } = pod
    if (!fitsSome(filter.id, (id) => pod.id.startsWith(id))) return false
    if (!fitsSome(filter.name, (text) => matches(pod.name, text))) return false
    if (!(filter.label ?? []).every((label) => hasLabel(options.labels ?? {}, label))) return false
    if (!fitsSome(filter.status, (status) => status === pod.status.toLowerCase())) return false
    if (!fitsSome(filter.network, (name) => networksOf(pod).includes(name))) return false
    if (!fitsSome(filter.containerId, (id) => idsOf(pod).some((one) => one.startsWith(id)))) return false
    if (!fitsSome(filter.containerName, (text) => containers.some(({ name }) => matches(name, text)))) return false
    if (!fitsSome(filter.containerStatus, (status) => containers.some(({ state }) => state.status === status)))
      return false
    if (!fitsSome(filter.containerCount, (count) => idsOf(pod).length === count)) return false
    if (!fitsSome(filter.volume, (volume) => mountsVolume(pod, volume))) return false
    return until === undefined || pod.createdAt < until
  }
}

function checkStatus(key: string, wanted: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = wanted?.find((status) => !known.includes(status))
  if (unknown !== undefined)
    throw new InvalidArgument(`invalid filter '${key}=${unknown}'`, { hint: `expected one of ${known.join(", ")}` })
}

/** A part of a name, or a regular expression. */
function matches(name: string, text: string): boolean {
  if (name.includes(text)) return true
  try {
    return new RegExp(text).test(name)
  } catch (cause) {
    throw new InvalidArgument(`invalid filter 'name=${text}'`, { hint: "expected a regular expression", cause })
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const at = wanted.indexOf("=")
  if (at < 0) return Object.hasOwn(labels, wanted)
  const key = wanted.slice(0, at)
  return Object.hasOwn(labels, key) && labels[key] === wanted.slice(at + 1)
}

/** With the sandbox, which stands for one more container. */
function idsOf({ containers, sandboxId }: Pod): string[] {
  return [...containers.map(({ id }) => id), ...(sandboxId === undefined ? [] : [sandboxId])]
}

function networksOf({ options, sandbox }: Pod): string[] {
  const { network } = options
  if (network !== undefined && network.kind !== "bridge") return [network.kind]
  return sandbox?.options.networks.map((one) => one.network) ?? []
}

function mountsVolume({ containers }: Pod, volume: string): boolean {
  return containers.some(({ options }) =>
    options.mounts.some(
      (mount) => mount.type !== "tmpfs" && (mountSource(mount) === volume || mount.target === volume),
    ),
  )
}
