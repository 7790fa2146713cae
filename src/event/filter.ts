import type { Event, EventFilter } from "./event.ts"

const ID_PREFIX = /^[0-9a-f]{1,64}$/

/** Whether an event is of those that are asked for. Pure. */
export function eventFilter(filter: EventFilter = {}): (event: Event) => boolean {
  const { types, actions, containers, images, networks, volumes, labels } = filter
  const tests: ((event: Event) => boolean)[] = []
  if (types) tests.push(({ type }) => types.includes(type))
  if (actions)
    tests.push(({ action }) => actions.some((wanted) => action === wanted || action.startsWith(`${wanted}:`)))
  if (containers) tests.push((event) => event.type === "container" && containers.some((one) => isActor(event, one)))
  if (networks) tests.push((event) => event.type === "network" && networks.some((one) => isActor(event, one)))
  if (volumes) tests.push((event) => event.type === "volume" && volumes.some((one) => isActor(event, one)))
  if (images) tests.push((event) => images.some((one) => isOfImage(event, one)))
  if (labels) tests.push((event) => labels.some((label) => hasLabel(event, label)))
  return (event) => tests.every((test) => test(event))
}

function isActor({ actor }: Event, wanted: string): boolean {
  const { id, attributes } = actor
  return id === wanted || attributes.name === wanted || (ID_PREFIX.test(wanted) && id.startsWith(wanted))
}

function isOfImage(event: Event, wanted: string): boolean {
  const { type, actor } = event
  if (type === "image") return isActor(event, wanted) || isNamed(actor.id, wanted)
  return type === "container" && actor.attributes.image !== undefined && isNamed(actor.attributes.image, wanted)
}

/** `busybox` names `docker.io/library/busybox:latest`, too. */
function isNamed(name: string, wanted: string): boolean {
  const [bare = "", wantedBare = ""] = [name, wanted].map((text) => text.replace(/:latest$/, ""))
  return bare === wantedBare || bare.endsWith(`/${wantedBare}`)
}

function hasLabel({ actor }: Event, label: string): boolean {
  const at = label.indexOf("=")
  if (at < 0) return actor.attributes[label] !== undefined
  return actor.attributes[label.slice(0, at)] === label.slice(at + 1)
}
