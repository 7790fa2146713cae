/**
 * DNS messages (RFC 1035, section 4; EDNS: RFC 6891), as far as a resolver for containers needs them. Pure.
 *
 * What arrives is hostile: a container, or anything that answers in a name server's place, chooses every byte. Reading looks at no byte
 * outside the message, follows a compression pointer only backwards, and makes no name longer than a name may be.
 */
import { MalformedMessage, readName, skipName, writeName } from "./name.ts"

export const RecordType = {
  a: 1,
  ns: 2,
  cname: 5,
  soa: 6,
  ptr: 12,
  txt: 16,
  aaaa: 28,
  srv: 33,
  opt: 41,
  ds: 43,
  dnskey: 48,
  any: 255,
} as const

export const ResponseCode = {
  success: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const

const CLASS_INTERNET = 1
const HEADER_BYTES = 12
/** RFC 1035, section 4.2.1. */
const PLAIN_UDP_BYTES = 512
/** What goes through every path without fragments (DNS flag day 2020). */
const LARGEST_UDP_BYTES = 1232

const Flag = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
}

/** A question. */
export interface Query {
  id: number
  opcode: number
  recursionDesired: boolean
  /** In lower case, without the last dot; the root is empty. What is no letter, digit, `-` or `_` is escaped: `\046`. */
  name: string
  type: number
  isInternet: boolean
  /** The question as it came, in the letters that its asker chose: it is repeated in the answer. */
  question: Uint8Array
  /** Undefined: its asker knows no EDNS. */
  edns: { udpBytes: number; version: number } | undefined
}

/** A record of an answer, of those that say where a name is. */
export interface AddressRecord {
  name: string
  type: number
  ttlSeconds: number
  data: Uint8Array
}

/** One record that we answer with. */
export interface AnswerRecord {
  /** Undefined: the name of the question. */
  name?: string
  type: number
  data: Uint8Array
}

/** Reads a question. Throws MalformedMessage; undefined for what is none, and must not be answered. */
export function parseQuery(message: Uint8Array): Query | undefined {
  if (message.length < HEADER_BYTES) return undefined
  const view = viewOf(message)
  const flags = view.getUint16(2)
  if ((flags & Flag.response) !== 0) return undefined
  if (view.getUint16(4) !== 1) throw new MalformedMessage("a query has one question")
  const { name, end } = readName(message, HEADER_BYTES)
  if (end + 4 > message.length) throw new MalformedMessage("the question is cut off")
  return {
    id: view.getUint16(0),
    opcode: (flags >> 11) & 15,
    recursionDesired: (flags & Flag.recursionDesired) !== 0,
    name,
    type: view.getUint16(end),
    isInternet: view.getUint16(end + 2) === CLASS_INTERNET,
    question: message.slice(HEADER_BYTES, end + 4),
    edns: findEdns(message, end + 4),
  }
}

function findEdns(message: Uint8Array, start: number): Query["edns"] {
  const view = viewOf(message)
  let found: Query["edns"]
  for (const { type, at } of sections(message, start)) {
    if (type !== RecordType.opt) continue
    if (found !== undefined) throw new MalformedMessage("EDNS is there twice")
    found = { udpBytes: view.getUint16(at + 2), version: view.getUint8(at + 5) }
  }
  return found
}

/** The records after the questions; `at` is where the name ends. As many as there are bytes for: what the header counts is only a claim. */
function* sections(
  message: Uint8Array,
  start: number,
): Generator<{ from: number; at: number; type: number; dataBytes: number; isAnswer: boolean }> {
  const view = viewOf(message)
  const answers = view.getUint16(6)
  const count = answers + view.getUint16(8) + view.getUint16(10)
  let from = start
  for (let index = 0; index < count; index++) {
    const at = skipName(message, from)
    if (at + 10 > message.length) throw new MalformedMessage("a record is cut off")
    const dataBytes = view.getUint16(at + 8)
    if (at + 10 + dataBytes > message.length) throw new MalformedMessage("a record is longer than its message")
    yield { from, at, type: view.getUint16(at), dataBytes, isAnswer: index < answers }
    from = at + 10 + dataBytes
  }
}

/** What a name server says: how it went, and whether it is all. Throws MalformedMessage. */
export function parseResponse(message: Uint8Array): {
  id: number
  code: number
  isTruncated: boolean
  question: Uint8Array
} {
  if (message.length < HEADER_BYTES) throw new MalformedMessage("shorter than its header")
  const view = viewOf(message)
  const flags = view.getUint16(2)
  if ((flags & Flag.response) === 0 || view.getUint16(4) !== 1) throw new MalformedMessage("no answer to one question")
  const end = skipName(message, HEADER_BYTES) + 4
  if (end > message.length) throw new MalformedMessage("the question is cut off")
  return {
    id: view.getUint16(0),
    code: flags & 15,
    isTruncated: (flags & Flag.truncated) !== 0,
    question: message.subarray(HEADER_BYTES, end),
  }
}

/** The addresses that were asked for, and not those of name servers that an answer gives besides. Throws MalformedMessage. */
export function addressRecords(message: Uint8Array): AddressRecord[] {
  const view = viewOf(message)
  const found: AddressRecord[] = []
  for (const { from, at, type, dataBytes, isAnswer } of sections(message, skipName(message, HEADER_BYTES) + 4)) {
    if (!isAnswer || (type !== RecordType.a && type !== RecordType.aaaa)) continue
    if (dataBytes !== (type === RecordType.a ? 4 : 16)) throw new MalformedMessage("an address of another length")
    const data = message.slice(at + 10, at + 10 + dataBytes)
    found.push({ name: readName(message, from).name, type, ttlSeconds: view.getUint32(at + 4), data })
  }
  return found
}

/** Whether both ask the same: letters of either case are equal. */
export function isSameQuestion(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => lowered(byte) === lowered(other[index] ?? 0))
}

const lowered = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)

/** An answer to a query that was not read to its end: nothing of it is repeated but its number. */
export function failure(message: Uint8Array, code: number): Uint8Array {
  const answer = new Uint8Array(HEADER_BYTES)
  answer.set(message.subarray(0, 2))
  viewOf(answer).setUint16(2, Flag.response | code)
  return answer
}

/** How many bytes the asker takes as one datagram. */
export function udpLimit({ edns }: Pick<Query, "edns">): number {
  return Math.min(Math.max(edns?.udpBytes ?? 0, PLAIN_UDP_BYTES), LARGEST_UDP_BYTES)
}

/**
 * Our own answer. Where not all records fit, as many as do, and it says so: an asker that does not come again by TCP has some of
 * them at least. Their time to live is 0: a container may be gone in a second.
 */
export function writeResponse(
  query: Query,
  {
    code,
    answers = [],
    additional = [],
  }: { code: number; answers?: readonly AnswerRecord[]; additional?: readonly AnswerRecord[] },
  limit: number,
): Uint8Array {
  const ednsBytes = query.edns === undefined ? 0 : EDNS_BYTES
  const parts: Uint8Array[] = []
  let size = HEADER_BYTES + query.question.length + ednsBytes
  const take = (records: readonly AnswerRecord[]): number => {
    for (const [index, record] of records.entries()) {
      const bytes = recordBytes(record)
      if (size + bytes.length > limit) return index
      parts.push(bytes)
      size += bytes.length
    }
    return records.length
  }
  const answered = take(answers)
  const isWhole = answered === answers.length
  // RFC 2181, section 9: additional records that do not fit are no reason to come again
  const added = isWhole ? take(additional) : 0
  const answer = new Uint8Array(size)
  const view = viewOf(answer)
  view.setUint16(0, query.id)
  const desired = query.recursionDesired ? Flag.recursionDesired : 0
  const cut = isWhole ? 0 : Flag.truncated
  view.setUint16(2, Flag.response | Flag.authoritative | Flag.recursionAvailable | desired | cut | (code & 15))
  for (const [index, count] of [1, answered, 0, added + (ednsBytes === 0 ? 0 : 1)].entries())
    view.setUint16(4 + 2 * index, count)
  let at = HEADER_BYTES
  for (const part of [query.question, ...parts]) {
    answer.set(part, at)
    at += part.length
  }
  if (ednsBytes > 0) {
    view.setUint16(at + 1, RecordType.opt)
    view.setUint16(at + 3, LARGEST_UDP_BYTES)
    // RFC 6891, section 6.1.3: the upper bits of the code
    view.setUint8(at + 5, code >> 4)
  }
  return answer
}

const EDNS_BYTES = 11
/** A compression pointer to the name of the question. */
const QUESTION_NAME = new Uint8Array([0xc0, HEADER_BYTES])

function recordBytes({ name, type, data }: AnswerRecord): Uint8Array {
  const owner = name === undefined ? QUESTION_NAME : writeName(name)
  const bytes = new Uint8Array(owner.length + 10 + data.length)
  const view = viewOf(bytes)
  bytes.set(owner)
  view.setUint16(owner.length, type)
  view.setUint16(owner.length + 2, CLASS_INTERNET)
  view.setUint16(owner.length + 8, data.length)
  bytes.set(data, owner.length + 10)
  return bytes
}

/** The question of `query` for another name: to be asked of others, or of ourselves. Throws MalformedMessage. */
export function askedOtherwise(query: Query, name: string): { query: Query; message: Uint8Array } {
  const question = concatName(name, query.type)
  const header = new Uint8Array(HEADER_BYTES)
  const view = viewOf(header)
  view.setUint16(2, Flag.recursionDesired)
  view.setUint16(4, 1)
  const message = new Uint8Array([...header, ...question])
  return { query: { ...query, name: name.toLowerCase(), question, edns: undefined }, message }
}

function concatName(name: string, type: number): Uint8Array {
  return new Uint8Array([...writeName(name), type >> 8, type & 255, 0, CLASS_INTERNET])
}

/** The same message under another number: the rest is not ours to change. */
export function renumbered(message: Uint8Array, id: number): Uint8Array {
  const copy = message.slice()
  viewOf(copy).setUint16(0, id)
  return copy
}

/** An answer of somebody else's as its asker can take it: too long for a datagram, only its header says so. */
export function fitted(response: Uint8Array, query: Query, limit: number): Uint8Array {
  if (response.length <= limit) return renumbered(response, query.id)
  const empty = writeResponse(query, { code: ResponseCode.success }, limit)
  const view = viewOf(empty)
  view.setUint16(2, (view.getUint16(2) & ~Flag.authoritative) | Flag.truncated)
  return empty
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
