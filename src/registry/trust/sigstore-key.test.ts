import { expect, test } from "bun:test"
import { generateKeyPairSync } from "node:crypto"
import { isSignedBy, makeKeyPair, openPrivateKey, publicKeyOf, signBytes } from "./sigstore-key.ts"

const pair = await makeKeyPair("open sesame")
const body = (pem: string) => Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64").toString()
const armoured = (text: string, type = "ENCRYPTED COSIGN PRIVATE KEY") =>
  `-----BEGIN ${type}-----\n${Buffer.from(text).toString("base64")}\n-----END ${type}-----\n`

test("a key that is made is opened by its passphrase alone, and its public half verifies what it signs", async () => {
  const key = await openPrivateKey(pair.privatePem, "open sesame", "key")
  const signature = signBytes(key, Buffer.from("payload"))
  const publicKey = publicKeyOf(Buffer.from(pair.publicPem), "key.pub")
  expect(isSignedBy(publicKey, Buffer.from("payload"), signature)).toBe(true)
  expect(isSignedBy(publicKey, Buffer.from("other"), signature)).toBe(false)
  expect(isSignedBy(publicKey, Buffer.from("payload"), new Uint8Array())).toBe(false)
  await expect(openPrivateKey(pair.privatePem, "", "key")).rejects.toThrow("the passphrase is wrong")
})

test("the file is the one that cosign and skopeo write, and cosign's newer armour is read", async () => {
  expect(pair.privatePem).toStartWith("-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n")
  expect(JSON.parse(body(pair.privatePem))).toEqual({
    kdf: { name: "scrypt", params: { N: 65_536, r: 8, p: 1 }, salt: expect.any(String) },
    cipher: { name: "nacl/secretbox", nonce: expect.any(String) },
    ciphertext: expect.any(String),
  })
  const newer = armoured(body(pair.privatePem), "ENCRYPTED SIGSTORE PRIVATE KEY")
  expect((await openPrivateKey(newer, "open sesame", "key")).asymmetricKeyType).toBe("ec")
})

const changed = (change: (document: { kdf: { params: object } }) => object) =>
  armoured(JSON.stringify(change(JSON.parse(body(pair.privatePem)) as { kdf: { params: object } })))

test.each([
  ["no PEM", "key", "it is not PEM"],
  ["a plain key", armoured("x", "PRIVATE KEY"), 'holds a "PRIVATE KEY"'],
  ["no JSON", armoured("x"), "encrypted in a way that is not known"],
  // 2^30 would take a terabyte
  ["another cost", changed((d) => ({ ...d, kdf: { ...d.kdf, params: { N: 2 ** 30, r: 8, p: 1 } } })), "not known"],
  ["another kdf", changed((d) => ({ ...d, kdf: { ...d.kdf, name: "argon2" } })), "not known"],
  ["a short nonce", changed((d) => ({ ...d, cipher: { name: "nacl/secretbox", nonce: "AAAA" } })), "not known"],
])("a private key of %s is refused", async (_, pem, message) => {
  await expect(openPrivateKey(pem, "open sesame", "key")).rejects.toThrow(message)
})

function publicPem(type: "ed25519" | "x25519"): Buffer {
  const { publicKey } = generateKeyPairSync(type as "ed25519")
  return Buffer.from(publicKey.export({ type: "spki", format: "pem" }))
}

test("public keys are ECDSA, RSA or Ed25519", () => {
  expect(publicKeyOf(publicPem("ed25519"), "key").asymmetricKeyType).toBe("ed25519")
  expect(() => publicKeyOf(publicPem("x25519"), "key")).toThrow("of the kind x25519")
  expect(() => publicKeyOf(Buffer.from(pair.privatePem), "key")).toThrow("no public key in PEM")
})
