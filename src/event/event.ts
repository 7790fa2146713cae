/**
 * What happened, for whoever wants to know: `events`, `wait`, health, the API, compose, kube.
 *
 *   a change:   transaction { the rows change ; events.append(...) }        all of it, or nothing
 *   a watcher:  reads from the last id it knows ─ sleeps ─ is woken by inotify on the database's log ─ reads on
 *
 * An event is a row, written in the transaction of the change that it tells: there is no change without its event, and no
 * event of a change that was rolled back, whoever is killed at which line. Ids grow in the order of the commits and are never
 * used again; times grow with them. Docker's names are used for types, actions and attributes, so that front ends pass them on.
 *
 * Kept are the newest 20,000 events of the last 30 days. Whoever reads slower than that misses the oldest, and only those.
 */

export type EventType = "container" | "image" | "network" | "volume" | "secret" | "sandbox" | "pod" | "builder"

export interface EventActor {
  /** Container, sandbox, pod, secret or network id; an image's name or id; a volume's name. */
  id: string
  /** `name`, `image`, `exitCode`, `signal`, …, and the labels of the actor. */
  attributes: Readonly<Record<string, string>>
}

export interface NewEvent {
  /** Of the image that it is about: for the audit log, and not kept with the event. */
  imageDigest?: string
  type: EventType
  /** `create`, `start`, `die`, …; of an exec with its command, as docker's: `exec_start: ls -l`. */
  action: string
  actor: EventActor
}

export interface Event extends NewEvent {
  id: number
  /** Nanoseconds since the epoch; two events never have the same. */
  timeNs: bigint
}

/** One of each list that is given must fit. An empty filter fits all. */
export interface EventFilter {
  types?: readonly string[]
  /** `exec_start` fits `exec_start: ls -l`. */
  actions?: readonly string[]
  /** Id, id prefix or name of the container that the event is about. */
  containers?: readonly string[]
  /** Name or id of the image that the event is about, or that the container is of. */
  images?: readonly string[]
  networks?: readonly string[]
  volumes?: readonly string[]
  /** `key` or `key=value`. */
  labels?: readonly string[]
}

export interface EventQuery {
  /** From this time on, or after this id. Undefined: for `list` all that are kept, for `watch` only what is to come. */
  since?: Date | { id: number }
  /** `watch` ends at this time, when it has given what happened before. */
  until?: Date
  filter?: EventFilter
}

export interface Events {
  /**
   * Writes an event. Call it inside the transaction of the change (`Database.transaction`); outside of one it is a
   * transaction of its own. Long attributes are cut. Costs one insert.
   */
  append(event: NewEvent): void
  /** Oldest first. */
  list(query?: EventQuery): Event[]
  /** Id of the newest event; 0 when there is none. What comes after it is `watch({ since: { id } })`. */
  lastId(): number
  /**
   * Gives each event once, in order, of this and every other process, from `since` on. Watches from the moment it is
   * called, not only from the first `next`. Ends at `until`, or when `signal` is aborted; it never throws for that.
   * A slow reader holds nobody up.
   */
  watch(query?: EventQuery & { signal?: AbortSignal }): AsyncIterableIterator<Event> & AsyncDisposable
}
