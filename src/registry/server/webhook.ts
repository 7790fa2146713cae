/** Tells another server what happened, after the client was answered. */
import { setTimeout as sleep } from "node:timers/promises"
import { log } from "../../base/log.ts"
import { textWithoutCredentials } from "../../base/without-credentials.ts"
import { ENVELOPE_TYPE, eventOf, type NotificationEvent } from "./notifications.ts"
import type { Exchange, Observer } from "./observer.ts"

/** Events that wait while the other server does not take them; those that come then are dropped, and counted. */
const MAX_WAITING = 10_000
const MAX_AT_ONCE = 100
const TIMEOUT_MS = 10_000
const FIRST_DELAY_MS = 500
const MAX_DELAY_MS = 60_000

/** How events go to one address. */
export interface WebhookOptions {
  /** May have `user:password@`. */
  url: string
  /** What the registry calls itself. */
  self: () => string
  /** Default 10,000. */
  maxWaiting?: number
}

/** Sends one envelope after the other, each again until it is taken; what waits is kept in memory alone. */
export class Webhook implements Observer, AsyncDisposable {
  readonly #options: WebhookOptions
  readonly #waiting: NotificationEvent[] = []
  readonly #stop = new AbortController()
  #sending: Promise<void> | undefined
  #delivered = 0
  #dropped = 0

  constructor(options: WebhookOptions) {
    this.#options = options
  }

  get delivered(): number {
    return this.#delivered
  }

  get dropped(): number {
    return this.#dropped
  }

  get waiting(): number {
    return this.#waiting.length
  }

  ended(exchange: Exchange): void {
    const event = eventOf(exchange, this.#options.self())
    if (event === undefined || this.#stop.signal.aborted) return
    if (this.#waiting.length >= (this.#options.maxWaiting ?? MAX_WAITING)) {
      if (this.#dropped++ === 0) log.warn("events are dropped: their receiver does not take them", { url: this.#name })
      return
    }
    this.#waiting.push(event)
    this.#sending ??= this.#send()
  }

  async #send(): Promise<void> {
    let delayMs = FIRST_DELAY_MS
    while (this.#waiting.length > 0 && !this.#stop.signal.aborted) {
      const events = this.#waiting.slice(0, MAX_AT_ONCE)
      if (await this.#post(events)) {
        this.#waiting.splice(0, events.length)
        this.#delivered += events.length
        delayMs = FIRST_DELAY_MS
        continue
      }
      await sleep(delayMs, undefined, { ref: false, signal: this.#stop.signal }).catch(() => undefined)
      delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)
    }
    this.#sending = undefined
  }

  async #post(events: readonly NotificationEvent[]): Promise<boolean> {
    const { username, password, origin, pathname, search } = new URL(this.#options.url)
    const userinfo = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
    try {
      const answer = await fetch(`${origin}${pathname}${search}`, {
        method: "POST",
        body: JSON.stringify({ events }),
        headers: {
          "Content-Type": ENVELOPE_TYPE,
          ...(username !== "" && { Authorization: `Basic ${Buffer.from(userinfo).toString("base64")}` }),
        },
        redirect: "manual",
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      await answer.body?.cancel()
      if (!answer.ok) log.info("the receiver of events refuses them", { url: this.#name, status: answer.status })
      return answer.ok
    } catch (error) {
      log.info("events could not be sent", { url: this.#name, reason: String(error) })
      return false
    }
  }

  get #name(): string {
    return textWithoutCredentials(this.#options.url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#sending
  }
}
