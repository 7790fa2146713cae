/** What the life of a container is told by: Docker's types, actions and attributes. */
import type { NewEvent } from "../event/event.ts"
import type { MountPoint, NetworkAttachment } from "./container.ts"
import type { ContainerRecord } from "./record.ts"

/** An event of a container, with its name, its image and its labels. */
export function containerEvent(
  { id, name, spec, imageId }: ContainerRecord,
  action: string,
  attributes: Readonly<Record<string, string>> = {},
): NewEvent {
  const own = { name, image: spec.options.image, ...attributes }
  // first, so that many labels leave them room, and last, so that no label takes their place
  const attributesOfAll = { ...own, ...spec.run.labels, ...own }
  return { type: "container", action, imageDigest: imageId, actor: { id, attributes: attributesOfAll } }
}

/** `exitCode`, and how long it ran, in whole seconds; before it, what the kernel did. */
export function dieEvents(record: ContainerRecord): NewEvent[] {
  const { exitCode = 0, oomKilled, startedAt, finishedAt } = record.state
  const ranMs = startedAt === undefined || finishedAt === undefined ? 0 : Math.max(0, finishedAt - startedAt)
  return [
    ...(oomKilled ? [containerEvent(record, "oom")] : []),
    containerEvent(record, "die", { exitCode: `${exitCode}`, execDuration: `${Math.floor(ranMs / 1000)}` }),
  ]
}

/** A network that a container is on from now on, or no longer. */
export function connectionEvent(
  container: string,
  { network, endpoint }: NetworkAttachment,
  action: "connect" | "disconnect",
): NewEvent {
  const attributes = { container, name: network, type: "bridge" }
  return { type: "network", action, actor: { id: endpoint?.networkId ?? network, attributes } }
}

/** The networks and the volumes that a start has joined, or an end has left. */
export function connectionEvents(record: ContainerRecord, change: "joined" | "left"): NewEvent[] {
  const connections: NewEvent[] = []
  for (const attachment of record.state.attachments)
    if (attachment.endpoint !== undefined)
      connections.push(connectionEvent(record.id, attachment, change === "joined" ? "connect" : "disconnect"))
  for (const mount of record.spec.mounts)
    if (mount.name !== undefined) connections.push(volumeEvent(record.id, mount.name, mount, change))
  return connections
}

function volumeEvent(container: string, volume: string, mount: MountPoint, change: "joined" | "left"): NewEvent {
  const attributes = { container, driver: "local" }
  if (change === "left") return { type: "volume", action: "unmount", actor: { id: volume, attributes } }
  const details = {
    destination: mount.target,
    "read/write": `${!mount.readOnly}`,
    propagation: mount.propagation ?? "",
  }
  return { type: "volume", action: "mount", actor: { id: volume, attributes: { ...attributes, ...details } } }
}
