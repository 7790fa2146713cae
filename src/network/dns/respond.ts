/** From a message to its answer: of our own knowledge, or of the servers that host, network or container name. */
import { log } from "../../base/log.ts"
import { addressText, answer, ELSEWHERE, type Answer } from "./answer.ts"
import type { NamedEgress } from "./heard.ts"
import {
  addressRecords,
  askedOtherwise,
  failure,
  fitted,
  parseQuery,
  RecordType,
  ResponseCode,
  udpLimit,
  writeResponse,
  type AnswerRecord,
  type Query,
} from "./message.ts"
import { MalformedMessage } from "./name.ts"
import type { HostNameServers } from "./name-servers.ts"
import type { NameSource } from "./name-source.ts"
import type { Upstream } from "./upstream.ts"
import type { Asker, Zones } from "./zones.ts"

/** A message goes into a stream with a length of two bytes. */
const LARGEST_TCP_BYTES = 0xffff
/** Of one container, on their way at once: it cannot take them all from the others. */
const MOST_OF_ONE = 128
/** One name that stands for another, and so on. */
const MOST_ALIASES = 4

/** What answers stand on. */
export interface RespondDeps {
  zones: Zones
  upstream: Upstream
  host: HostNameServers
  egress: NamedEgress
  /** Names beside those of members. */
  names?: NameSource | undefined
}

/** A message, and where it came from. */
export interface Arrived {
  message: Uint8Array
  /** The address of who sent it. */
  from: string
  byTcp: boolean
}

/** Answers messages. */
export class Responder {
  readonly #deps: RespondDeps
  /** Questions of each container that are out. */
  readonly #asking = new Map<string, number>()

  constructor(deps: RespondDeps) {
    this.#deps = deps
  }

  /** Undefined for what must not be answered. A promise only when others are asked. Throws nothing. */
  respond(arrived: Arrived): Uint8Array | undefined | Promise<Uint8Array> {
    const { message, from, byTcp } = arrived
    try {
      const query = parseQuery(message)
      if (query === undefined) return undefined
      const limit = byTcp ? LARGEST_TCP_BYTES : udpLimit(query)
      const asker = this.#deps.zones.asker(from)
      // nobody of ours: a program of the host that looks around on the loopback
      if (asker === undefined) return writeResponse(query, { code: ResponseCode.refused }, limit)
      const own = answer(query, asker, this.#deps.zones, this.#deps.names)
      if (own !== ELSEWHERE && own.alias !== undefined) return this.#aliased(query, asker, own, limit)
      if (own !== ELSEWHERE) {
        if (asker.isConfined) this.#tell(query, asker, own.answers ?? [])
        return writeResponse(query, own, limit)
      }
      // a question is a way out too
      if (asker.isConfined && !this.#deps.egress.mayAsk(asker.containerId, query.name))
        return writeResponse(query, { code: ResponseCode.noSuchName }, limit)
      return this.#elsewhere(query, asker, arrived, limit)
    } catch (error) {
      if (error instanceof MalformedMessage) return failure(message, ResponseCode.formatError)
      log.warn("a question for a name could not be answered", { reason: String(error) })
      return failure(message, ResponseCode.serverFailure)
    }
  }

  async #elsewhere(query: Query, asker: Asker, { message, byTcp }: Arrived, limit: number): Promise<Uint8Array> {
    const failed = writeResponse(query, { code: ResponseCode.serverFailure }, limit)
    try {
      const errand = { message, question: query.question, servers: this.#servers(asker), isLong: byTcp }
      const found = await this.#bounded(asker, () => this.#deps.upstream.ask(errand))
      if (found === undefined) return failed
      if (asker.isConfined) this.#tell(query, asker, addressRecords(found))
      return fitted(found, query, limit)
    } catch (error) {
      log.warn("a question for a name could not be asked", { reason: String(error) })
      return failed
    }
  }

  /** What is called otherwise elsewhere: a stub in a container asks once, and wants the address too. */
  async #aliased(query: Query, asker: Asker, own: Answer, limit: number): Promise<Uint8Array> {
    const answers = [...(own.answers ?? [])]
    try {
      const records = await this.#follow(query, asker, own.alias ?? "", MOST_ALIASES)
      return writeResponse(query, { code: own.code, answers: [...answers, ...records] }, limit)
    } catch (error) {
      log.debug("what a name stands for could not be asked", { reason: String(error) })
      return writeResponse(query, { code: ResponseCode.serverFailure }, limit)
    }
  }

  /** The addresses of `name`, under that name. */
  async #follow(query: Query, asker: Asker, name: string, left: number): Promise<AnswerRecord[]> {
    const next = askedOtherwise(query, name)
    const own = answer(next.query, asker, this.#deps.zones, this.#deps.names)
    if (own !== ELSEWHERE) {
      const records = (own.answers ?? []).map((record) => Object.assign({ name }, record))
      if (own.alias === undefined || left === 0) return records
      return [...records, ...(await this.#follow(query, asker, own.alias, left - 1))]
    }
    const errand = { message: next.message, question: next.query.question, servers: this.#servers(asker), isLong: true }
    const found = await this.#bounded(asker, () => this.#deps.upstream.ask(errand))
    if (found === undefined) throw new Error(`nobody answered for "${name}"`)
    return addressRecords(found)
      .filter(({ type }) => type === query.type)
      .map(({ type, data }) => ({ name, type, data }))
  }

  async #bounded<T>({ containerId }: Asker, ask: () => Promise<T>): Promise<T | undefined> {
    const asking = this.#asking.get(containerId) ?? 0
    if (asking >= MOST_OF_ONE) return undefined
    this.#asking.set(containerId, asking + 1)
    try {
      return await ask()
    } finally {
      const left = (this.#asking.get(containerId) ?? 1) - 1
      if (left > 0) this.#asking.set(containerId, left)
      else this.#asking.delete(containerId)
    }
  }

  /** Who is asked: others than the asker himself. */
  #servers(asker: Asker): readonly string[] {
    // a name server that asks us would be asked by us, and so on
    return this.#named(asker).filter((server) => this.#deps.zones.asker(server)?.containerId !== asker.containerId)
  }

  /** What the container was given counts before its network's, and that before the host's. */
  #named({ servers, zones }: Asker): readonly string[] {
    if (servers.length > 0) return servers
    // one that is internal has no say in what goes out by another
    const ways = zones.filter(({ network }) => network.options.internal !== true)
    const ofNetwork = ways.map(({ network }) => network.options.dns?.servers ?? []).find(({ length }) => length > 0)
    return ofNetwork ?? this.#deps.host.now()
  }

  #tell(
    { name, type }: Query,
    { containerId }: Asker,
    records: readonly { data: Uint8Array; ttlSeconds?: number }[],
  ): void {
    if ((type !== RecordType.a && type !== RecordType.aaaa) || records.length === 0) return
    const addresses = records.map(({ data, ttlSeconds = 0 }) => ({ address: addressText(data), ttlSeconds }))
    this.#deps.egress.hear({ containerId, name, addresses })
  }
}
