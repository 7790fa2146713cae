/**
 * Images whose layers skopeo encrypted (ocicrypt): refused with what to do, and decrypted by a recipient's private key.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { busyboxReference } from "../support/store.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"

const skiff = new Skiff()
const { host } = await sharedRegistry()
const at = (name: string) => join(skiff.directory, name)
const [byRsa, byEc, byBoth] = ["rsa", "ec", "both"].map((each) => `${host}/encrypted/${each}:1`) as [
  string,
  string,
  string,
]

function program(...words: string[]): void {
  const [name = "", ...args] = words
  const { status, stderr } = spawnSync(name, args, { cwd: skiff.directory })
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`)
}

beforeAll(async () => {
  program("openssl", "genrsa", "-out", "rsa.key", "2048")
  program("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec.key")
  program("openssl", "rsa", "-in", "rsa.key", "-aes256", "-passout", "pass:sesame", "-out", "locked.key")
  for (const kind of ["rsa", "ec"]) program("openssl", "pkey", "-in", `${kind}.key`, "-pubout", "-out", `${kind}.pub`)
  program("openssl", "genrsa", "-out", "other.key", "2048")
  for (const key of ["rsa", "ec", "locked", "other"]) chmodSync(at(`${key}.key`), 0o644)
  const from = `docker://${await busyboxReference()}`
  const copy = [
    "skopeo",
    "--insecure-policy",
    "copy",
    "-q",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    "-f",
    "oci",
  ]
  for (const [to, keys] of [
    [byRsa, ["rsa"]],
    [byEc, ["ec"]],
    [byBoth, ["rsa", "ec"]],
  ] as const)
    program(...copy, ...keys.flatMap((key) => ["--encryption-key", `jwe:${key}.pub`]), from, `docker://${to}`)
}, 60_000)
afterAll(() => skiff.close(), 60_000)

test("without a key it is refused once, by name, before a layer is fetched", async () => {
  const { code, stderr } = await skiff.run(["pull", byRsa])
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`${byRsa} is encrypted: 1 of its 1 layers`),
  })
  expect(stderr).toContain("--decryption-key")
  const layout = `oci:${at("layout")}:x`
  // as it is, it may go anywhere that holds it
  await skiff.ok("image", "copy", "-q", `docker://${byRsa}`, layout)
  await skiff.ok("image", "copy", "-q", layout, `docker://${host}/encrypted/again:1`)
  for (const words of [
    ["load", "-i", at("layout")],
    ["image", "copy", layout, "copied:1"],
    ["image", "copy", layout, `docker-archive:${at("archive.tar")}`],
    ["image", "copy", "--dest-compress-format", "zstd", layout, `docker://${host}/encrypted/zstd:1`],
    ["run", "--rm", byRsa, "true"],
  ])
    expect([words, (await skiff.run(words)).stderr]).toEqual([
      words,
      expect.stringContaining("is encrypted: 1 of its 1"),
    ])
  expect(await skiff.ok("images", "-aq")).toBe("")
})

test.each([
  ["RSA", byRsa, "rsa.key"],
  ["RSA, locked by a passphrase", byRsa, "locked.key:sesame"],
  ["RSA, its passphrase said otherwise", byRsa, "locked.key:pass=sesame"],
  ["an elliptic curve", byEc, "ec.key"],
  ["one of two recipients", byBoth, "rsa.key"],
  ["the other of two", byBoth, "ec.key"],
])("a key of %s decrypts what is pulled, which runs", async (_, name, key) => {
  await skiff.ok("pull", "-q", "--decryption-key", at(key), name)
  expect(await skiff.ok("run", "--rm", name, "echo", "in the clear")).toBe("in the clear")
  expect(await skiff.ok("image", "inspect", "--format", "{{.ID}}", name)).toBe(await pulledId(await busyboxReference()))
  await skiff.ok("rmi", "-f", name)
})

async function pulledId(name: string): Promise<string> {
  await skiff.ok("pull", "-q", name)
  const id = await skiff.ok("image", "inspect", "--format", "{{.ID}}", name)
  await skiff.ok("rmi", name)
  return id
}

test("image copy decrypts, too: into the store, a layout and another registry", async () => {
  const copy = async (to: string) =>
    await skiff.ok("image", "copy", "-q", "--decryption-key", at("ec.key"), `docker://${byBoth}`, to)
  await copy("copied:1")
  expect(await skiff.ok("run", "--rm", "copied:1", "echo", "a")).toBe("a")
  await copy(`docker://${host}/decrypted/app:1`)
  await skiff.ok("pull", "-q", `${host}/decrypted/app:1`)
  await copy(`oci:${at("plain")}:x`)
  const index = JSON.parse(readFileSync(at("plain/index.json"), "utf8")) as { manifests: { digest: string }[] }
  const manifest = readFileSync(at(`plain/blobs/sha256/${index.manifests[0]?.digest.slice(7)}`), "utf8")
  expect(manifest).not.toContain("enc")
  await skiff.ok("rmi", "-f", "copied:1", `${host}/decrypted/app:1`)
})

test("a key that does not fit, and what is none, are said", async () => {
  for (const [key, message] of [
    ["other.key", "no key was given that decrypts layer"],
    ["ec.key", "no key was given that decrypts layer"],
    ["locked.key", "is no private key in PEM, or its passphrase is wrong"],
    ["locked.key:wrong", "is no private key in PEM, or its passphrase is wrong"],
    ["rsa.pub", "is no private key in PEM"],
    ["none.key", "cannot read the private key"],
  ] as const)
    expect([key, (await skiff.run(["pull", "--decryption-key", at(key), byRsa])).stderr]).toEqual([
      key,
      expect.stringContaining(message),
    ])
  expect(await skiff.ok("images", "-aq")).toBe("")
  expect(existsSync(at("archive.tar"))).toBe(false)
})

test("a key changes nothing of an image that is not encrypted", async () => {
  const name = await busyboxReference()
  await skiff.ok("pull", "-q", "--decryption-key", at("rsa.key"), name)
  expect(await skiff.ok("run", "--rm", name, "echo", "b")).toBe("b")
})
