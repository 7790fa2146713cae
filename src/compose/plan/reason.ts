/** Why something is done to a container, or nothing: what `--explain` and a comparison tell. */
export type Reason =
  /** It is as it should be. */
  | { kind: "unchanged" }
  /** It is as it should be, and does not run. */
  | { kind: "stopped" }
  /** There is none of that number. */
  | { kind: "missing" }
  /** There are more than are wanted. */
  | { kind: "surplus"; wanted: number }
  /** A key of the service has another value; `key` the first, undefined where nobody knows what it was made of. */
  | { kind: "changed"; key?: string; before?: string; after?: string; more: number }
  /** The bytes of a secret or a config that it has a copy of. */
  | { kind: "files" }
  | { kind: "image"; name: string; before: string; after: string }
  | { kind: "network"; network: string }
  | { kind: "newNetwork"; network: string }
  | { kind: "volume"; volume: string }
  | { kind: "newVolume"; volume: string }
  /** It shares something with a container of that service, which is replaced. */
  | { kind: "shares"; service: string }
  /** A dependency with `restart: true` is replaced. */
  | { kind: "dependency"; service: string }
  /** The caller said so. */
  | { kind: "forced" }
  /** The caller said that nothing is replaced. */
  | { kind: "kept" }
  /** It was to replace another one, and that was not finished. */
  | { kind: "unfinished" }

/** As a part of a sentence: `the image is another (debian: 1a2b → 3c4d)`. Pure. */
export function sayReason(reason: Reason): string {
  switch (reason.kind) {
    case "unchanged":
      return "nothing changed"
    case "stopped":
      return "nothing changed, and it does not run"
    case "missing":
      return "there is none"
    case "surplus":
      return `${reason.wanted} ${reason.wanted === 1 ? "is" : "are"} wanted`
    case "changed":
      return sayChange(reason)
    case "files":
      return "a secret or config that it has a copy of changed"
    case "image":
      return `image ${reason.name} is another: ${short(reason.before)} → ${short(reason.after)}`
    case "network":
      return `it is not on network ${reason.network}`
    case "newNetwork":
      return `network ${reason.network} changed`
    case "volume":
      return `it does not have volume ${reason.volume}`
    case "newVolume":
      return `volume ${reason.volume} changed`
    case "shares":
      return `it shares with service ${reason.service}, which is recreated`
    case "dependency":
      return `service ${reason.service}, on which it depends with restart: true, is recreated`
    case "forced":
      return "it was asked for"
    case "kept":
      return "nothing was to be recreated"
    case "unfinished":
      return "it was to replace another, which was interrupted"
  }
}

function sayChange({ key, before, after, more }: Extract<Reason, { kind: "changed" }>): string {
  if (key === undefined) return "its configuration is another; what it was made of is not on record"
  const values = before === undefined && after === undefined ? "" : `: ${before ?? "none"} → ${after ?? "none"}`
  const others = more === 0 ? "" : ` (and ${more} more)`
  return `${key} changed${values}${others}`
}

/** Of `sha256:…` the first twelve digits. */
function short(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12)
}
