import { expect, test } from "bun:test"
import { assert, oneof, property, uint8Array } from "fast-check"
import {
  addressRecords,
  fitted,
  parseQuery,
  parseResponse,
  RecordType,
  ResponseCode,
  udpLimit,
  writeResponse,
} from "./message.ts"
import { MalformedMessage, readName, writeName } from "./name.ts"

const HEADER = [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]
type Part = number | readonly number[] | Uint8Array | string

function bytes(...parts: Part[]): Uint8Array {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === "string" ? Buffer.from(part) : Buffer.from(typeof part === "number" ? [part] : part),
    ),
  )
}

/** A question for the addresses of a name. */
const question = (
  name: string,
  { type = 1, header = HEADER }: { type?: number; header?: readonly number[] } = {},
): Uint8Array => bytes(header, writeName(name), [0, type, 0, 1])

const EDNS = [0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0]

function parsed(message: Uint8Array): NonNullable<ReturnType<typeof parseQuery>> {
  const query = parseQuery(message)
  if (query === undefined) throw new Error("no query")
  return query
}

test("a question is read, its name in lower case", () => {
  const query = parsed(question("Web.MyNet", { type: 28 }))
  expect(query).toMatchObject({
    id: 0x1234,
    name: "web.mynet",
    type: 28,
    isInternet: true,
    recursionDesired: true,
    edns: undefined,
  })
})

test("an answer repeats the question in the letters it was asked with", () => {
  const answer = writeResponse(parsed(question("WeB")), { code: 0 }, 512)
  expect(Buffer.from(answer).toString("latin1")).toContain("WeB")
})

test("a dot inside a label is not taken for one between two", () => {
  expect(parsed(bytes(HEADER, 7, "web.net", 0, [0, 1, 0, 1])).name).toBe("web\\046net")
})

test("what EDNS says is read; without it a datagram has 512 bytes, with it 1232 at most", () => {
  const header = [...HEADER.slice(0, 11), 1]
  const query = parsed(bytes(question("web", { header }), EDNS))
  expect(query.edns).toEqual({ udpBytes: 4096, version: 0 })
  expect(udpLimit(query)).toBe(1232)
  expect(udpLimit(parsed(question("web")))).toBe(512)
})

const counted = (answers: number, additional = 0): number[] => [
  ...HEADER.slice(0, 7),
  answers,
  0,
  0,
  additional >> 8,
  additional & 255,
]

const HOSTILE: Record<string, Uint8Array> = {
  "a name that points to itself": bytes(HEADER, [0xc0, 12], [0, 1, 0, 1]),
  "a name that points forward": bytes(HEADER, [0xc0, 14], 0, [0, 1, 0, 1]),
  "a label of 64 bytes": bytes(HEADER, 64, "a".repeat(64), 0, [0, 1, 0, 1]),
  "a name of 256 bytes": bytes(
    HEADER,
    Array.from({ length: 4 }, () => [63, ...Buffer.from("a".repeat(63))]).flat(),
    0,
    [0, 1, 0, 1],
  ),
  "a name without an end": bytes(HEADER, 3, "web"),
  "a pointer cut off": bytes(HEADER, 0xc0),
  "no type": bytes(HEADER, 3, "web", 0),
  "no question": bytes([0x12, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  "many questions": bytes([0x12, 0x34, 1, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0], 0, [0, 1, 0, 1]),
  "records that are only counted": question("web", { header: counted(0, 0xffff) }),
  "a record longer than its message": bytes(
    question("web", { header: counted(0, 1) }),
    [0, 0, 41, 16, 0, 0, 0, 0, 0, 0xff, 0xff],
  ),
  "EDNS twice": bytes(question("web", { header: counted(0, 2) }), EDNS, EDNS),
}

for (const [what, message] of Object.entries(HOSTILE))
  test(`a message with ${what} is refused`, () => {
    expect(() => parseQuery(message)).toThrow(MalformedMessage)
  })

test("a response, or what is shorter than a header, is no question", () => {
  expect(parseQuery(question("web", { header: [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0] }))).toBeUndefined()
  expect(parseQuery(bytes(HEADER.slice(0, 11)))).toBeUndefined()
})

test("two pointers that lead to each other come to an end", () => {
  expect(() => readName(bytes([0xc0, 2], [0xc0, 0]), 0)).toThrow(MalformedMessage)
  expect(() => readName(bytes([0xc0, 2], [0xc0, 0]), 2)).toThrow(MalformedMessage)
})

test("any bytes are either a message, no message, or malformed", () => {
  const anything = uint8Array({ maxLength: 300 })
  const begun = anything.map((rest) => bytes(counted(rest.length % 5, 3), rest))
  assert(
    property(oneof(anything, begun), (message) => {
      for (const read of [parseQuery, parseResponse, addressRecords])
        try {
          read(message)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessage)
        }
    }),
    { numRuns: 2000 },
  )
})

const address = (last: number) => ({ type: RecordType.a, data: new Uint8Array([172, 18, 0, last]) })

test("an answer gives its records, to be lived with for no time", () => {
  const answer = writeResponse(parsed(question("web")), { code: 0, answers: [address(2), address(3)] }, 512)
  expect(parseResponse(answer)).toMatchObject({ id: 0x1234, code: 0, isTruncated: false })
  expect(addressRecords(answer)).toEqual([
    { name: "web", type: 1, ttlSeconds: 0, data: new Uint8Array([172, 18, 0, 2]) },
    { name: "web", type: 1, ttlSeconds: 0, data: new Uint8Array([172, 18, 0, 3]) },
  ])
})

test("an address that is given besides the answer is none of the name's", () => {
  const [answers, additional] = [[address(2)], [{ ...address(3), name: "ns.example.org" }]]
  const answer = writeResponse(parsed(question("web")), { code: 0, answers, additional }, 512)
  expect(addressRecords(answer).map(({ name }) => name)).toEqual(["web"])
})

test("of too many records as many are given as fit, and it is said", () => {
  const answers = Array.from({ length: 100 }, (_, index) => address(index))
  const answer = writeResponse(parsed(question("web")), { code: 0, answers }, 512)
  expect(answer.length).toBeLessThanOrEqual(512)
  expect(parseResponse(answer).isTruncated).toBe(true)
  expect(addressRecords(answer).length).toBe(30)
  expect(addressRecords(writeResponse(parsed(question("web")), { code: 0, answers }, 65535)).length).toBe(100)
})

test("a foreign answer that is too long becomes an empty one that says so", () => {
  const query = parsed(question("web"))
  const long = writeResponse(
    query,
    { code: 0, answers: Array.from({ length: 100 }, (_, index) => address(index)) },
    65535,
  )
  const answer = fitted(long, query, 512)
  expect(answer.length).toBe(21)
  expect(parseResponse(answer)).toMatchObject({ code: ResponseCode.success, isTruncated: true })
})
