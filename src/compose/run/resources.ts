/** What `down` takes away besides containers; what is in use stays, which is told and no failure. */
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import { familiarReference, parseReference, type Images } from "../../image/image.ts"
import type { Network, Networks } from "../../network/network.ts"
import type { Volumes } from "../../volume/volume.ts"
import type { ComposeEvent } from "../compose-event.ts"
import { LABEL } from "../labels.ts"
import type { Project } from "../project.ts"
import type { VerbOptions } from "../verbs.ts"

const IN_USE = "Resource is still in use"
const GONE = "No resource found to remove"

/** Networks that were made for the project; external ones, and others' of the same name, are left alone. */
export function networksToRemove(networks: Networks, project: Project): Network[] {
  const wanted = Object.entries(project.networks).filter(([, { external }]) => external !== true)
  return networks
    .list()
    .filter(({ name, options: { labels = {} } }) =>
      wanted.some(
        ([key, network]) =>
          network.name === name && labels[LABEL.project] === project.name && labels[LABEL.network] === key,
      ),
    )
}

/** What does not run is taken off it, as docker's networks do not know it either: one-offs that were left. */
export async function removeNetwork(
  networks: Networks,
  containers: Containers,
  network: Network,
  options: VerbOptions,
): Promise<void> {
  await removeResource({ kind: "network", name: network.name }, options, async () => {
    const users = await networks.users(network)
    const stopped = users.filter(({ id }) => isStopped(containers, id))
    if (stopped.length === users.length)
      for (const { id } of stopped)
        await containers.disconnect(id, network.name, { force: true, abort: options.signal })
    await networks.remove(network, { signal: options.signal })
  })
}

function isStopped(containers: Containers, id: string): boolean {
  try {
    const { status } = containers.get(id).state
    return status === "exited" || status === "created"
  } catch (error) {
    // a pod's
    if (isSkiffError(error, "NotFound")) return false
    throw error
  }
}

/**
 * Named ones of the project that are there and not external. One that was made for another project holds that one's data: it stays, as its
 * network does (docker compose 2.40 removes it).
 */
export function volumesToRemove(volumes: Volumes, project: Project): string[] {
  const there = new Map(volumes.list().map(({ name, labels }) => [name, labels]))
  return Object.values(project.volumes).flatMap(({ name, external }) => {
    const labels = name === undefined ? undefined : there.get(name)
    if (name === undefined || labels === undefined || external === true) return []
    const owner = labels[LABEL.project] ?? project.name
    if (owner === project.name) return [name]
    log.warn(`volume "${name}" was created for project "${owner}" (expected "${project.name}"): it is not removed`)
    return []
  })
}

export async function removeVolume(volumes: Volumes, name: string, options: VerbOptions): Promise<void> {
  await removeResource({ kind: "volume", name }, options, () => volumes.remove(name, { signal: options.signal }))
}

/** By familiar names: those that were built for services of the project (or, with orphans, for it at all), and those that services name. */
export function imagesToRemove(
  images: Images,
  project: Project,
  { which, removeOrphans = false }: { which: "local" | "all"; removeOrphans?: boolean | undefined },
): string[] {
  const services = Object.entries(project.services)
  const named = which === "all" ? services.flatMap(([, { image }]) => image ?? []) : []
  const unnamed = services.flatMap(([name, { image }]) => (image === undefined ? [`${project.name}-${name}`] : []))
  const known = removeOrphans ? [undefined] : services.map(([name]) => name)
  const built = known.flatMap((service) => {
    const label = [
      `${LABEL.project}=${project.name}`,
      ...(service === undefined ? [] : [`${LABEL.service}=${service}`]),
    ]
    return images.list({ label }).flatMap(({ tags }) => tags.slice(0, 1))
  })
  const there = [...named, ...unnamed].filter((name) => images.find(name) !== undefined)
  return [...new Set([...there, ...built].map(familiar))].toSorted()
}

function familiar(name: string): string {
  const { tag, digest, ...reference } = parseReference(name)
  if (digest !== undefined) return familiarReference({ ...reference, digest, ...(tag !== undefined && { tag }) })
  return familiarReference({ ...reference, tag: tag ?? "latest" })
}

export async function removeImage(images: Images, name: string, options: VerbOptions): Promise<void> {
  await removeResource({ kind: "image", name }, options, () => images.remove(name, { signal: options.signal }))
}

async function removeResource(
  subject: Pick<ComposeEvent, "kind" | "name">,
  { onEvent, dryRun = false }: VerbOptions,
  body: () => Promise<unknown>,
): Promise<void> {
  onEvent?.({ ...subject, state: "Removing" })
  try {
    if (!dryRun) await body()
    onEvent?.({ ...subject, state: "Removed" })
  } catch (error) {
    const detail = isSkiffError(error, "FailedPrecondition")
      ? IN_USE
      : isSkiffError(error, "NotFound")
        ? GONE
        : undefined
    if (detail === undefined) {
      onEvent?.({ ...subject, state: "Error", detail: "while Removing" })
      throw error
    }
    onEvent?.({ ...subject, state: "Warning", detail })
  }
}
