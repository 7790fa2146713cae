import { expect, test } from "bun:test"
import { gzipSync } from "node:zlib"
import { decompressBounded } from "./bounded-decompress.ts"

const limits = { expansionRatio: 10, expansionFreeBytes: 4096 }

// oxlint-disable-next-line require-await
async function* streamOf(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}

async function sizeOf(bytes: Uint8Array): Promise<number> {
  let size = 0
  for await (const chunk of decompressBounded(streamOf(bytes), "archive", limits)) size += chunk.length
  return size
}

test("a bomb is stopped, however it is packed, and says what it is", async () => {
  await expect(sizeOf(gzipSync(Buffer.alloc(1 << 20)))).rejects.toMatchObject({
    code: "InvalidArgument",
    message: expect.stringMatching(/^the archive grows from /),
  })
  await expect(sizeOf(Bun.zstdCompressSync(Buffer.alloc(1 << 20)))).rejects.toMatchObject({ code: "InvalidArgument" })
})

test("what is small, or is not compressed, is nobody's attack", async () => {
  expect(await sizeOf(gzipSync(Buffer.alloc(4096)))).toBe(4096)
  expect(await sizeOf(Buffer.alloc(1 << 20, "x"))).toBe(1 << 20)
})
