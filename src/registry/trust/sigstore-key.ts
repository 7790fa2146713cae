/** Keys of sigstore's signatures, in the files that cosign and skopeo make and read. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  scrypt,
  sign,
  verify,
  type KeyObject,
} from "node:crypto"
import { promisify } from "node:util"
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"

/** What the armour of a private key says: skopeo's, which every program reads, and that of cosign since 2.0. */
const PEM_TYPES = ["ENCRYPTED COSIGN PRIVATE KEY", "ENCRYPTED SIGSTORE PRIVATE KEY"] as const

/** Those that go-securesystemslib takes, and no others; new keys have the second, as cosign's. */
const SCRYPT_COSTS = [32_768, 65_536, 131_072]
const NEW_COST = 65_536
const BLOCK_SIZE = 8
const PARALLEL = 1

/** A new ECDSA key on P-256, as cosign makes it. */
export async function makeKeyPair(passphrase: string): Promise<{ privatePem: string; publicPem: string }> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const plain = privateKey.export({ type: "pkcs8", format: "der" })
  const [salt, nonce] = [randomBytes(32), randomBytes(24)]
  const key = await derive(passphrase, salt, NEW_COST)
  const document = {
    kdf: { name: "scrypt", params: { N: NEW_COST, r: BLOCK_SIZE, p: PARALLEL }, salt: salt.toString("base64") },
    cipher: { name: "nacl/secretbox", nonce: nonce.toString("base64") },
    ciphertext: Buffer.from(xsalsa20poly1305(key, nonce).encrypt(plain)).toString("base64"),
  }
  const body = Buffer.from(JSON.stringify(document)).toString("base64").replace(/.{64}/g, "$&\n").trimEnd()
  const privatePem = `-----BEGIN ${PEM_TYPES[0]}-----\n${body}\n-----END ${PEM_TYPES[0]}-----\n`
  return { privatePem, publicPem: publicKey.export({ type: "spki", format: "pem" }).toString() }
}

/** `shown`: the file, for messages. Throws InvalidArgument for another file, FailedPrecondition for a wrong passphrase. */
export async function openPrivateKey(pem: string, passphrase: string, shown: string): Promise<KeyObject> {
  const no = (why: string) =>
    new InvalidArgument(`"${shown}" is no private key of sigstore's: ${why}`, {
      field: "signing.sigstoreKey",
      hint: "it is made by cosign generate-key-pair, skopeo generate-sigstore-key, or here",
    })
  const [, type, body] = /^-----BEGIN ([A-Z ]+)-----\n([\s\S]+?)-----END \1-----\s*$/.exec(pem.trimStart()) ?? []
  if (type === undefined || body === undefined) throw no("it is not PEM")
  if (!PEM_TYPES.some((each) => each === type)) throw no(`it holds a "${type}"`)
  const sealed = sealedKey(Buffer.from(body, "base64").toString("utf8"))
  if (sealed === undefined) throw no("it is encrypted in a way that is not known")
  const key = await derive(passphrase, sealed.salt, sealed.cost)
  let plain: Uint8Array
  try {
    plain = xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext)
  } catch (cause) {
    throw new FailedPrecondition(`cannot decrypt the private key "${shown}": the passphrase is wrong`, {
      field: "signing.passphrase",
      cause,
    })
  }
  try {
    return createPrivateKey({ key: Buffer.from(plain), format: "der", type: "pkcs8" })
  } catch {
    throw no("what is encrypted in it is no key")
  }
}

interface SealedKey {
  cost: number
  salt: Uint8Array
  nonce: Uint8Array
  ciphertext: Uint8Array
}

function sealedKey(text: string): SealedKey | undefined {
  let document: {
    kdf?: { name?: unknown; params?: { N?: unknown; r?: unknown; p?: unknown }; salt?: unknown }
    cipher?: { name?: unknown; nonce?: unknown }
    ciphertext?: unknown
  }
  try {
    document = JSON.parse(text) as typeof document
  } catch {
    return undefined
  }
  const { kdf, cipher, ciphertext } = document
  const { N, r, p } = kdf?.params ?? {}
  // a cost of the file's own choice could take all memory
  const cost = SCRYPT_COSTS.find((each) => each === N)
  if (kdf?.name !== "scrypt" || cost === undefined || r !== BLOCK_SIZE || p !== PARALLEL) return undefined
  if (cipher?.name !== "nacl/secretbox") return undefined
  const [salt, nonce, sealed] = [kdf.salt, cipher.nonce, ciphertext].map((each) => Buffer.from(String(each), "base64"))
  if (salt === undefined || nonce?.length !== 24 || sealed === undefined) return undefined
  return { cost, salt, nonce, ciphertext: sealed }
}

async function derive(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  const options = { N: cost, r: BLOCK_SIZE, p: PARALLEL, maxmem: 256 * cost * BLOCK_SIZE }
  const bytes = await promisify<string, Uint8Array, number, object, Buffer>(scrypt)(passphrase, salt, 32, options)
  return new Uint8Array(bytes)
}

/** The key of a PEM file. Throws InvalidArgument for what is none, or of a kind that sigstore does not know. */
export function publicKeyOf(pem: Uint8Array, shown: string): KeyObject {
  let key: KeyObject
  const text = Buffer.from(pem).toString("latin1")
  try {
    if (!/-----BEGIN (?:RSA )?PUBLIC KEY-----/.test(text)) throw new Error("no public key")
    key = createPublicKey(text)
  } catch (cause) {
    throw new InvalidArgument(`"${shown}" is no public key in PEM`, { cause })
  }
  if (["ec", "rsa", "ed25519"].includes(key.asymmetricKeyType ?? "")) return key
  throw new InvalidArgument(`"${shown}" is a key of the kind ${key.asymmetricKeyType}, not ECDSA, RSA or Ed25519`)
}

/** As sigstore signs: SHA-256 with ECDSA (in DER) and RSA (PKCS #1 v1.5), the bytes themselves with Ed25519. */
export function isSignedBy(key: KeyObject, payload: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(key.asymmetricKeyType === "ed25519" ? null : "sha256", payload, key, signature)
  } catch {
    return false // what is no signature at all
  }
}

/** See `isSignedBy`. */
export function signBytes(key: KeyObject, payload: Uint8Array): Uint8Array {
  return sign(key.asymmetricKeyType === "ed25519" ? null : "sha256", payload, key)
}
