import { describe, expect, test } from "bun:test"
import { createHash, randomBytes } from "node:crypto"
import { Cancelled, DataLoss, NotFound, Unavailable } from "../../base/errors.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import type { CacheReader } from "./backend.ts"
import { verifiedBlob, wholeBlob } from "./verified.ts"

const bytes = randomBytes(10_000)
const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest
const descriptor: Descriptor = { mediaType: "x", digest, size: bytes.length }

type Fetch = CacheReader["fetch"]

const unused = (): Promise<never> => Promise.reject(new NotFound("not asked for"))

/** A place that answers so, and what it was asked for. */
function place(fetch: (offset: number) => ReturnType<Fetch>): CacheReader & { asked: number[] } {
  const asked: number[] = []
  return {
    name: "place",
    asked,
    top: unused,
    document: unused,
    async fetch(_, offset) {
      asked.push(offset)
      return await fetch(offset)
    },
  }
}

async function* chunksOf(part: Uint8Array, failure?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < part.length; at += 999) yield part.subarray(at, at + 999)
  if (failure) throw failure
}

const read = async (reader: CacheReader, signal?: AbortSignal): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(verifiedBlob(reader, descriptor, signal)))

describe("verifiedBlob()", () => {
  test("gives the bytes", async () => {
    expect((await read(place(async () => ({ offset: 0, bytes: chunksOf(bytes) })))).equals(bytes)).toBe(true)
  })

  test("goes on where a line broke, also at a place that begins anew", async () => {
    for (const resumes of [true, false]) {
      const reader = place(async (offset) => {
        const start = resumes ? offset : 0
        const end = offset === 0 ? 4_000 : bytes.length
        return {
          offset: start,
          bytes: chunksOf(bytes.subarray(start, end), offset === 0 ? new Unavailable("cut") : undefined),
        }
      })
      expect((await read(reader)).equals(bytes)).toBe(true)
      expect(reader.asked).toEqual([0, 4_000])
    }
  })

  test("gives up when a place brings nothing any more", async () => {
    const reader = place(async () => {
      throw new Unavailable("down")
    })
    await expect(read(reader)).rejects.toThrow("down")
    expect(reader.asked).toHaveLength(5)
  })

  test.each<[string, Uint8Array]>([
    ["other bytes", randomBytes(bytes.length)],
    ["too few", bytes.subarray(1)],
    ["too many", Buffer.concat([bytes, bytes])],
  ])("refuses %s", async (_, other) => {
    const failure = await read(place(async () => ({ offset: 0, bytes: chunksOf(other) }))).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(DataLoss)
  })

  test("ends when the build does", async () => {
    const stop = AbortSignal.abort()
    const reading = read(
      place(async () => ({ offset: 0, bytes: chunksOf(bytes) })),
      stop,
    )
    await expect(reading).rejects.toBeInstanceOf(Cancelled)
  })
})

test("wholeBlob() does not even ask for what is too large", async () => {
  const reader = place(async () => ({ offset: 0, bytes: chunksOf(bytes) }))
  await expect(wholeBlob(reader, descriptor, 9_999)).rejects.toThrow("the limit is 9999")
  expect(reader.asked).toEqual([])
})
