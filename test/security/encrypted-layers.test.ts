/** Hostile encrypted layers: what their keys say is believed only as far as the bytes agree. One user is enough. */
import { afterAll, beforeAll, expect, test } from "bun:test"
import { createCipheriv, generateKeyPairSync, randomBytes } from "node:crypto"
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { FlattenedEncrypt } from "jose"
import { HostileRegistry } from "../support/hostile-registry.ts"
import { buildImage, BUSYBOX, digestOf, json, MANIFEST_TYPE } from "../support/image.ts"
import { Skiff } from "../support/skiff.ts"

const skiff = new Skiff()
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 })
const keyFile = join(skiff.directory, "key.pem")
const image = buildImage(BUSYBOX)
const [layer] = image.layers
if (layer === undefined) throw new Error("the image has no layer")
const plain = Buffer.from(image.blobs.get(layer.digest) ?? "")
const symkey = randomBytes(32)
const nonce = randomBytes(16)

beforeAll(() => {
  writeFileSync(keyFile, keys.privateKey.export({ type: "pkcs8", format: "pem" }))
  chmodSync(keyFile, 0o644)
})
afterAll(() => skiff.close(), 60_000)

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64")
const right = () => ({
  symkey: symkey.toString("base64"),
  digest: layer.digest,
  cipheroptions: { nonce: nonce.toString("base64") },
})

async function wrapped(options: object): Promise<string> {
  const jwe = new FlattenedEncrypt(Buffer.from(JSON.stringify(options)))
  const key = { ...keys.publicKey.export({ format: "jwk" }), alg: "RSA-OAEP" }
  return base64(await jwe.setProtectedHeader({ alg: "RSA-OAEP", enc: "A256GCM" }).encrypt(key))
}

interface Hostile {
  annotations?: Record<string, string>
  options?: object
  bytes?: Buffer
  cipher?: string
}

/** What pulling the image with its key says. */
async function pulled({ annotations, options = right(), bytes = plain, cipher }: Hostile): Promise<string> {
  await using registry = await HostileRegistry.start()
  const sealed = createCipheriv("aes-256-ctr", symkey, nonce).update(bytes)
  const descriptor = {
    mediaType: `${layer?.mediaType}+encrypted`,
    digest: digestOf(sealed),
    size: sealed.length,
    annotations: annotations ?? {
      "org.opencontainers.image.enc.keys.jwe": await wrapped(options),
      "org.opencontainers.image.enc.pubopts": base64({ cipher: cipher ?? "AES_256_CTR_HMAC_SHA256" }),
    },
  }
  const document = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config: image.config, layers: [descriptor] }
  const blobs = new Map([...image.blobs, [descriptor.digest, new Uint8Array(sealed)]])
  const name = registry.image({ ...image, blobs }, { bytes: json(document) })
  const { code, stderr } = await skiff.run(["pull", "-q", "--decryption-key", keyFile, name])
  const ids = await skiff.ok("images", "-aq")
  if (code === 0) await skiff.ok("rmi", "-f", name)
  else expect(ids).toBe("")
  return stderr
}

test("what is right is decrypted", async () => {
  expect(await pulled({})).toBe("")
})

const pubopts = { "org.opencontainers.image.enc.pubopts": base64({ cipher: "AES_256_CTR_HMAC_SHA256" }) }
const jwe = (text: string) => ({ ...pubopts, "org.opencontainers.image.enc.keys.jwe": text })

test.each<[string, Hostile, RegExp]>([
  ["the digest of another layer", { options: { ...right(), digest: digestOf("other") } }, /digest/],
  ["bytes of another layer", { bytes: Buffer.from(plain).fill(1, 10, 20) }, /digest/],
  ["a digest that leads out of the store", { options: { ...right(), digest: "sha256:../../x" } }, /is incomplete/],
  ["another key", { options: { ...right(), symkey: randomBytes(32).toString("base64") } }, /digest/],
  ["a short key", { options: { ...right(), symkey: "AAAA" } }, /is incomplete/],
  ["a short nonce", { options: { ...right(), cipheroptions: {} } }, /is incomplete/],
  ["options that are a list", { options: [] }, /is incomplete/],
  ["another cipher", { cipher: "NONE" }, /is encrypted with "NONE"/],
  ["no annotations", { annotations: {} }, /by an unknown scheme/],
  ["another scheme", { annotations: { "org.opencontainers.image.enc.keys.pgp": "AAAA" } }, /is encrypted by pgp/],
  ["a key that is no base64", { annotations: jwe("§") }, /no key was given that decrypts/],
  ["a key of no JWE", { annotations: jwe(base64({ a: 1 })) }, /no key was given that decrypts/],
  [
    "a thousand keys",
    { annotations: jwe(Array.from({ length: 1000 }, () => base64({})).join(",")) },
    /no key was given/,
  ],
  [
    // a billion rounds of PBKDF2 would take an hour
    "a key by password",
    {
      annotations: jwe(
        base64({
          protected: Buffer.from(
            JSON.stringify({ alg: "PBES2-HS512+A256KW", enc: "A256GCM", p2c: 1e9, p2s: "AAAA" }),
          ).toString("base64url"),
          encrypted_key: "AAAA",
          iv: "AAAA",
          ciphertext: "AAAA",
          tag: "AAAA",
        }),
      ),
    },
    /no key was given that decrypts/,
  ],
])("%s lets nothing in", async (_, hostile, reason) => {
  expect(await pulled(hostile)).toMatch(reason)
})
