import { constants, createDeflate, createInflate, type Deflate, type Inflate } from "node:zlib"
import { describe, expect, test } from "bun:test"
import { DICTIONARY } from "./dictionary.ts"
import { controlFrame, dataFrame, FRAME, parseFrameHead, words } from "./frames.ts"
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
