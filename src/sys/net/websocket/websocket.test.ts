import { expect, test } from "bun:test"
import { acceptKey, frame, WebSocketConnection } from "./websocket.ts"

/** A connection that gives these bytes, and keeps what is written. */
function wire(bytes: Uint8Array) {
  let at = 0
  const written: Buffer[] = []
  return {
    written,
    isEnded: false,
    async exactly(size: number) {
      if (at + size > bytes.length) return undefined
      at += size
      return Uint8Array.from(bytes.subarray(at - size, at))
    },
    async write(chunk: Uint8Array) {
      written.push(Buffer.from(chunk))
    },
    end() {
      this.isEnded = true
    },
  }
}

/** As a client sends it. */
function masked(first: number, payload: Uint8Array | string, length = payload.length): Buffer {
  const mask = Buffer.from([1, 2, 3, 4])
  const bytes = Buffer.from(payload as string).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  const size =
    length < 126
      ? Buffer.from([0x80 | length])
      : length < 65_536
        ? Buffer.from([0x80 | 126, length >> 8, length & 255])
        : Buffer.from([0x80 | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255])
  return Buffer.concat([Buffer.from([first]), size, mask, bytes])
}

const [BINARY, TEXT, CONTINUED, LAST, PING, CLOSE] = [0x82, 0x81, 0x02, 0x80, 0x89, 0x88]

async function read(...frames: Uint8Array[]) {
  const connection = wire(Buffer.concat(frames))
  const messages: string[] = []
  for await (const message of new WebSocketConnection(connection).messages())
    messages.push(Buffer.from(message).toString())
  return { messages, connection, closedWith: connection.written.at(-1)?.readUInt16BE(2) }
}

test("the key is answered as RFC 6455 shows it", () => {
  expect(acceptKey("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
})

test("messages come whole, whatever their length and in however many frames; a ping is answered between", async () => {
  const long = "x".repeat(70_000)
  const { messages, connection, closedWith } = await read(
    masked(BINARY, "a"),
    masked(TEXT, "y".repeat(300)),
    masked(BINARY, long),
    masked(CONTINUED, "one "),
    masked(PING, "p"),
    masked(LAST, "two"),
    masked(CLOSE, ""),
  )
  expect(messages).toEqual(["a", "y".repeat(300), long, "one two"])
  expect(connection.written[0]).toEqual(Buffer.from([0x8a, 1, 0x70]))
  expect([closedWith, connection.isEnded]).toEqual([1000, true])
})

test("what must not come ends the connection with the reason", async () => {
  const unmasked = Buffer.from([BINARY, 1, 65])
  for (const bytes of [unmasked, masked(0xc2, "x"), masked(LAST, "x"), masked(0x09, "x"), masked(0x83, "x")])
    expect((await read(bytes)).closedWith).toBe(1002)
  expect((await read(masked(CONTINUED, "a"), masked(BINARY, "b"))).closedWith).toBe(1002)
  expect((await read(masked(BINARY, "", 2_000_000))).closedWith).toBe(1009)
  const parts = Array.from({ length: 12 }, (_, index) => masked(index === 0 ? CONTINUED : 0, "x".repeat(100_000)))
  expect((await read(...parts)).closedWith).toBe(1009)
})

test("frames of a server are not masked, and have the shortest length that holds them", () => {
  expect(frame(2, Buffer.from("hi"))).toEqual(Buffer.from([0x82, 2, 0x68, 0x69]))
  expect(frame(2, Buffer.alloc(126)).subarray(0, 4)).toEqual(Buffer.from([0x82, 126, 0, 126]))
  expect(frame(2, Buffer.alloc(70_000)).subarray(0, 10)).toEqual(Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]))
})

test("a message of frames without a byte ends the connection before they fill the memory", async () => {
  const empty = Array.from({ length: 20_000 }, () => masked(0x00, ""))
  const { messages, closedWith } = await read(masked(CONTINUED, ""), ...empty, masked(LAST, ""))
  expect([messages, closedWith]).toEqual([[], 1009])
})

test("a client's frames are masked, a server's may not be", async () => {
  const connection = wire(Buffer.concat([frame(2, Buffer.from("from a server")), masked(BINARY, "x")]))
  const client = new WebSocketConnection(connection, { isClient: true })
  await client.send(Buffer.from("hello"))
  const sent = connection.written[0] ?? Buffer.alloc(0)
  expect([sent[0], sent[1]]).toEqual([BINARY, 0x80 | 5])
  expect((await read(sent)).messages).toEqual(["hello"])
  const messages: string[] = []
  for await (const message of client.messages()) messages.push(Buffer.from(message).toString())
  expect(messages).toEqual(["from a server"])
  // its own word of the end is masked, too
  expect(connection.written.at(-1)?.subarray(0, 2)).toEqual(Buffer.from([CLOSE, 0x82]))
})
