import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib"
import { describe, expect, test } from "bun:test"
import { DICTIONARY } from "./dictionary.ts"
import { controlFrame, dataFrame, FRAME, parseFrameHead, words } from "./frames.ts"
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts"
import { formatHeaders, HeaderReader, HeaderWriter, parseHeaders, type SpdyHeaders } from "./header-block.ts"

const flushed = (stream: Deflate | Inflate, bytes: Uint8Array) =>
  new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = []
    const add = (chunk: Buffer) => void chunks.push(chunk)
    stream.on("data", add)
    stream.write(bytes)
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off("data", add)
      resolve(Buffer.concat(chunks))
    })
  })

describe("headers", () => {
  test("the dictionary is the specification's, by its length and checksum", () => {
    let [a, b] = [1, 0]
    for (const byte of DICTIONARY) {
      a = (a + byte) % 65_521
      b = (b + a) % 65_521
    }
    expect([DICTIONARY.length, (b * 65_536 + a).toString(16)]).toEqual([1423, "e3c6a7c2"])
  })

  test("blocks that zlib has compressed are read, one after the other", async () => {
    const deflate = createDeflate({ dictionary: DICTIONARY })
    using reader = new HeaderReader()
    const blocks: SpdyHeaders[] = [{ streamtype: "stdin" }, { streamtype: "data", port: "80", requestid: "0" }, {}]
    for (const headers of blocks)
      expect({ ...(await reader.read(await flushed(deflate, formatHeaders(headers)))) }).toEqual(headers)
  })

  test("blocks that are written are what zlib reads", async () => {
    const inflate = createInflate({ dictionary: DICTIONARY })
    const writer = new HeaderWriter()
    const blocks: SpdyHeaders[] = [{}, { a: "b" }, { long: "x".repeat(50_000) }]
    for (const headers of blocks) {
      const block = writer.write(headers)
      expect({ ...parseHeaders(await flushed(inflate, block)) }).toEqual(headers)
      // Kubernetes' clients, which are Go's, give nothing of a block that is not flushed
      expect(Buffer.from(block.subarray(-4)).toString("hex")).toBe("0000ffff")
    }
  })

  test("what is none is refused: noise, a bomb, one that is cut short, too many", async () => {
    using noise = new HeaderReader()
    await expect(noise.read(Buffer.from("not compressed at all"))).rejects.toThrow()
    using bombed = new HeaderReader()
    const bomb = await flushed(createDeflate({ dictionary: DICTIONARY }), Buffer.alloc(10_000_000))
    expect(bomb.length).toBeLessThan(20_000)
    await expect(bombed.read(bomb)).rejects.toThrow("too large")
    for (const bytes of [Buffer.alloc(0), words([1]), words([1, 5]), words([1, 0xffffffff, 0]), words([101])])
      expect(() => parseHeaders(Buffer.from(bytes))).toThrow()
    expect(parseHeaders(formatHeaders({ __proto__x: "1" })).polluted).toBeUndefined()
  })
})

test("frames are written as they are read", () => {
  expect(parseFrameHead(dataFrame(5, Buffer.from("hello"), 1))).toEqual({
    kind: "data",
    stream: 5,
    flags: 1,
    length: 5,
  })
  expect(parseFrameHead(controlFrame(FRAME.ping, words([7])))).toEqual({
    kind: "control",
    type: 6,
    flags: 0,
    length: 4,
  })
  expect(parseFrameHead(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]))).toBeUndefined()
  expect(parseFrameHead(dataFrame(0x7fffffff, Buffer.alloc(0xffff), 0xff))).toEqual({
    kind: "data",
    stream: 0x7fffffff,
    flags: 0xff,
    length: 0xffff,
  })
})

/** Gives frames as fast as they are asked for, and counts what was taken of them. */
const wireOf = (frames: Iterable<Uint8Array>) => {
  const iterator = frames[Symbol.iterator]()
  let rest: Uint8Array = new Uint8Array()
  const sent: Uint8Array[] = []
  const wire = {
    takenBytes: 0,
    sent,
    closed: new AbortController().signal,
    async some(max: number): Promise<Uint8Array | undefined> {
      if (rest.length === 0) rest = iterator.next().value ?? new Uint8Array()
      if (rest.length === 0) return undefined
      const piece = rest.subarray(0, max)
      rest = rest.subarray(piece.length)
      wire.takenBytes += piece.length
      return piece
    },
    async exactly(size: number): Promise<Uint8Array | undefined> {
      const parts: Uint8Array[] = []
      for (let left = size; left > 0;) {
        const piece = await wire.some(left)
        if (piece === undefined) return undefined
        parts.push(piece)
        left -= piece.length
      }
      return Buffer.concat(parts)
    },
    async write(bytes: Uint8Array) {
      sent.push(bytes)
    },
    end() {},
  }
  return wire
}
const synStream = (writer: HeaderWriter, id: number, headers: SpdyHeaders) =>
  controlFrame(FRAME.synStream, words([id, 0], Buffer.concat([Buffer.alloc(2), writer.write(headers)])))

describe("a connection", () => {
  test("holds its client back when all streams together have much that nobody takes, and goes on when it is taken", async () => {
    const streams: SpdyStream[] = []
    const [count, each] = [100, 200_000]
    const wire = wireOf(
      (function* () {
        const writer = new HeaderWriter()
        for (let index = 0; index < count; index++) {
          yield synStream(writer, 2 * index + 1, { streamtype: "data" })
          yield dataFrame(2 * index + 1, Buffer.alloc(each), 1)
        }
      })(),
    )
    const running = new SpdyConnection(wire, (stream) => streams.push(stream)).run()
    await Bun.sleep(50)
    expect(wire.takenBytes).toBeLessThan(2_000_000)
    // one that is taken back leaves room, too
    await streams[0]?.reset()
    let taken = 0
    const all = setInterval(() => {
      for (const stream of streams) stream.onData((chunk) => void (taken += chunk.length))
    }, 1)
    await running
    clearInterval(all)
    for (const stream of streams) stream.onData((chunk) => void (taken += chunk.length))
    await Bun.sleep(5)
    expect(streams).toHaveLength(count)
    expect(taken).toBe((count - 1) * each)
  })

  test("takes no stream whose headers are long, and no more than it may have", async () => {
    const streams: SpdyStream[] = []
    const wire = wireOf(
      (function* () {
        const writer = new HeaderWriter()
        yield synStream(writer, 1, { streamtype: "x".repeat(2000) })
        for (let id = 3; id < 2003; id += 2) yield synStream(writer, id, { streamtype: "data" })
      })(),
    )
    await new SpdyConnection(wire, (stream) => streams.push(stream)).run()
    expect(streams).toHaveLength(512)
    const kinds = wire.sent.map((frame) => parseFrameHead(frame))
    const resets = kinds.filter((head) => head?.kind === "control" && head.type === FRAME.rstStream)
    expect(resets).toHaveLength(1000 - 512 + 1)
  })
})
