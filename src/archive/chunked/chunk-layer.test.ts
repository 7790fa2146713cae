import { describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { tar } from "../../../test/support/tar.ts"
import { decompress } from "../compression.ts"
import { chunkLayer, type ChunkedFormat, type ChunkedMade } from "./chunk-layer.ts"
import { chunkedLayer, estargzTocOffset, ESTARGZ_FOOTER_BYTES } from "./positions.ts"
import { encodeTarHeader } from "../tar-writer.ts"
import type { TocEntry } from "./toc-entry.ts"

const big = Buffer.from(Array.from({ length: 5 << 20 }, (_, index) => (index * index) >> 9))
const archive = tar([
  { name: "etc/", type: "directory", mode: 0o755 },
  { name: "etc/passwd", content: "root:x:0:0\n", mode: 0o644, mtime: 1_700_000_000 },
  { name: "etc/empty" },
  { name: "bin/big", content: big, mode: 0o755 },
  { name: "bin/link", type: "symlink", linkName: "big" },
  { name: "bin/hard", type: "hardlink", linkName: "bin/big" },
])

async function* inPieces(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
}

async function made(format: ChunkedFormat, bytes: Uint8Array = archive) {
  let known: ChunkedMade | undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of chunkLayer(inPieces(bytes), format, { onEnd: (it) => (known = it) })) chunks.push(chunk)
  if (known === undefined) throw new Error("it did not end")
  return { blob: Buffer.concat(chunks), ...known }
}

async function plainOf(blob: Uint8Array): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of decompress(inPieces(blob))) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

/** What the table says of each content, decompressed from where the table says it is. */
function contents(blob: Buffer, entries: TocEntry[], unpack: (bytes: Buffer) => Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  entries.forEach((entry, index) => {
    if (entry.offset === undefined) return
    const next = entries.slice(index + 1).find(({ type }) => type === "chunk")
    const own = entries.slice(0, index + 1).findLast(({ type }) => type === "reg")
    const end = next?.name === entry.name ? next.offset : own?.endOffset
    const chunk = unpack(blob.subarray(entry.offset, end))
    files.set(entry.name, Buffer.concat([files.get(entry.name) ?? Buffer.alloc(0), chunk]))
  })
  return files
}

describe("chunkLayer()", () => {
  test("as zstd:chunked decompresses to the very archive, and its table leads to each content", async () => {
    const { blob, annotations } = await made("zstd:chunked")
    expect((await plainOf(blob)).equals(archive)).toBe(true)
    const layer = chunkedLayer(annotations)
    if (layer?.format !== "zstd:chunked") throw new Error("no table")
    const packed = blob.subarray(layer.toc.offset, layer.toc.offset + layer.toc.length)
    expect(layer.tocChecksum).toBe(digestOf(packed) as never)
    const text = zstdDecompressSync(packed)
    expect(text.length).toBe(layer.toc.uncompressedLength)
    const toc = JSON.parse(text.toString()) as { version: number; entries: TocEntry[]; tarSplitDigest: string }
    expect(toc.entries.map(({ type, name }) => `${type} ${name}`)).toEqual([
      "dir etc/",
      "reg etc/passwd",
      "reg etc/empty",
      "reg bin/big",
      "chunk bin/big",
      "symlink bin/link",
      "hardlink bin/hard",
    ])
    expect(toc.entries[1]).toMatchObject({ mode: 0o644, size: 11, modtime: "2023-11-14T22:13:20Z" })
    const files = contents(blob, toc.entries, (bytes) => zstdDecompressSync(bytes))
    expect(files.get("etc/passwd")?.toString()).toBe("root:x:0:0\n")
    expect(files.get("bin/big")?.equals(big)).toBe(true)
    expect(toc.entries[3]?.digest).toBe(digestOf(big))

    const split = blob.subarray(layer.tarSplit.offset, layer.tarSplit.offset + layer.tarSplit.length)
    expect(toc.tarSplitDigest).toBe(digestOf(split))
    const lines = (await plainOf(split)).toString().trimEnd().split("\n")
    const again = lines.map((line) => {
      const { type, name, payload } = JSON.parse(line) as { type: number; name?: string; payload: string | null }
      return type === 2 ? Buffer.from(payload ?? "", "base64") : (files.get(name ?? "") ?? Buffer.alloc(0))
    })
    expect(Buffer.concat(again).equals(archive)).toBe(true)
    // the footer says the same as the annotations
    const footer = blob.subarray(-64)
    expect([0, 1, 2, 3].map((at) => Number(footer.readBigUInt64LE(at * 8))).join(":")).toBe(
      annotations["io.github.containers.zstd-chunked.manifest-position"] ?? "",
    )
    expect(footer.toString("latin1", 56)).toBe("GNUlInUx")
  })

  test("as eStargz is a gzip of an archive with landmark and table, which leads to each content", async () => {
    const { blob, annotations, diffId } = await made("estargz")
    const plain = await plainOf(blob)
    expect(diffId).toBe(digestOf(plain) as never)
    expect(Number(annotations["io.containers.estargz.uncompressed-size"])).toBe(plain.length)
    const tocOffset = estargzTocOffset(blob.subarray(-ESTARGZ_FOOTER_BYTES))
    const tail = gunzipSync(blob.subarray(tocOffset, -ESTARGZ_FOOTER_BYTES))
    const size = Number.parseInt(tail.toString("latin1", 124, 135), 8)
    expect(tail.toString("latin1", 0, 17)).toBe("stargz.index.json")
    const json = tail.subarray(512, 512 + size)
    expect(annotations["containerd.io/snapshot/stargz/toc.digest"]).toBe(digestOf(json))
    const { entries } = JSON.parse(json.toString()) as { entries: TocEntry[] }
    expect(entries[0]).toMatchObject({ name: ".no.prefetch.landmark", type: "reg", size: 1 })
    const files = contents(blob, entries, (bytes) => gunzipSync(bytes))
    expect(files.get("bin/big")?.equals(big)).toBe(true)
    // made once more, it stays what it is: what the format adds is not added twice
    const again = await made("estargz", plain)
    expect(again.blob.equals(blob)).toBe(true)
  })

  test("refuses what a table cannot tell: a name twice, a name that is no UTF-8", async () => {
    const twice = tar([
      { name: "a", content: "1" },
      { name: "./a", content: "2" },
    ])
    await expect(made("zstd:chunked", twice)).rejects.toMatchObject({ code: "Unsupported" })
    const raw = Buffer.concat([encodeTarHeader({ name: "a\xff" }), Buffer.alloc(1024)])
    await expect(made("zstd:chunked", raw)).rejects.toMatchObject({ code: "Unsupported" })
  })
})
