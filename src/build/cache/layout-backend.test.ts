import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseDigest } from "../../spec/digest.ts"
import type { Descriptor } from "../../spec/oci-image.ts"
import { layoutReader, layoutWriter } from "./layout-backend.ts"

let directory = ""
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "skiff-layout-"))))
afterEach(() => rmSync(directory, { recursive: true }))

const TYPE = "application/vnd.oci.image.manifest.v1+json"

function blob(text: string): { bytes: Uint8Array; descriptor: Descriptor } {
  const bytes = Buffer.from(text)
  const digest = parseDigest(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)
  return { bytes, descriptor: { mediaType: TYPE, digest, size: bytes.length } }
}

async function* of(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

const publish = (tag: string, text: string): Promise<void> => {
  const { bytes, descriptor } = blob(text)
  return layoutWriter(directory, tag).publish(bytes, descriptor)
}

const topOf = async (tag: string): Promise<string> =>
  Buffer.from((await layoutReader(directory, { tag }).top()).bytes).toString()

describe("a cache in a directory", () => {
  test("has what was published under each tag, the last time", async () => {
    await publish("a", "one")
    await publish("b", "two")
    await publish("a", "three")
    expect([await topOf("a"), await topOf("b")]).toEqual(["three", "two"])
    expect(JSON.parse(readFileSync(join(directory, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" })
    const { digest } = blob("one").descriptor
    expect(Buffer.from((await layoutReader(directory, { tag: "x", digest }).top()).bytes).toString()).toBe("one")
    await expect(topOf("c")).rejects.toThrow('no cache with the tag "c"')
  })

  test("keeps all tags that are published at the same time", async () => {
    const tags = ["a", "b", "c", "d", "e"]
    await Promise.all(tags.map((tag) => publish(tag, tag)))
    expect(await Promise.all(tags.map(topOf))).toEqual(tags)
  })

  test("takes no bytes but those of the digest, and leaves nothing of others", async () => {
    const writer = layoutWriter(directory, "t")
    const { descriptor } = blob("right")
    await expect(writer.put(descriptor, () => of(Buffer.from("wrong")))).rejects.toThrow("have digest")
    await expect(writer.put({ ...descriptor, size: 4 }, () => of(Buffer.from("right")))).rejects.toThrow("5 bytes")
    expect(readdirSync(join(directory, "blobs/sha256"))).toEqual([])
    expect(await writer.has(descriptor)).toBe(false)
    await writer.put(descriptor, () => of(Buffer.from("right")))
    expect(await writer.has(descriptor)).toBe(true)
  })

  test("where no directory can be, none is written", () => {
    writeFileSync(join(directory, "file"), "")
    expect(() => layoutWriter(join(directory, "file"), "t")).toThrow("cannot hold a cache")
  })

  test("an index.json of somebody else's is not written over", async () => {
    mkdirSync(join(directory, "blobs/sha256"), { recursive: true })
    writeFileSync(join(directory, "index.json"), '{"mine": true}')
    await expect(publish("a", "one")).rejects.toThrow("invalid index.json")
    expect(readFileSync(join(directory, "index.json"), "utf8")).toBe('{"mine": true}')
  })
})
