import { createHash } from "node:crypto"
import { isSkiffError } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import type { KubeObjects, StoredMetadata, StoredObject } from "../objects/objects.ts"
import { timestamp } from "./times.ts"

/** As the API server forgets them. */
const KEPT_MS = 3_600_000
const SWEEP_MS = 300_000
/** client-go's: what is told that often of one object is told no more for a while. */
const BURST = 25
const REFILL_MS = 300_000

interface Subject {
  apiVersion: string
  kind: string
  metadata: Pick<StoredMetadata, "name" | "namespace" | "uid" | "resourceVersion">
}

export interface EventWords {
  type?: "Normal" | "Warning"
  reason: string
  message: string
  /** `kubelet`, `deployment-controller`. */
  component: string
  /** `spec.containers{main}`. */
  fieldPath?: string
}

/** Tells of objects by v1 Events; the same said again counts up. */
export class Recorder {
  readonly #objects: KubeObjects
  readonly #host: string
  readonly #told = new Map<string, { tokens: number; at: number }>()
  #sweptAt = 0

  constructor(objects: KubeObjects, host: string) {
    this.#objects = objects
    this.#host = host
  }

  /** Never throws: an event is a courtesy. */
  tell(subject: Subject, words: EventWords): void {
    try {
      this.#tell(subject, words)
    } catch (error) {
      if (!isSkiffError(error, "NotFound") && !isSkiffError(error, "PermissionDenied"))
        log.debug("an event cannot be kept", { reason: String(error) })
    }
  }

  #tell(
    { apiVersion, kind, metadata }: Subject,
    { type = "Normal", reason, message, component, fieldPath }: EventWords,
  ): void {
    const now = Date.now()
    this.#sweep(now)
    if (!this.#mayTell(`${metadata.uid}/${component}`, now)) return
    const namespace = metadata.namespace ?? "default"
    const text = message.slice(0, 1024)
    const words = JSON.stringify([metadata.uid, component, type, reason, text, fieldPath])
    const name = `${metadata.name.slice(0, 230)}.${createHash("sha256").update(words).digest("hex").slice(0, 16)}`
    const known = this.#objects.find("events", name, namespace)
    if (known !== undefined) {
      const count = Number(known["count"] ?? 1) + 1
      this.#objects.update("events", { ...known, count, lastTimestamp: timestamp(now) })
      return
    }
    const { name: subjectName, uid, resourceVersion } = metadata
    this.#objects.create("events", {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace },
      involvedObject: {
        kind,
        ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
        name: subjectName,
        uid,
        apiVersion,
        resourceVersion,
        ...(fieldPath !== undefined && { fieldPath }),
      },
      reason,
      message: text,
      source: { component, ...(component === "kubelet" && { host: this.#host }) },
      firstTimestamp: timestamp(now),
      lastTimestamp: timestamp(now),
      count: 1,
      type,
      eventTime: null,
      reportingComponent: component,
      reportingInstance: component === "kubelet" ? this.#host : "",
    })
  }

  #mayTell(key: string, now: number): boolean {
    const bucket = this.#told.get(key) ?? { tokens: BURST, at: now }
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS)
    bucket.at = now
    this.#told.set(key, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  /** Now and then, with what is told anyway. */
  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    const before = timestamp(now - KEPT_MS)
    for (const { metadata } of this.#objects.list("events", { fits: (one) => lastOf(one) < before }).items)
      this.#objects.delete("events", metadata.name, metadata.namespace)
    for (const [key, { at }] of this.#told) if (now - at > REFILL_MS * BURST) this.#told.delete(key)
  }
}

function lastOf(event: StoredObject): string {
  const last = event["lastTimestamp"]
  return typeof last === "string" ? last : event.metadata.creationTimestamp
}
