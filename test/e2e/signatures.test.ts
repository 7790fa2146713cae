/**
 * Signatures are verified as policy.json asks, those of skopeo and ours, and skopeo verifies ours; what lacks one is refused by name.
 *
 * One user is enough.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { SigningHome } from "../support/signing.ts"
import { Skiff } from "../support/skiff.ts"

const skiff = new Skiff()
const home = new SigningHome(skiff.home)
const registry = await sharedRegistry()
const { env } = home
const host = registry.host
let alice: { fingerprint: string; file: string }
let mallory: { fingerprint: string; file: string }

beforeAll(() => {
  alice = home.gpgKey("alice")
  mallory = home.gpgKey("mallory")
  registry.push("trust/plain:1", BUSYBOX)
})
afterAll(async () => {
  await home.close()
  await skiff.close()
}, 60_000)
beforeEach(() => home.policy({ "": [{ type: "insecureAcceptAnything" }] }))

const gpg = (file: string, signedIdentity?: object) => [
  { type: "signedBy", keyType: "GPGKeys", keyPath: file, ...(signedIdentity && { signedIdentity }) },
]
const sigstore = (...keys: string[]) => [{ type: "sigstoreSigned", keyPaths: keys }]
const pull = async (name: string) => await skiff.run(["pull", "-q", name], { env })

/** Copies the unsigned image under a name, signed by skopeo. */
function signBySkopeo(name: string, ...how: string[]): string {
  const copy = ["--src-tls-verify=false", "--dest-tls-verify=false", ...how]
  const from = `docker://${host}/trust/plain:1`
  const { code, stderr } = home.skopeo("copy", ...copy, from, `docker://${host}/${name}`)
  if (code !== 0) throw new Error(stderr)
  return `${host}/${name}`
}

test("an image that skopeo signed with GPG comes in, an unsigned one and one of another key do not", async () => {
  const signed = signBySkopeo("trust/gpg:1", "--sign-by", alice.fingerprint)
  const other = signBySkopeo("trust/mallory:1", "--sign-by", mallory.fingerprint)
  home.policy({ [`${host}/trust`]: gpg(alice.file) })
  expect(await pull(signed)).toMatchObject({ code: 0 })
  const unsigned = await pull(`${host}/trust/plain:1`)
  expect(unsigned.code).toBe(1)
  expect(unsigned.stderr).toContain(
    `"${host}/trust/plain:1" is not let in: the scope "${host}/trust" of "${home.policyFile}" asks for a signature by the key "${alice.file}", but there is none in "file://${home.lookaside}"`,
  )
  expect(unsigned.stderr).toContain("have it signed by that key for this name")
  expect((await pull(other)).stderr).toContain("which is none of the policy's")
  expect(await skiff.ok("images", "-q", "--no-trunc")).toBe(await skiff.ok("images", "-q", "--no-trunc", signed))
})

test("a signature of one name is none of another, unless signedIdentity takes it", async () => {
  const signed = signBySkopeo("trust/identity:1", "--sign-by", alice.fingerprint)
  const moved = `${host}/trust/identity:2`
  signBySkopeo("trust/identity:2")
  home.policy({ [host]: gpg(alice.file) })
  expect((await pull(moved)).stderr).toContain(`it is for "${signed}", which signedIdentity matchRepoDigestOrExact`)
  expect(await pull(signed)).toMatchObject({ code: 0 })
  for (const [identity, accepted] of [
    [{ type: "matchRepository" }, true],
    [{ type: "matchExact" }, false],
    [{ type: "exactReference", dockerReference: signed }, true],
    [{ type: "exactReference", dockerReference: moved }, false],
    [{ type: "exactRepository", dockerRepository: `${host}/trust/identity` }, true],
    [{ type: "exactRepository", dockerRepository: `${host}/trust/other` }, false],
  ] as const) {
    home.policy({ [host]: gpg(alice.file, identity) })
    expect([identity, (await pull(moved)).code]).toEqual([identity, accepted ? 0 : 1])
    const theirs = home.skopeo("copy", "--src-tls-verify=false", `docker://${moved}`, `dir:${home.directory}/to`)
    expect([identity, theirs.code]).toEqual([identity, accepted ? 0 : 1])
  }
})

test("a mirror's name is signed under the name that it mirrors", async () => {
  signBySkopeo("mirror/app:1", "--sign-by", alice.fingerprint, "--sign-identity", "vendor.example/app:1")
  const identity = { type: "remapIdentity", prefix: `${host}/mirror`, signedPrefix: "vendor.example" }
  home.policy({ [host]: gpg(alice.file, identity) })
  expect(await pull(`${host}/mirror/app:1`)).toMatchObject({ code: 0 })
  home.policy({ [host]: gpg(alice.file, { ...identity, signedPrefix: "other.example" }) })
  expect((await pull(`${host}/mirror/app:1`)).stderr).toContain('it is for "vendor.example/app:1"')
})

test("build, run and image copy hold their images against the policy, too", async () => {
  home.policy({ [host]: gpg(alice.file) })
  const unsigned = `${host}/trust/plain:1`
  await skiff.run(["rmi", "-f", unsigned])
  home.write("Containerfile", `FROM ${unsigned}\n`)
  for (const words of [
    ["run", "--rm", unsigned, "true"],
    ["create", unsigned],
    ["build", home.directory],
    ["image", "copy", `docker://${unsigned}`, `oci:${join(home.directory, "layout")}`],
  ])
    expect([words, (await skiff.run(words, { env })).stderr]).toEqual([words, expect.stringContaining("is not let in")])
})

test("an archive is held against the policy of its transport", async () => {
  const archive = join(home.directory, "image.tar")
  await skiff.ok("pull", "-q", `${host}/trust/plain:1`)
  await skiff.ok("save", "-o", archive, `${host}/trust/plain:1`)
  home.policy({})
  const refused = await skiff.run(["load", "-i", archive], { env })
  expect(refused.stderr).toContain("rejects images of")
  home.policy({}, { "docker-archive": { "": [{ type: "insecureAcceptAnything" }] } })
  expect(await skiff.run(["load", "-i", archive], { env })).toMatchObject({ code: 0 })
})

test("what is read where it lies is asked of the policy too", async () => {
  const name = `${host}/trust/plain:1`
  const archive = join(home.directory, "in-place.tar")
  await skiff.ok("pull", "-q", name)
  await skiff.ok("save", "--format", "oci-archive", "-o", archive, name)
  const words = [
    ["explore", "--report", `oci-archive:${archive}`],
    ["explore", "--report", `docker://${name}`],
    ["scan", "--scanners", "secret", `oci-archive:${archive}`],
    ["scan", "--scanners", "secret", `docker://${name}`],
  ]
  const rule = { "": gpg(alice.file) }
  home.policy(rule, { "oci-archive": rule, "docker-archive": { "": [{ type: "reject" }] } })
  for (const each of words)
    expect([each, await skiff.run(each, { env })]).toMatchObject([
      each,
      { code: 1, stderr: expect.stringContaining("asks for a signature by the key") },
    ])
  const accept = { "": [{ type: "insecureAcceptAnything" }] }
  home.policy(accept, { "oci-archive": accept })
  for (const each of words) expect([each, await skiff.run(each, { env })]).toMatchObject([each, { code: 0 }])
})

test("signatures in a directory of skopeo's count for what is copied out of it, and load obeys the same scope", async () => {
  const signed = signBySkopeo("trust/dir:1", "--sign-by", alice.fingerprint)
  const directory = join(home.directory, "dir")
  expect(home.skopeo("copy", "--src-tls-verify=false", `docker://${signed}`, `dir:${directory}`)).toMatchObject({
    code: 0,
  })
  const rule = (key: string) => gpg(key, { type: "exactReference", dockerReference: signed })
  home.policy({}, { dir: { [home.directory]: rule(alice.file) } })
  for (const words of [
    ["image", "copy", "-q", `dir:${directory}`, "copied:1"],
    ["load", "-i", directory],
  ]) {
    expect([words, await skiff.run(words, { env })]).toMatchObject([words, { code: 0 }])
    home.policy({}, { dir: { [home.directory]: rule(mallory.file), "/": [{ type: "insecureAcceptAnything" }] } })
    expect((await skiff.run(words, { env })).stderr).toContain("which is none of the policy's")
    home.policy({}, { dir: { [home.directory]: rule(alice.file) } })
  }
})

test("what is pushed with --sign-by is taken by skopeo and by us, and signed once however often it is pushed", async () => {
  const name = `${host}/trust/ours:1`
  await skiff.ok("pull", "-q", `${host}/trust/plain:1`)
  await skiff.ok("tag", `${host}/trust/plain:1`, name)
  for (let times = 0; times < 2; times++)
    expect(await skiff.run(["push", "-q", "--sign-by", alice.fingerprint, name], { env })).toMatchObject({ code: 0 })
  const directory = readdirSync(join(home.lookaside, "trust")).find((each) => each.startsWith("ours@sha256=")) ?? ""
  expect(readdirSync(join(home.lookaside, "trust", directory))).toEqual(["signature-1"])
  home.policy({ [host]: gpg(alice.file) })
  const theirs = home.skopeo("copy", "--src-tls-verify=false", `docker://${name}`, `dir:${home.directory}/ours`)
  expect(theirs).toMatchObject({ code: 0 })
  expect(await pull(name)).toMatchObject({ code: 0 })
  home.policy({ [host]: gpg(mallory.file) })
  expect((await pull(name)).code).toBe(1)
})

test("a sigstore key signs on push, copy and sign; the image comes in by its public half alone", async () => {
  const key = await keyPair("sigstore")
  const flags = ["--sign-by-sigstore-private-key", key.privateKey, "--sign-passphrase-file", key.passphrase]
  const wrong = (await keyPair("wrong")).publicKey
  const names = ["pushed", "copied", "signed"].map((each) => `${host}/sigstore/${each}:1`)
  const [pushed = "", copied = "", signed = ""] = names
  await skiff.ok("pull", "-q", `${host}/trust/plain:1`)
  await skiff.ok("tag", `${host}/trust/plain:1`, pushed)
  await skiff.ok("push", "-q", ...flags, pushed)
  await skiff.ok("push", "-q", ...flags, pushed)
  await skiff.ok("image", "copy", ...flags, `docker://${host}/trust/plain:1`, `docker://${copied}`)
  await skiff.ok("image", "copy", `docker://${host}/trust/plain:1`, `docker://${signed}`)
  home.policy({ [host]: sigstore(key.publicKey) })
  expect((await pull(signed)).stderr).toContain("there is none in its repository")
  expect(await skiff.run(["image", "sign", ...flags, signed], { env })).toMatchObject({ code: 0 })
  for (const name of names) {
    home.policy({ [host]: sigstore(wrong, key.publicKey) })
    expect([name, await pull(name)]).toMatchObject([name, { code: 0 }])
    home.policy({ [host]: sigstore(wrong) })
    expect((await pull(name)).stderr).toContain("it is of none of the policy's keys")
  }
  home.policy({ [host]: [...sigstore(key.publicKey), ...gpg(alice.file)] })
  expect((await pull(pushed)).stderr).toContain(`asks for a signature by the key "${alice.file}"`)
  await isWhatCosignWrites(pushed, key.publicKey)
})

test("an index that is signed lets the image that it names in, and image sign --all signs both", async () => {
  const key = await keyPair("index")
  const flags = ["--sign-by-sigstore-private-key", key.privateKey, "--sign-passphrase-file", key.passphrase]
  const name = registry.push("trust/index:1", BUSYBOX, { ...BUSYBOX, architecture: "riscv64" })
  home.policy({ [host]: [{ type: "sigstoreSigned", keyPath: key.publicKey }] })
  expect((await pull(name)).code).toBe(1)
  const { digest, manifests } = await manifestOf(name)
  const signed = await skiff.run(["image", "sign", "--all", ...flags, name], { env })
  expect(signed.stdout.trim().split("\n")).toEqual(
    [...manifests.map((each) => each.digest), digest].map((each) => `${name}@${each}`),
  )
  expect(await pull(name)).toMatchObject({ code: 0 })
  for (const each of manifests) await removeTag(name, `${each.digest.replace(":", "-")}.sig`)
  expect(await pull(name)).toMatchObject({ code: 0 })
})

test("a key that cannot sign is told before anything is sent", async () => {
  const key = await keyPair("unusable")
  const name = `${host}/unsent/app:1`
  await skiff.ok("tag", `${host}/trust/plain:1`, name)
  const file = home.write("nothing", "no key")
  const wrong = home.write("wrong.pass", "wrong")
  for (const [words, message] of [
    [["--sign-by", "nobody@tests.example"], 'cannot sign with the OpenPGP key "nobody@tests.example"'],
    [["--sign-by-sigstore-private-key", file], "is no private key of sigstore's: it is not PEM"],
    [["--sign-by-sigstore-private-key", "/no/such"], 'cannot read the private key "/no/such"'],
    [["--sign-by-sigstore-private-key", key.privateKey, "--sign-passphrase-file", wrong], "the passphrase is wrong"],
    [["--sign-passphrase-file", wrong], "--sign-passphrase-file needs a key"],
    [["--sign-by-sq-fingerprint", "A"], "Sequoia's keys are not read"],
  ] as const)
    expect([words, (await skiff.run(["push", ...words, name], { env })).stderr]).toEqual([
      words,
      expect.stringContaining(message),
    ])
  expect((await registry.requests()).filter((each) => each.includes("unsent"))).toEqual([])
})

test("generate-key writes over no key, and a file of parameters leads to one", async () => {
  const key = await keyPair("again")
  const again = await skiff.run(
    ["image", "trust", "generate-key", "--output-prefix", key.prefix, "--passphrase-file", key.passphrase],
    { env },
  )
  expect(again.stderr).toContain("is there already")
  const name = `${host}/sigstore/params:1`
  await skiff.ok("tag", `${host}/trust/plain:1`, name)
  const params = { privateKeyFile: key.privateKey, privateKeyPassphraseFile: key.passphrase }
  const file = home.write("params.yaml", JSON.stringify(params))
  await skiff.ok("push", "-q", "--sign-by-sigstore", file, name)
  home.policy({ [host]: [{ type: "sigstoreSigned", keyPath: key.publicKey }] })
  expect(await pull(name)).toMatchObject({ code: 0 })
  const keyless = home.write("keyless.yaml", JSON.stringify({ fulcio: {} }))
  expect((await skiff.run(["push", "--sign-by-sigstore", keyless, name], { env })).stderr).toContain("asks for fulcio")
})

/** A pair of skiff's making. */
async function keyPair(name: string) {
  const prefix = join(home.directory, name)
  const passphrase = home.write(`${name}.pass`, "open sesame\n")
  const words = ["image", "trust", "generate-key", "--output-prefix", prefix, "--passphrase-file", passphrase]
  expect((await skiff.run(words, { env })).code).toBe(0)
  return { prefix, passphrase, privateKey: `${prefix}.private`, publicKey: `${prefix}.pub` }
}

interface Manifest {
  config: { digest: string }
  layers: { mediaType: string; digest: string; annotations: Record<string, string> }[]
  manifests: { digest: string }[]
}

async function fetchOf(name: string, path: string): Promise<Response> {
  const repository = name.slice(host.length + 1).replace(/:[^:]*$/, "")
  const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
  return await fetch(`http://${host}/v2/${repository}/${path}`, { headers: { accept } })
}

async function manifestOf(name: string, reference = "1"): Promise<Manifest & { digest: string }> {
  const response = await fetchOf(name, `manifests/${reference}`)
  const digest = response.headers.get("docker-content-digest") ?? ""
  return { ...((await response.json()) as Manifest), digest }
}

async function removeTag(name: string, tag: string): Promise<void> {
  const { digest } = await manifestOf(name, tag)
  const repository = name.slice(host.length + 1).replace(/:[^:]*$/, "")
  await fetch(`http://${host}/v2/${repository}/manifests/${digest}`, { method: "DELETE" })
}

/** Cosign's documents, and a signature that openssl verifies. */
async function isWhatCosignWrites(name: string, publicKey: string): Promise<void> {
  const { digest } = await manifestOf(name)
  const { layers } = await manifestOf(name, `${digest.replace(":", "-")}.sig`)
  expect(layers).toHaveLength(1)
  const [layer] = layers
  expect(layer?.mediaType).toBe("application/vnd.dev.cosign.simplesigning.v1+json")
  const payload = await (await fetchOf(name, `blobs/${layer?.digest}`)).text()
  expect(JSON.parse(payload)).toMatchObject({
    critical: {
      identity: { "docker-reference": name },
      image: { "docker-manifest-digest": digest },
      type: "cosign container image signature",
    },
  })
  const signature = join(home.directory, "signature")
  writeFileSync(signature, Buffer.from(layer?.annotations["dev.cosignproject.cosign/signature"] ?? "", "base64"))
  const verify = ["dgst", "-sha256", "-verify", publicKey, "-signature", signature]
  expect(spawnSync("openssl", verify, { input: payload }).stdout.toString()).toBe("Verified OK\n")
}
