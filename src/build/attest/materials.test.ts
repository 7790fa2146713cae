import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseDigest } from "../../spec/digest.ts"
import { parsePlatform } from "../../spec/platform.ts"
import { Materials } from "./materials.ts"

const [amd64, arm64] = [parsePlatform("linux/amd64"), parsePlatform("linux/arm64")]
const digest = (digit: string) => parseDigest(`sha256:${digit.repeat(64)}`)

test("each platform was made of its own base images, and of the sources that it reads", async () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-materials-"))
  try {
    const materials = new Materials()
    // the same tool runs here, whatever the result is for
    materials.addImage("tool:1", amd64, digest("a"), amd64)
    materials.addImage("tool:1", amd64, digest("a"), arm64)
    materials.addImage("debian", arm64, digest("b"), arm64)
    materials.addImage("registry.example:5000/x@" + digest("c"), amd64, digest("c"), amd64)
    materials.addGit("https://h/r.git#main", "d".repeat(40))
    writeFileSync(join(directory, "f"), "x")
    await materials.addFile("https://h/f", join(directory, "f"))
    const uris = (target: typeof amd64, ...sources: string[]) =>
      materials.list({ target, sources: new Set(sources) }).map(({ uri }) => uri)
    expect(uris(amd64, "https://h/f")).toEqual([
      "https://h/f",
      `pkg:docker/registry.example%3A5000/x?digest=${digest("c")}&platform=linux%2Famd64`,
      "pkg:docker/tool@1?platform=linux%2Famd64",
    ])
    expect(uris(arm64, "https://h/r.git#main")).toEqual([
      "https://h/r.git#main",
      "pkg:docker/debian@latest?platform=linux%2Farm64",
      "pkg:docker/tool@1?platform=linux%2Famd64",
    ])
    expect(materials.find("https://h/r.git#main")?.digest).toEqual({ sha1: "d".repeat(40) })
  } finally {
    rmSync(directory, { recursive: true })
  }
})
