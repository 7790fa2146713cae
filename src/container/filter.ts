import { InvalidArgument } from "../base/errors.ts"
import { fitsSome } from "../base/fits-some.ts"
import type { Container, ContainerFilter } from "./container.ts"
import type { ContainerRecord } from "./record.ts"
import type { ContainerRecords } from "./records.ts"
import { startsOnBoot } from "./restart-policy.ts"

const STATUSES = ["created", "restarting", "running", "removing", "paused", "exited", "dead"]
/** podman's words for states that are one of ours. */
const OTHER_STATUSES: Readonly<Record<string, string>> = {
  configured: "created",
  initialized: "created",
  stopped: "exited",
  stopping: "running",
  unknown: "dead",
}
const HEALTHS = ["starting", "healthy", "unhealthy", "none"]

/** A container that may fit, as record and as seen. */
export interface Candidate {
  record: ContainerRecord
  container: Container
}

/** Filters of `ps` by docker's rules: values of one key are alternatives (labels: all must fit), keys must all fit. */
export function containerFilter(filter: ContainerFilter, records: ContainerRecords): (candidate: Candidate) => boolean {
  const statuses = filter.status?.map((status) => OTHER_STATUSES[status] ?? status)
  checkOneOf("status", statuses, STATUSES)
  checkOneOf("health", filter.health, HEALTHS)
  const names = filter.name?.map(namePattern)
  const before = filter.before === undefined ? undefined : records.get(filter.before).createdAt
  const since = filter.since === undefined ? undefined : records.get(filter.since).createdAt
  // a filter by state looks at all, as docker's
  const all = filter.all || filter.status !== undefined || filter.exited !== undefined
  return ({ record, container }) => {
    const { state } = container
    const { spec } = record
    const isUp = state.status === "running" || state.status === "paused" || state.status === "restarting"
    if (!all && !isUp) return false
    if (!fitsSome(statuses, (status) => status === state.status)) return false
    if (!fitsSome(filter.id, (id) => record.id.startsWith(id))) return false
    if (!fitsSome(names, (pattern) => pattern.test(record.name))) return false
    if (!fitsSome(filter.exited, (code) => state.status === "exited" && state.exitCode === code)) return false
    if (!(filter.label ?? []).every((label) => hasLabel(spec.run.labels, label))) return false
    if (!fitsSome(filter.ancestor, (image) => isAncestor(record, image))) return false
    if (
      !fitsSome(filter.volume, (name) =>
        spec.mounts.some((mount) => mount.name === name || mount.target === name || mount.source === name),
      )
    )
      return false
    if (!fitsSome(filter.publish, (port) => publishes(container, port))) return false
    if (!fitsSome(filter.network, (name) => networkNames(record).includes(name))) return false
    if (filter.notLabel?.some((label) => hasLabel(spec.run.labels, label))) return false
    if (!fitsSome(filter.command, (command) => container.argv[0] === command)) return false
    if (!fitsSome(filter.expose, (port) => exposes(record, port))) return false
    if (!fitsSome(filter.restartPolicy, (policy) => spec.options.restart.name === policy)) return false
    if (!fitsSome(filter.pod, (pod) => isInPod(record, pod))) return false
    if (!fitsSome(filter.health, (health) => (container.health ?? "none") === health)) return false
    if (filter.startsOnBoot !== undefined && filter.startsOnBoot !== startsOnBoot(spec.options.restart, record.state))
      return false
    if (filter.until !== undefined && record.createdAt >= filter.until.getTime()) return false
    if (before !== undefined && record.createdAt >= before) return false
    return since === undefined || record.createdAt > since
  }
}

function checkOneOf(key: string, values: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = values?.find((value) => !known.includes(value))
  if (unknown !== undefined)
    throw new InvalidArgument(`invalid filter '${key}=${unknown}'`, { hint: `expected one of ${known.join(", ")}` })
}

function namePattern(text: string): RegExp {
  try {
    return new RegExp(text.replace(/^\^?\//, (start) => (start.startsWith("^") ? "^" : "")))
  } catch (cause) {
    throw new InvalidArgument(`invalid filter 'name=${text}'`, { hint: "expected a regular expression", cause })
  }
}

function hasLabel(labels: Record<string, string>, wanted: string): boolean {
  const at = wanted.indexOf("=")
  if (at < 0) return Object.hasOwn(labels, wanted)
  const name = wanted.slice(0, at)
  return Object.hasOwn(labels, name) && labels[name] === wanted.slice(at + 1)
}

function isInPod({ spec }: ContainerRecord, wanted: string): boolean {
  const { pod } = spec.options
  return pod !== undefined && (pod.name === wanted || pod.id.startsWith(wanted))
}

function isAncestor({ imageId, spec }: ContainerRecord, image: string): boolean {
  if (imageId === image || (image.length >= 4 && imageId.startsWith(`sha256:${image}`))) return true
  const name = spec.imageName
  return [name, name.replace(/:latest$/, "")].some((full) => full === image || full.endsWith(`/${image}`))
}

function publishes({ options, attachments }: Container, text: string): boolean {
  const isAsked = portRange("publish", text)
  const joined = attachments.flatMap(({ endpoint }) => endpoint ?? [])
  const published = joined.length === 0 ? options.ports : joined.flatMap(({ ports }) => ports)
  return published.some(({ protocol, hostPort }) => isAsked(hostPort, protocol))
}

function exposes({ spec }: ContainerRecord, text: string): boolean {
  const isAsked = portRange("expose", text)
  const exposed = spec.run.exposedPorts.some((one) => {
    const [port, protocol = "tcp"] = one.split("/")
    return isAsked(Number(port), protocol)
  })
  return exposed || spec.run.ports.some(({ protocol, containerPort }) => isAsked(containerPort, protocol))
}

/** Of `80`, `80/udp`, `80-90/tcp`. */
function portRange(key: string, text: string): (port: number, protocol: string) => boolean {
  const [, from = "", to = from, wanted = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text) ?? []
  if (from === "")
    throw new InvalidArgument(`invalid filter '${key}=${text}'`, { hint: "expected PORT[-PORT][/tcp|udp]" })
  return (port, protocol) => protocol === wanted && port >= Number(from) && port <= Number(to)
}

/** `none` of what has no check. */
function networkNames({ spec, state }: ContainerRecord): string[] {
  const { network } = spec.options
  if (network.kind !== "bridge") return [network.kind]
  return state.attachments.flatMap((one) => [
    one.network,
    ...(one.endpoint === undefined ? [] : [one.endpoint.networkId]),
  ])
}
