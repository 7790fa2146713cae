/**
 * Asks name servers of the host's side for what is no name of ours.
 *
 * Who cannot see the question must not be able to answer it (RFC 5452): each one goes out by a socket of its own, so the kernel chooses a port that nobody
 * can guess and lets nothing in but what the asked server sends; its number is random, and an answer has to repeat the question.
 */
import type { Destination, StayBehind } from "../../sys/net/stay-behind.ts"
import { isSameQuestion, parseResponse, renumbered, ResponseCode } from "./message.ts"
import { frame, FrameReader } from "./tcp-frames.ts"

const PORT = 53
/** glibc and musl ask again after 5 s: by then there is an answer, if only that there is none. */
const PATIENCE_MS = 4500
const ONE_SERVER_MS = 1500
/** A server that was silent is asked last for so long. */
const SILENT_MS = 30_000
/** Sockets that are open at once. */
const MOST_QUESTIONS = 512

/** What a server answered, for whom the next one may know better. */
const NEXT_SERVER: ReadonlySet<number> = new Set([
  ResponseCode.serverFailure,
  ResponseCode.notImplemented,
  ResponseCode.refused,
])

/** One question, and who is to be asked. */
export interface Errand {
  /** As it came; its number is not used. */
  message: Uint8Array
  /** The part of it that an answer repeats. */
  question: Uint8Array
  servers: readonly string[]
  /** Its asker takes any length: what does not fit into a datagram is fetched by TCP. */
  isLong: boolean
}

/** In whose namespace a server is asked. */
export type AskFrom = (server: string) => StayBehind | Promise<StayBehind>

/** The questions that are on their way. */
export class Upstream {
  readonly #from: AskFrom
  readonly #port: number
  readonly #silentUntil = new Map<string, number>()
  #open = 0

  /** Another port is for tests. */
  constructor(from: AskFrom, port = PORT) {
    this.#from = from
    this.#port = port
  }

  /** The answer, under any number. Undefined when nobody gave one. */
  async ask(errand: Errand): Promise<Uint8Array | undefined> {
    if (this.#open >= MOST_QUESTIONS) return undefined
    this.#open++
    try {
      return await this.#askInTurn(errand)
    } finally {
      this.#open--
    }
  }

  async #askInTurn(errand: Errand): Promise<Uint8Array | undefined> {
    const deadline = Date.now() + PATIENCE_MS
    let second: Uint8Array | undefined
    const refusing = new Set<string>()
    // a list may name one twice, which refuses once: the loop would wait for a second refusal
    const servers = [...new Set(errand.servers)]
    while (Date.now() < deadline && refusing.size < servers.length)
      for (const server of this.#inOrder(servers)) {
        const leftMs = Math.min(ONE_SERVER_MS, deadline - Date.now())
        if (leftMs <= 0) break
        if (refusing.has(server)) continue
        const answer = await this.#askOne(errand, server, leftMs)
        if (answer === "silent") this.#silentUntil.set(server, Date.now() + SILENT_MS)
        else this.#silentUntil.delete(server)
        if (answer === "closed") refusing.add(server)
        if (typeof answer === "string") continue
        if (!NEXT_SERVER.has(parseResponse(answer).code)) return answer
        refusing.add(server)
        second ??= answer
      }
    return second
  }

  #inOrder(servers: readonly string[]): string[] {
    const now = Date.now()
    const isSilent = (server: string): boolean => (this.#silentUntil.get(server) ?? 0) > now
    return [...servers.filter((server) => !isSilent(server)), ...servers.filter(isSilent)]
  }

  async #askOne(errand: Errand, server: string, timeoutMs: number): Promise<Outcome> {
    const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0
    const place = { address: server, port: this.#port }
    const from = await this.#from(server)
    const message = renumbered(errand.message, id)
    const fits = (answer: Uint8Array): boolean => isAnswerTo(errand, id, answer)
    const answer = await exchange(from, { kind: "udp", ...place }, message, { fits, timeoutMs })
    if (typeof answer === "string" || !errand.isLong || !parseResponse(answer).isTruncated) return answer
    const whole = await exchange(from, { kind: "tcp", ...place }, message, { fits, timeoutMs })
    return typeof whole === "string" ? answer : whole
  }
}

function isAnswerTo({ question }: Errand, id: number, answer: Uint8Array): boolean {
  try {
    const read = parseResponse(answer)
    return read.id === id && isSameQuestion(read.question, question)
  } catch {
    return false
  }
}

/** "closed": nobody listens there; "silent": nobody has answered in time. */
type Outcome = Uint8Array | "silent" | "closed"

interface Wait {
  /** Whether it is the answer: any other is not heard. */
  fits(answer: Uint8Array): boolean
  timeoutMs: number
}

function exchange(from: StayBehind, to: Destination, message: Uint8Array, { fits, timeoutMs }: Wait): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>()
  const isStream = to.kind === "tcp"
  const frames = new FrameReader()
  const open = from.exchange(to, isStream ? frame(message) : message, {
    received(bytes) {
      const found = (isStream ? frames.read(bytes) : [bytes]).find(fits)
      if (found !== undefined) resolve(found)
    },
    closed: () => resolve("closed"),
  })
  const timer = setTimeout(() => resolve("silent"), timeoutMs)
  return promise.finally(() => {
    clearTimeout(timer)
    open[Symbol.dispose]()
  })
}
