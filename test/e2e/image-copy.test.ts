/** `image copy`, with skopeo on the other side of each transport: the same ids and digests. */
import { afterAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { buildImage, hostArchitecture } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { noDocker, startDocker } from "../support/other-engines.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
const registry = await sharedRegistry()
const at = (name: string) => `docker://${registry.host}/${name}`
const work = join(skiff.directory, "home", "copies")
mkdirSync(work, { recursive: true })
chmodSync(work, 0o777)
const path = (name: string) => join(work, name)
const copy = (...args: string[]) => skiff.ok("image", "copy", "-q", ...args)
const idOf = (name: string) => skiff.ok("image", "inspect", "-f", "{{.Id}}", name)

function skopeo(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("skopeo", args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`skopeo ${args.join(" ")}: ${stderr}`)
  return stdout
}
const insecure = (place: string) => (place.startsWith("docker://") ? ["--tls-verify=false"] : [])
const theirCopy = (from: string, to: string, ...args: string[]) =>
  skopeo("copy", "-q", "--insecure-policy", "--src-tls-verify=false", "--dest-tls-verify=false", ...args, from, to)
/** What skopeo says the place has, byte for byte. */
const raw = (place: string) => skopeo("inspect", "--raw", ...insecure(place), place)
const configOf = (place: string) => (JSON.parse(raw(place)) as { config: { digest: string } }).config.digest

const other = hostArchitecture() === "amd64" ? "arm64" : "amd64"
const marked = (architecture: string) => ({
  layers: [{ entries: [{ name: "arch", content: architecture }] }],
  architecture,
})
/** An index at the registry: for this machine and another. */
const two = registry.push("copy/two:1", marked(hostArchitecture()), marked(other))
const one = registry.push("copy/one:1", marked(hostArchitecture()))

const docker = noDocker === false && asRootOnly === false ? await startDocker() : undefined
afterAll(() => docker?.stop(), 60_000)

describe("image copy", () => {
  testUnless(asRootOnly || (docker === undefined && (noDocker || "no docker here")))(
    "docker's own store gives and takes with the same id",
    async () => {
      const host = docker?.address ?? ""
      const id = await idOf("busybox")
      await copy("--dest-daemon-host", host, "busybox", "docker-daemon:given/b:1")
      expect(docker?.ok("image", "inspect", "-f", "{{.Id}}", "given/b:1")).toBe(id)
      await copy("--src-daemon-host", host, "docker-daemon:given/b:1", "taken/b:1")
      await copy("--src-daemon-host", host, "docker-daemon:given/b:1", at("taken/b:1"))
      expect(await idOf("taken/b:1")).toBe(id)
      expect(configOf(at("taken/b:1"))).toBe(id)
      const absent = await skiff.run(["image", "copy", "--src-daemon-host", host, "docker-daemon:absent:1", "x"])
      expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining("in docker's store") })
    },
    60_000,
  )

  test("--all keeps every byte, from registry to registry, layout, oci-archive and dir, and back", async () => {
    const index = raw(`docker://${two}`)
    const places = [
      at("copied/two:1"),
      `oci:${path("all")}:two`,
      `oci-archive:${path("all.tar")}:two`,
      `dir:${path("all-dir")}`,
    ]
    for (const [number, place] of places.entries()) {
      await copy("--all", "--preserve-digests", `docker://${two}`, place)
      expect({ place, raw: raw(place) }).toEqual({ place, raw: index })
      const back = at(`back/two:${number}`)
      await copy("--all", "--preserve-digests", place, back)
      expect(raw(back)).toBe(index)
      // skopeo finds all of it, for both platforms
      theirCopy(place, `dir:${path(`theirs-${number}`)}`, "--all", "--preserve-digests")
    }
  })

  test("what skopeo wrote with --all is read, every byte of it", async () => {
    const index = raw(`docker://${two}`)
    for (const [number, place] of [
      `oci:${path("sk")}:x`,
      `oci-archive:${path("sk.tar")}:x`,
      `dir:${path("sk-dir")}`,
    ].entries()) {
      theirCopy(`docker://${two}`, place, "--all", "--preserve-digests")
      await copy("--all", "--preserve-digests", place, at(`theirs/two:${number}`))
      expect(raw(at(`theirs/two:${number}`))).toBe(index)
    }
  })

  test("without --all it is this machine's image, or that of the platform that is named", async () => {
    await copy(`docker://${two}`, `dir:${path("own")}`)
    await copy("--platform", `linux/${other}`, `docker://${two}`, `dir:${path("other")}`)
    await copy("--override-arch", other, `docker://${two}`, `dir:${path("override")}`)
    const config = (name: string) =>
      JSON.parse(skopeo("inspect", "--config", `dir:${path(name)}`)) as { architecture: string }
    expect(config("own").architecture).toBe(hostArchitecture())
    expect(config("other").architecture).toBe(other)
    expect(config("override").architecture).toBe(other)
  })

  test("the local store gives and takes with the same id, by each transport, with skopeo between", async () => {
    const id = await idOf("busybox")
    const places = [
      `oci:${path("l")}:b`,
      `oci-archive:${path("l.tar")}:b`,
      `docker-archive:${path("l-docker.tar")}:b:1`,
      `dir:${path("l-dir")}`,
      at("l/b:1"),
    ]
    for (const [number, place] of places.entries()) {
      await copy("busybox", place)
      expect({ place, id: configOf(place) }).toEqual({ place, id })
      const [between] = [`docker-archive:${path(`between-${number}.tar`)}:x:1`]
      theirCopy(place, between)
      await copy(between, `skiff:from/${number}:1`)
      await copy(place, `own/${number}:1`)
      for (const name of [`from/${number}:1`, `own/${number}:1`]) expect(await idOf(name)).toBe(id)
    }
    expect(await skiff.ok("run", "--rm", "--network", "none", "own/0:1", "echo", "runs")).toBe("runs")
    for (const number of places.keys()) await skiff.ok("rmi", `from/${number}:1`, `own/${number}:1`)
  })

  test("--all brings every platform into the store, which gives them out again byte for byte", async () => {
    await copy("--all", `docker://${two}`, "all/two:1")
    await copy("--all", "--preserve-digests", "all/two:1", `dir:${path("all-out")}`)
    await copy("--all", "--preserve-digests", "all/two:1", at("all/two:1"))
    for (const place of [`dir:${path("all-out")}`, at("all/two:1")]) expect(raw(place)).toBe(raw(`docker://${two}`))
    await copy("--platform", `linux/${other}`, "all/two:1", `dir:${path("all-other")}`)
    const config = JSON.parse(skopeo("inspect", "--config", `dir:${path("all-other")}`)) as { architecture: string }
    expect(config.architecture).toBe(other)
    expect(await skiff.ok("image", "inspect", "-f", "{{.Architecture}}", "all/two:1")).toBe(hostArchitecture())
    await skiff.ok("rmi", "all/two:1")
    expect(await skiff.ok("images", "-aq", "--filter", "dangling=true")).toBe("")
  })

  test("a docker-archive with plain layers goes to a registry compressed, with the same id", async () => {
    const archive = `docker-archive:${path("plain.tar")}:plain:1`
    theirCopy(`docker://${one}`, archive)
    await copy(archive, at("plain/one:1"))
    expect(configOf(at("plain/one:1"))).toBe(configOf(archive))
    const { layers } = JSON.parse(raw(at("plain/one:1"))) as { layers: { mediaType: string }[] }
    expect(layers[0]?.mediaType).toEndWith("gzip")
    theirCopy(at("plain/one:1"), `dir:${path("plain-dir")}`)
    const { code, stderr } = await skiff.run(["image", "copy", "--preserve-digests", archive, at("plain/kept:1")])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("would have to change") })
  })

  test("--format docker and oci change the manifests, and not the ids; a layout takes an image of Docker's as OCI's", async () => {
    const id = configOf(`docker://${one}`)
    await copy("--format", "v2s2", `docker://${one}`, at("format/docker:1"))
    expect(JSON.parse(raw(at("format/docker:1")))).toMatchObject({
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { digest: id },
    })
    await copy(at("format/docker:1"), `oci:${path("format")}`)
    expect(JSON.parse(raw(`oci:${path("format")}`))).toMatchObject({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { digest: id },
    })
    await copy("--all", "--format", "docker", `docker://${two}`, at("format/two:1"))
    expect(JSON.parse(raw(at("format/two:1")))).toMatchObject({
      mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
    })
    theirCopy(at("format/two:1"), `dir:${path("format-two")}`, "--all", "--preserve-digests")
  })

  test("a layout takes many images; one is replaced by its name, and asked for by it", async () => {
    const layout = `oci:${path("many")}`
    await copy("busybox", `${layout}:busybox`)
    await copy(`docker://${one}`, `${layout}:docker.io/library/one:1`)
    await copy(`docker://${one}`, `${layout}:busybox`)
    const { manifests } = JSON.parse(readFileSync(join(path("many"), "index.json"), "utf8")) as { manifests: unknown[] }
    expect(manifests).toHaveLength(2)
    await copy(`${layout}:docker.io/library/one:1`, at("many/one:1"))
    expect(configOf(at("many/one:1"))).toBe(configOf(`docker://${one}`))
    expect((await skiff.run(["image", "copy", `${layout}:absent`, "x"])).stderr).toContain('no image "absent"')
  })

  test("--digestfile has the digest, which is printed without -q", async () => {
    const file = path("digest")
    const out = await skiff.ok("image", "copy", "--digestfile", file, `docker://${one}`, at("digest/one:1"))
    const digest = readFileSync(file, "utf8")
    expect(out.split("\n").at(-1)).toBe(digest)
    expect(skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", at("digest/one:1")).trim()).toBe(digest)
  })

  test("a blob that is not what its name says is refused, and nothing leads to it", async () => {
    await copy(`docker://${one}`, `dir:${path("bad")}`)
    const [layer] = buildImage(marked(hostArchitecture())).layers
    const file = join(path("bad"), layer?.digest.slice(7) ?? "")
    const bytes = readFileSync(file)
    bytes[20] = (bytes[20] ?? 0) ^ 1
    rmSync(file)
    writeFileSync(file, bytes)
    for (const place of [`oci:${path("bad-layout")}`, `dir:${path("bad-copy")}`, at("bad/one:1"), "bad:1"]) {
      const { code } = await skiff.run(["image", "copy", "-q", `dir:${path("bad")}`, place])
      expect({ place, code }).toEqual({ place, code: 1 })
    }
    expect(existsSync(join(path("bad-layout"), "index.json"))).toBe(false)
    expect(readdirSync(path("bad-copy"))).not.toContain("manifest.json")
    expect((await skiff.run(["image", "exists", "bad:1"])).code).toBe(1)
  })

  test("what is no place is refused with its reason", async () => {
    for (const [from, to, words] of [
      ["docker:debian", "x", "docker://NAME"],
      ["dir:", "x", "path is missing"],
      ["ostree:x", "y", "not supported"],
      ["busybox", `oci:${work}`, "is no OCI layout"],
    ] as const) {
      const { code, stderr } = await skiff.run(["image", "copy", from, to])
      expect({ from, code }).toEqual({ from, code: 1 })
      expect(stderr).toContain(words)
    }
    const nobody = ["--src-daemon-host", `unix://${path("absent.sock")}`, "docker-daemon:x", "y"]
    expect((await skiff.run(["image", "copy", ...nobody])).stderr).toContain("does not answer")
  })
})
