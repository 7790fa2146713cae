/** What every content store must do: those of a directory, and those that find some of the blobs elsewhere. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { parseDigest } from "../spec/digest.ts"
import type { ContentStore } from "./content.ts"

export interface OpenedContentStore extends AsyncDisposable {
  store: ContentStore
}

const utf8 = (text: string) => Buffer.from(text)
const digestOf = (text: string, algorithm = "sha256") =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(text).digest("hex")}`)

async function collected(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** `open` gives an empty one. */
export function contentSuite(name: string, open: () => Promise<OpenedContentStore>): void {
  let opened: OpenedContentStore
  let store: ContentStore
  beforeEach(async () => {
    opened = await open()
    store = opened.store
  })
  afterEach(() => opened[Symbol.asyncDispose]())

  describe(name, () => {
    describe("blobs", () => {
      test("put() stores bytes under their digest, once", async () => {
        const { digest, size } = await store.put(utf8("hello"))
        expect([digest, size]).toEqual([digestOf("hello"), 5])
        expect(await store.put(utf8("hello"))).toMatchObject({ digest, size: 5 })
        expect(readFileSync(store.path(digest), "utf8")).toBe("hello")
        expect([...store.list()]).toMatchObject([{ digest, size: 5 }])
      })

      test("the same bytes put by many at once are one blob", async () => {
        await Promise.all(Array.from({ length: 20 }, () => store.put(utf8("x".repeat(100_000)))))
        expect([...store.list()].length).toBe(1)
      })

      test("read() gives a range; readAll() refuses what is too long", async () => {
        const { digest } = await store.put(utf8("0123456789"))
        expect(await collected(store.read(digest))).toBe("0123456789")
        expect(await collected(store.read(digest, { start: 2, end: 5 }))).toBe("234")
        expect(await collected(store.read(digest, { start: 8 }))).toBe("89")
        expect(Buffer.from(await store.readAll(digest, 10)).toString()).toBe("0123456789")
        await expect(store.readAll(digest, 9)).rejects.toMatchObject({ code: "InvalidArgument" })
      })

      test("an unknown blob is NotFound; deleting is safe to repeat", async () => {
        const { digest } = await store.put(utf8("x"))
        await store.delete(digest)
        await store.delete(digest)
        expect(store.has(digest)).toBe(false)
        expect(() => store.info(digest)).toThrow("no such blob")
        expect(() => store.path(digest)).toThrow("no such blob")
        await expect(Array.fromAsync(store.read(digest))).rejects.toMatchObject({ code: "NotFound" })
      })
    })

    describe("an ingest", () => {
      test("commit() refuses a digest other than the bytes written, and keeps nothing", async () => {
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        await expect(ingest.commit({ digest: digestOf("other"), size: 5 })).rejects.toMatchObject({ code: "DataLoss" })
        expect([...store.list()]).toEqual([])
      })

      test.each([4, 6])("commit() refuses a size of %p for 5 bytes", async (size) => {
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        await expect(ingest.commit({ digest: digestOf("hello"), size })).rejects.toMatchObject({ code: "DataLoss" })
        expect([...store.list()]).toEqual([])
      })

      test("nothing is visible before commit", async () => {
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        expect(store.has(digestOf("hello"))).toBe(false)
        await ingest.commit({ digest: digestOf("hello") })
        expect(store.has(digestOf("hello"))).toBe(true)
      })

      test("goes on from where an earlier one stopped", async () => {
        {
          await using ingest = await store.ingest("t")
          await ingest.write(utf8("hello "))
        }
        await using ingest = await store.ingest("t")
        expect(ingest.offset).toBe(6)
        expect(await collected(ingest.written())).toBe("hello ")
        await ingest.write(utf8("world"))
        await ingest.commit({ digest: digestOf("hello world"), size: 11 })
        expect(readFileSync(store.path(digestOf("hello world")), "utf8")).toBe("hello world")
      })

      test("truncate() starts again from nothing", async () => {
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("wrong"))
        await ingest.truncate()
        expect(ingest.offset).toBe(0)
        await ingest.write(utf8("right"))
        await ingest.commit({ digest: digestOf("right"), size: 5 })
      })

      test("takes sha512 too", async () => {
        const digest = digestOf("hello", "sha512")
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        await ingest.commit({ digest, size: 5 })
        expect([...store.list()].map((blob) => blob.digest)).toEqual([digest])
      })
    })

    describe("a reader", () => {
      test("may have each chunk in a buffer that is used again", async () => {
        const text = "0123456789abcdef".repeat(200_000)
        const { digest } = await store.put(utf8(text))
        expect(await collected(store.read(digest, { start: 0, reuse: true }))).toBe(text)
        expect(await collected(store.read(digest, { start: 1_500_000, end: 2_600_000, reuse: true }))).toBe(
          text.slice(1_500_000, 2_600_000),
        )
      })

      test("ends when it is cancelled", async () => {
        const { digest } = await store.put(Buffer.alloc(4 << 20))
        const stop = new AbortController()
        let taken = 0
        const reading = (async () => {
          for await (const chunk of store.read(digest, { start: 0, signal: stop.signal })) {
            taken += chunk.length
            stop.abort(new Error("enough"))
          }
        })()
        await expect(reading).rejects.toThrow("enough")
        expect(taken).toBeLessThan(4 << 20)
      })
    })

    describe("an ingest that is given up", () => {
      test("by discard() is gone, however often it is called", async () => {
        const ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        await ingest.discard()
        await ingest.discard()
        await using again = await store.ingest("t")
        expect(again.offset).toBe(0)
      })

      test("takes nothing any more once it is committed", async () => {
        await using ingest = await store.ingest("t")
        await ingest.write(utf8("hello"))
        await ingest.commit({ digest: digestOf("hello"), size: 5 })
        await expect(ingest.write(utf8("more"))).rejects.toMatchObject({ code: "FailedPrecondition" })
      })

      test("while it is committed by two refs, is one blob", async () => {
        for (const ref of ["one", "two"]) {
          await using ingest = await store.ingest(ref)
          await ingest.write(utf8("hello"))
          await ingest.commit({ digest: digestOf("hello"), size: 5 })
        }
        expect([...store.list()]).toHaveLength(1)
      })
    })
  })
}
