/** Volumes from a registry that nobody trusts: nothing leads out of the volume, what is hostile is refused by name, and nothing of it stays. */
import { afterAll, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { existsSync, lstatSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { zstdCompressSync } from "node:zlib"
import { Canary } from "../support/canary.ts"
import { sharedRegistry } from "../support/registry.ts"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { tar, type TarEntry } from "../support/tar.ts"

const skiff = openStore()
const canary = new Canary()
afterAll(() => canary.remove())
const asUser = testUnless(rootlessOnly)
const asRoot = testUnless(asRootOnly)

const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
let count = 0

async function put(host: string, repository: string, bytes: Uint8Array): Promise<{ digest: string; size: number }> {
  const digest = sha256(bytes)
  const begun = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: "POST" })
  const url = new URL(begun.headers.get("location") ?? "", `http://${host}`)
  url.searchParams.set("digest", digest)
  const { status } = await fetch(url, { method: "PUT", body: bytes })
  if (status !== 201) throw new Error(`blob: ${status}`)
  return { digest, size: bytes.length }
}

interface Forgery {
  /** What each layer says of itself. */
  says?: (digest: string, bytes: number) => string
  config?: object
  /** Of the manifest. */
  manifest?: object
}

/** Pushes an artifact of one part; what is forged takes the place of what would be true. */
async function pushForged(archive: Uint8Array, { says, config, manifest }: Forgery = {}): Promise<string> {
  const { host } = await sharedRegistry()
  const repository = `hostile/volume-${count++}`
  const part = await put(host, repository, zstdCompressSync(archive))
  const document = { version: 1, name: "trap", tarBytes: archive.length, averagePartBytes: 4_194_304, ...config }
  const described = await put(host, repository, Buffer.from(JSON.stringify(document)))
  const say = says ?? ((digest, bytes) => `${digest} ${bytes}`)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/vnd.skiff.volume.v1",
    config: { mediaType: "application/vnd.skiff.volume.config.v1+json", ...described },
    layers: [
      {
        mediaType: "application/vnd.skiff.volume.part.v1.tar+zstd",
        ...part,
        annotations: { "vnd.skiff.volume.part": say(sha256(archive), archive.length) },
      },
    ],
    ...manifest,
  })
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" }
  const { status } = await fetch(`http://${host}/v2/${repository}/manifests/1`, { method: "PUT", body, headers })
  if (status !== 201) throw new Error(`manifest: ${status}`)
  return `${host}/${repository}:1`
}

/** Pulls it, expects a refusal, and that nothing is left. Gives the message. */
async function refused(reference: string): Promise<string> {
  const { code, stderr } = await skiff.run(["volume", "pull", reference, "trap"])
  expect([code, stderr]).toEqual([1, expect.not.stringContaining(" at ")])
  expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  const volumes = join(skiff.root, "volumes")
  expect(existsSync(volumes) ? readdirSync(volumes) : []).toEqual([])
  canary.check()
  return stderr
}

const up = `../../../../../../../../../..${canary.path}`
const file = (name: string): TarEntry => ({ name, content: "escaped" })
const link = (name: string, linkName: string): TarEntry => ({ name, type: "symlink", linkName })

test.each<[string, TarEntry[], RegExp]>([
  ["a name that leads up", [file(up)], /could lead outside/],
  ["an absolute name", [file(canary.path)], /leads outside/],
  ["a file below a link", [link("a", canary.directory), file("a/canary")], /"a\/canary" below a link/],
  ["a file below a link to a link", [link("b", canary.directory), link("a", "b"), file("a/canary")], /below a link/],
  ["a file in the place of a link", [link("a", canary.path), file("a")], /"a" twice/],
  ["a hard link that leads up", [{ name: "h", type: "hardlink", linkName: up }], /could lead outside/],
  [
    "a hard link below a link",
    [link("a", canary.directory), { name: "h", type: "hardlink", linkName: "a/canary" }],
    /below a link/,
  ],
  ["a hard link to nothing", [{ name: "h", type: "hardlink", linkName: "absent" }], /is no file/],
  ["a link in the place of the volume", [link(".", canary.directory)], /not a directory/],
  ["an owner beyond all ids", [{ ...file("f"), pax: { uid: "4294967296" } }], /beyond 32 bits/],
  ["a name too long", [file("f"), { ...file("x"), pax: { path: "n".repeat(300) } }], /name of 300 bytes/],
])("%s is refused by name", async (_, entries, message) => {
  expect(await refused(await pushForged(tar(entries)))).toMatch(message)
})

asUser("a device is refused to an ordinary user by name", async () => {
  const device = { name: "disk", type: "character", device: { major: 8, minor: 0 } } as const
  expect(await refused(await pushForged(tar([device])))).toContain('"disk" in the archive is a device')
})

asUser("an owner who is none of the user's ids is refused by name", async () => {
  expect(await refused(await pushForged(tar([{ ...file("f"), uid: 1_000_000 }])))).toContain(
    '"f" in the layer belongs to 1000000',
  )
})

asRoot("attributes that would steer an overlay are not taken over", async () => {
  const pax = {
    "SCHILY.xattr.trusted.overlay.redirect": "/etc",
    "SCHILY.xattr.user.overlay.opaque": "y",
    "SCHILY.xattr.user.own": "kept",
  }
  const reference = await pushForged(tar([{ name: "d/", type: "directory", pax }]))
  await skiff.ok("volume", "pull", "-q", reference, "trap")
  const { listAttributes } = await import("../../src/sys/fs/xattr.ts")
  const path = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "trap")
  expect(listAttributes(join(path, "d"))).toEqual(["user.own"])
  await skiff.ok("volume", "rm", "trap")
})

test("links that lead out come as the links they are, and nothing is made at their end", async () => {
  const reference = await pushForged(tar([link("out", canary.path), link("up", up)]))
  await skiff.ok("volume", "pull", "-q", reference, "trap")
  const path = await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "trap")
  expect(lstatSync(join(path, "out")).isSymbolicLink()).toBe(true)
  canary.check()
  await skiff.ok("volume", "rm", "trap")
  expect(existsSync(dirname(path))).toBe(false)
})

test.each<[string, Forgery, RegExp]>([
  ["another content than it says", { says: (_, bytes) => `sha256:${"0".repeat(64)} ${bytes}` }, /has digest sha256/],
  [
    "more than it says",
    { says: (digest, bytes) => `${digest} ${bytes - 512}`, config: { tarBytes: 1536 } },
    /longer than the 1536 bytes/,
  ],
  ["a part of no size", { says: (digest) => `${digest} 0`, config: { tarBytes: 0 } }, /has 0 bytes/],
  ["a part of all memory", { says: (digest) => `${digest} 9999999999` }, /the limit is 134217728/],
  ["a part that says nothing", { says: () => "" }, /does not say what it is/],
  ["a digest that is a path", { says: (_, bytes) => `sha256:../../../etc/passwd ${bytes}` }, /does not say what it is/],
  ["another length of the whole", { config: { tarBytes: 5 } }, /it says 5/],
  ["a version of the future", { config: { version: 2 } }, /version/],
  ["the name of a path", { config: { name: "../../x" } }, /./],
  [
    "a manifest that is an image's",
    {
      manifest: {
        artifactType: "application/x",
        config: { mediaType: "application/x", digest: `sha256:${"1".repeat(64)}`, size: 2 },
      },
    },
    /./,
  ],
])("an artifact with %s is refused", async (name, forgery, message) => {
  const archive = tar([file("f")])
  const forged = pushForged(archive, forgery)
  // a registry may have its own opinion of some
  const reference = await forged.catch(() => undefined)
  if (reference === undefined) return
  if (name === "the name of a path") {
    const { code, stderr } = await skiff.run(["volume", "pull", reference])
    expect([code, stderr]).toEqual([1, expect.stringContaining("invalid volume name")])
    return
  }
  expect(await refused(reference)).toMatch(message)
})

test("what grows beyond all measure is refused before it is fetched", async () => {
  const { host } = await sharedRegistry()
  const repository = "hostile/bomb"
  const zeros = Buffer.alloc(128 * 1024 ** 2)
  const part = await put(host, repository, zstdCompressSync(zeros))
  const parts = 2000
  const tarBytes = zeros.length * parts
  const config = await put(
    host,
    repository,
    Buffer.from(JSON.stringify({ version: 1, name: "trap", tarBytes, averagePartBytes: 1 })),
  )
  const annotations = { "vnd.skiff.volume.part": `${sha256(zeros)} ${zeros.length}` }
  const layer = { mediaType: "application/vnd.skiff.volume.part.v1.tar+zstd", ...part, annotations }
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/vnd.skiff.volume.v1",
    config: { mediaType: "application/vnd.skiff.volume.config.v1+json", ...config },
    layers: Array.from({ length: parts }, () => layer),
  })
  const headers = { "content-type": "application/vnd.oci.image.manifest.v1+json" }
  expect((await fetch(`http://${host}/v2/${repository}/manifests/1`, { method: "PUT", body, headers })).status).toBe(
    201,
  )
  expect(await refused(`${host}/${repository}:1`)).toContain("grows from")
})
