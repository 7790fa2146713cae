/** What the calls of a server share. */
import type { Engine } from "../engine/engine.ts"
import { NotFound } from "../base/errors.ts"
import type { Container } from "../container/container.ts"
import type { Pod } from "../pod/pod.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { detectCgroups } from "../sys/process/cgroup.ts"
import type { LimitHost } from "./config/resources.ts"
import { containerNote, podNote, type ContainerNote, type PodNote } from "./notes.ts"
import type { StreamRequest } from "./streaming/stream-request.ts"

export interface CriContext {
  engine: Engine
  /** The network of sandboxes, as it is now. */
  network(): Promise<string>
  /** Where the engine keeps everything. */
  root(): Promise<string>
  /** A URL that leads to the stream, once and for a minute. */
  streamUrl(request: StreamRequest): string
}

/** A sandbox of ours. */
export interface FoundPod {
  pod: Pod
  note: PodNote
}

/** A container of ours. */
export interface FoundContainer {
  container: Container
  note: ContainerNote
  /** Of its sandbox. */
  podId: string
}

/** Throws NotFound, also for a pod that is none of CRI's. */
export async function podOf({ engine }: CriContext, id: string): Promise<FoundPod> {
  const pod = await (await engine.pods()).get(checkedId(id, "sandbox"))
  const note = podNote(pod)
  if (note === undefined) throw new NotFound(`no such sandbox: "${id}"`)
  return { pod, note }
}

/** Throws NotFound, also for a container that is none of CRI's. */
export async function containerOf({ engine }: CriContext, id: string): Promise<FoundContainer> {
  const container = (await engine.containers()).get(checkedId(id, "container"))
  const note = containerNote(container)
  const podId = container.options.pod?.id
  if (note === undefined || podId === undefined) throw new NotFound(`no such container: "${id}"`)
  return { container, note, podId }
}

/** An id or the beginning of one: a name is not taken, which may be anybody's. Throws NotFound. */
function checkedId(id: string, noun: string): string {
  if (!/^[0-9a-f]{3,64}$/.test(id)) throw new NotFound(`no such ${noun}: ${JSON.stringify(id.slice(0, 100))}`)
  return id
}

/** What limits depend on here. */
export function limitHost(): LimitHost {
  const { swap, version, controllers } = detectCgroups()
  return { swap, isUnified: version === "v2", hugepages: controllers.includes("hugetlb") }
}

/** Whether cgroups can be made below a parent that kubelet names. */
export function hasCgroupParents(): boolean {
  return rootlessUid() === undefined && detectCgroups().manager === "cgroupfs"
}

/** CRI's times: nanoseconds since the epoch, as text since a number does not hold them. */
export function nanoseconds(date: Date | number | undefined): string {
  if (date === undefined) return "0"
  return `${BigInt(Math.trunc(Number(date))) * 1_000_000n}`
}

/** Whether all labels of a selector are there with their values. */
export function fitsLabels(
  labels: Readonly<Record<string, string>> | undefined,
  selector: Readonly<Record<string, string>> | undefined,
): boolean {
  return Object.entries(selector ?? {}).every(
    ([name, value]) => labels !== undefined && Object.hasOwn(labels, name) && labels[name] === value,
  )
}

/** How many a message of a stream of lists has. */
const PER_MESSAGE = 100

/** A list in parts, so that no message grows too large. */
export function* inParts<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += PER_MESSAGE) yield items.slice(at, at + PER_MESSAGE)
}
