/** Events as podman tells them: its statuses, its line and its document (podman-events(1)). Pure. */
import type { Event } from "../event/event.ts"

/** One that podman would have told. */
export interface PodmanEvent {
  type: string
  status: string
  id: string
  name: string
  image: string
  /** Of an event of a network. */
  network?: string
  exitCode?: number
  healthStatus?: string
  /** Labels. */
  attributes: Readonly<Record<string, string>>
  timeNs: bigint
}

/** What podman calls the actions that docker names. Actions that are in neither list have one name. */
const STATUSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  container: { destroy: "remove", die: "died", exec_create: "", exec_start: "exec", exec_die: "exec_died" },
  image: { delete: "remove", load: "loadfromarchive" },
  network: { destroy: "remove" },
  volume: { destroy: "remove" },
}

/** Attributes of ours that are no labels. */
const OWN = new Set(["name", "image", "exitCode", "execDuration", "execID", "signal", "container", "driver", "type"])

/** Nothing of what podman has no event for. A start is told as two, since podman makes a container ready before; so is an end. */
export function podmanEvents(event: Event, defaultNetwork: { kept: string; shown: string }): PodmanEvent[] {
  const { type, action, actor, timeNs } = event
  const [word = "", detail] = action.split(": ")
  const status = STATUSES[type]?.[word] ?? word
  const { name = "", image = "", exitCode, container } = actor.attributes
  if (status === "" || type === "sandbox" || type === "builder") return []
  const base = { type, id: actor.id, image, timeNs }
  if (type === "network") {
    // podman tells only of what `network connect` and `disconnect` do
    if (name === defaultNetwork.kept && container !== undefined) return []
    const network = name === defaultNetwork.kept ? defaultNetwork.shown : name
    return [{ ...base, status, id: container ?? actor.id, name: "", network, attributes: {} }]
  }
  const attributes = Object.fromEntries(Object.entries(actor.attributes).filter(([key]) => !OWN.has(key)))
  const one: PodmanEvent = {
    ...base,
    status,
    name: type === "volume" ? actor.id : name,
    attributes,
    ...(exitCode !== undefined && { exitCode: Number(exitCode) }),
    ...(word === "health_status" && detail !== undefined && { healthStatus: detail }),
  }
  if (type !== "container") return [one]
  if (word === "start") return [{ ...one, status: "init" }, one]
  return word === "die" ? [one, { ...one, status: "cleanup" }] : [one]
}

/** Actions among which those of a status are. */
export function actionsOfStatus(status: string): string[] {
  const asked = status.toLowerCase()
  if (asked === "init") return ["start"]
  if (asked === "cleanup") return ["die"]
  const found = Object.values(STATUSES).flatMap((names) =>
    Object.entries(names).flatMap(([action, name]) => (name === asked ? [action] : [])),
  )
  return [...new Set([...found, asked])]
}

/** `2026-11-30 20:30:14.847541189 +0000 UTC container create 6a99… (image=…, name=…, label=…)`. */
export function podmanEventLine(event: PodmanEvent): string {
  const { type, status, id, name, image, network, healthStatus, attributes } = event
  const head = `${goTime(event.timeNs)} ${type} ${status}`
  switch (type) {
    case "container":
    case "pod": {
      const labels = Object.entries(attributes).map(([key, value]) => `, ${key}=${value}`)
      const health = healthStatus === undefined ? "" : `, health_status=${healthStatus}`
      return `${head} ${id} (image=${image}, name=${name}${health}${labels.join("")})`
    }
    case "network":
      return `${head} ${id} (container=${id}, name=${network})`
    case "image":
      return `${head} ${id} ${name}`
    case "volume":
      return `${head} ${name}`
    default:
      return `${head} ${id}`
  }
}

const RAW = JSON as unknown as { rawJSON(text: string): number }

/** An element of `events --format json`. */
export function podmanEventDocument(event: PodmanEvent): object {
  const { type, status, id, name, image, network, exitCode, healthStatus, attributes, timeNs } = event
  return {
    ...(exitCode === undefined ? {} : { ContainerExitCode: exitCode }),
    ID: id,
    ...(image !== "" && { Image: image }),
    Name: name,
    ...(network !== undefined && { network }),
    Status: status,
    time: Number(timeNs / 1_000_000_000n),
    timeNano: RAW.rawJSON(String(timeNs)),
    Type: type,
    ...(healthStatus !== undefined && { health_status: healthStatus }),
    Attributes: Object.keys(attributes).length === 0 ? null : attributes,
  }
}

/** The names that templates use. */
export function podmanEventRow(event: PodmanEvent): object {
  const { type, status, id, name, image, network, exitCode, healthStatus, attributes, timeNs } = event
  return {
    // docker's, which a script may name in whatever mode
    Action: status,
    Actor: { ID: id, Attributes: new Map(Object.entries(attributes)) },
    From: image,
    Scope: "local",
    Attributes: new Map(Object.entries(attributes)),
    ContainerExitCode: exitCode ?? 0,
    Error: "",
    HealthStatus: healthStatus ?? "",
    ID: id,
    Image: image,
    Name: name,
    Network: network ?? "",
    PodID: "",
    Status: status,
    Time: Number(timeNs / 1_000_000_000n),
    TimeNano: String(timeNs),
    Type: type,
  }
}

/** As Go prints a moment, in UTC. */
function goTime(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, "2026-01-01T00:00:00".length)
  const fraction = String(timeNs % 1_000_000_000n)
    .padStart(9, "0")
    .replace(/0+$/, "")
  return `${seconds.replace("T", " ")}${fraction === "" ? "" : `.${fraction}`} +0000 UTC`
}
