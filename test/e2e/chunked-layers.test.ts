/** Layers with a table of contents: written so that others read them as any layer. One user is enough. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { sharedRegistry } from "../support/registry.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const work = join(skiff.directory, "home", "chunked")
mkdirSync(work, { recursive: true })
chmodSync(work, 0o777)

interface Manifest {
  config: { digest: string }
  layers: { mediaType: string; digest: string; annotations?: Record<string, string> }[]
}

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("skopeo", args, { encoding: "utf8", maxBuffer: 64 << 20 })
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout
}
const manifestOf = (name: string) =>
  JSON.parse(skopeo("inspect", "--tls-verify=false", "--raw", `docker://${name}`)) as Manifest
const idOf = (name: string) => skiff.ok("image", "inspect", "-f", "{{.Id}}", name)

/** The digests of its layers as skopeo unpacks them; and what its config says that they are. */
function unpacked(name: string): { layers: string[]; diffIds: string[] } {
  const to = `dir:${join(work, name.replace(/\W/g, "-"))}`
  skopeo("copy", "-q", "--insecure-policy", "--src-tls-verify=false", "--dest-decompress", `docker://${name}`, to)
  const { layers } = JSON.parse(skopeo("inspect", "--raw", to)) as Manifest
  const config = JSON.parse(skopeo("inspect", "--config", to)) as { rootfs: { diff_ids: string[] } }
  return { layers: layers.map(({ digest }) => digest), diffIds: config.rootfs.diff_ids }
}

const ZSTD_CHUNKED = "io.github.containers.zstd-chunked.manifest-position"
const ESTARGZ = "containerd.io/snapshot/stargz/toc.digest"

describe("push --compression-format", () => {
  test("zstd:chunked is what skopeo reads as an ordinary layer, with the same diff ids and the same id", async () => {
    const name = `${registry.host}/chunked/zstd:1`
    const id = await idOf("busybox")
    await skiff.ok("push", "-q", "--compression-format", "zstd:chunked", "busybox", name)
    const { config, layers } = manifestOf(name)
    expect(config.digest).toBe(id)
    expect(layers[0]?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar+zstd")
    expect(layers[0]?.annotations?.[ZSTD_CHUNKED]).toMatch(/^\d+:\d+:\d+:1$/)
    const ours = JSON.parse(await skiff.ok("image", "inspect", "-f", "{{json .RootFS.Layers}}", "busybox")) as string[]
    expect(unpacked(name)).toEqual({ layers: ours, diffIds: ours })
    // again: the registry has that very layer, which need not be made
    await skiff.ok("push", "-q", "--compression-format", "zstd:chunked", "busybox", name)
    expect(manifestOf(name).layers).toEqual(layers)
  })

  test("estargz names the archives that the format has made of the layers in a config of its own", async () => {
    const name = `${registry.host}/chunked/estargz:1`
    await skiff.ok("push", "-q", "--compression-format", "estargz", "busybox", name)
    const { config, layers } = manifestOf(name)
    expect(config.digest).not.toBe(await idOf("busybox"))
    expect(layers[0]?.mediaType).toMatch(/gzip$/)
    expect(layers[0]?.annotations?.[ESTARGZ]).toMatch(/^sha256:/)
    const theirs = unpacked(name)
    expect(theirs.layers).toEqual(theirs.diffIds)
    const { stdout } = await skiff.run(["run", "--rm", name, "echo", "ran"])
    expect(stdout).toBe("ran\n")
  })
})

test("image copy --dest-compress-format makes every layer anew between two places", async () => {
  const [from, to] = [`${registry.host}/chunked/plain:1`, `${registry.host}/chunked/copied:1`]
  await skiff.ok("push", "-q", "busybox", from)
  const copy = (format: string, ...more: string[]) =>
    skiff.run(["image", "copy", "-q", "--dest-compress-format", format, ...more, `docker://${from}`, `docker://${to}`])
  expect(await copy("zstd:chunked")).toMatchObject({ code: 0 })
  expect(manifestOf(to).layers[0]?.annotations?.[ZSTD_CHUNKED]).toBeDefined()
  expect(manifestOf(to).config).toEqual(manifestOf(from).config)
  const theirs = unpacked(to)
  expect(theirs.layers).toEqual(theirs.diffIds)
  expect(await copy("zstd:chunked", "--preserve-digests")).toMatchObject({ code: 1 })
  expect(await copy("estargz")).toMatchObject({ code: 1, stderr: expect.stringContaining("local store") })
})

describe("image convert", () => {
  test("--zstdchunked and --uncompress keep the image, and give its name another manifest", async () => {
    const digest = await skiff.ok("image", "convert", "-q", "--zstdchunked", "--oci", "busybox", "conv/chunked:1")
    expect(await idOf("conv/chunked:1")).toBe(await idOf("busybox"))
    const to = `${registry.host}/conv/chunked:1`
    await skiff.ok("push", "-q", "conv/chunked:1", to)
    expect(skopeo("inspect", "--tls-verify=false", "-f", "{{.Digest}}", `docker://${to}`).trim()).toBe(digest)
    expect(manifestOf(to).layers[0]?.annotations?.[ZSTD_CHUNKED]).toBeDefined()
    await skiff.ok("image", "convert", "-q", "--uncompress", "conv/chunked:1", "conv/plain:1")
    const plain = `${registry.host}/conv/plain:1`
    await skiff.ok("push", "-q", "--disable-compression", "conv/plain:1", plain)
    expect(manifestOf(plain).layers[0]?.mediaType).toBe("application/vnd.oci.image.layer.v1.tar")
    expect(await skiff.ok("system", "check")).toBeDefined()
  })

  test("--estargz makes another image, which runs", async () => {
    await skiff.ok("image", "convert", "-q", "--estargz", "busybox", "conv/esgz:1")
    expect(await idOf("conv/esgz:1")).not.toBe(await idOf("busybox"))
    expect(await skiff.ok("run", "--rm", "conv/esgz:1", "echo", "ran")).toBe("ran")
    const to = `${registry.host}/conv/esgz:1`
    await skiff.ok("push", "-q", "conv/esgz:1", to)
    const theirs = unpacked(to)
    expect(theirs.layers).toEqual(theirs.diffIds)
    await skiff.ok("rmi", "conv/esgz:1")
  })

  test("says what is missing", async () => {
    expect(await skiff.run(["image", "convert", "busybox", "x:1"])).toMatchObject({ code: 125 })
    const both = ["image", "convert", "--zstd", "--estargz", "busybox", "x:1"]
    expect(await skiff.run(both)).toMatchObject({ code: 125, stderr: expect.stringContaining("exclude each other") })
    expect(await skiff.run(["image", "convert", "--zstd", "absent:1", "x:1"])).toMatchObject({ code: 1 })
  })
})
