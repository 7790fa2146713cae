/**
 * An image as it was before its layers were encrypted (ocicrypt). The key of each layer is in its annotations, as a JWE for each recipient, with the
 * digest of the plain layer: that this is what comes out is checked where it is stored, so that the MAC of the ciphertext adds nothing.
 */
import { createDecipheriv, createPrivateKey, type KeyObject } from "node:crypto"
import { readFileSync } from "node:fs"
import type { FlattenedJWE, GeneralJWE } from "jose"
import { flattenedDecrypt } from "jose/jwe/flattened/decrypt"
import { generalDecrypt } from "jose/jwe/general/decrypt"
import type { Bytes } from "../base/bytes.ts"
import { DataLoss, InvalidArgument, NotFound, PermissionDenied, Unsupported } from "../base/errors.ts"
import { isDigest, type Digest } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"
import { parseManifest } from "../spec/parse-manifest.ts"
import { digestOf } from "./documents.ts"
import { decryptedType, isEncrypted } from "./encrypted-layers.ts"
import type { DecryptionKey, ImageSource, ResolvedManifest } from "./image.ts"

const PREFIX = "org.opencontainers.image.enc."
const JWE = `${PREFIX}keys.jwe`
const PUBLIC_OPTIONS = `${PREFIX}pubopts`
const CIPHER = "AES_256_CTR_HMAC_SHA256"
/** What ocicrypt makes; others, as passwords, are not taken from an image. */
const ALGORITHMS = {
  keyManagementAlgorithms: ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES+A256KW"],
  contentEncryptionAlgorithms: ["A256GCM"],
}

/** An image of one platform, and where its parts are. */
interface Encrypted {
  source: ImageSource
  top: ResolvedManifest
  shown: string
}

interface LayerKey {
  key: Buffer
  iv: Buffer
  encrypted: Descriptor
}

/** The same image with plain layers; one without encrypted ones stays as it is. Throws PermissionDenied where no key opens a layer. */
export async function decryptImage<T extends Encrypted>(from: T, given: readonly DecryptionKey[]): Promise<T> {
  const { top, shown, source } = from
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType, `manifest of ${shown}`)
  if (parsed.kind === "index") throw new InvalidArgument(`${shown} is of several platforms: one is decrypted at a time`)
  const { manifest, mediaType } = parsed
  if (!manifest.layers.some(isEncrypted)) return from
  const keys = given.map(openKey)
  const opened = new Map<Digest, LayerKey>()
  const layers: Descriptor[] = []
  for (const layer of manifest.layers) {
    if (!isEncrypted(layer)) {
      layers.push(layer)
      continue
    }
    const { digest, ...key } = await layerKey(layer, keys, shown)
    opened.set(digest, { ...key, encrypted: layer })
    layers.push({ ...layer, digest, mediaType: decryptedType(layer.mediaType), annotations: withoutKeys(layer) })
  }
  const document = { ...(JSON.parse(Buffer.from(top.bytes).toString()) as object), layers }
  const bytes = Buffer.from(JSON.stringify(document))
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length }
  return { ...from, source: decrypting(source, opened), top: { bytes, descriptor } }
}

/** Its blobs begin at their first byte, whatever was asked for. */
function decrypting(source: ImageSource, opened: ReadonlyMap<Digest, LayerKey>): ImageSource {
  return {
    resolve: (ref) => source.resolve(ref),
    async fetch(ref, descriptor, offset) {
      const layer = opened.get(descriptor.digest)
      if (layer === undefined) return await source.fetch(ref, descriptor, offset)
      const { bytes } = await source.fetch(ref, layer.encrypted)
      return { offset: 0, bytes: decipher(bytes, layer) }
    },
  }
}

async function* decipher(bytes: Bytes, { key, iv }: LayerKey): Bytes {
  const cipher = createDecipheriv("aes-256-ctr", key, iv)
  for await (const chunk of bytes) yield cipher.update(chunk)
  const rest = cipher.final()
  if (rest.length > 0) yield rest
}

async function layerKey(
  { annotations = {}, digest: of }: Descriptor,
  keys: readonly KeyObject[],
  shown: string,
): Promise<{ digest: Digest; key: Buffer; iv: Buffer }> {
  const wraps = annotations[JWE]?.split(",")
  if (wraps === undefined) {
    const others = Object.keys(annotations).filter((name) => name.startsWith(`${PREFIX}keys.`))
    const schemes = others.map((name) => name.slice(`${PREFIX}keys.`.length)).join(", ")
    throw new Unsupported(
      `layer ${of} of ${shown} is encrypted by ${schemes || "an unknown scheme"}: JWE alone is read`,
    )
  }
  const { cipher } = parse(annotations[PUBLIC_OPTIONS]) as { cipher?: unknown }
  if (cipher !== CIPHER) throw new Unsupported(`layer ${of} of ${shown} is encrypted with "${String(cipher)}"`)
  for (const wrap of wraps)
    for (const key of keys) {
      const plain = await openJwe(parse(wrap), key)
      if (plain !== undefined) return privateOptions(plain, of, shown)
    }
  throw new PermissionDenied(`no key was given that decrypts layer ${of} of ${shown}`, {
    field: "decryptionKeys",
    hint: "give the private key of one whom it was encrypted for",
  })
}

function privateOptions(plain: Uint8Array, of: Digest, shown: string) {
  const { symkey, digest, cipheroptions } = parse(Buffer.from(plain).toString("base64")) as {
    symkey?: unknown
    digest?: unknown
    cipheroptions?: { nonce?: unknown }
  }
  const [key, iv] = [symkey, cipheroptions?.nonce].map((text) => Buffer.from(String(text), "base64"))
  if (key?.length !== 32 || iv?.length !== 16 || !isDigest(digest))
    throw new DataLoss(`the key of layer ${of} of ${shown} is incomplete`)
  return { digest, key, iv }
}

/** With one recipient go-jose flattens the document. Undefined: this key does not open it. */
async function openJwe(document: object, key: KeyObject): Promise<Uint8Array | undefined> {
  const jwk = key.export({ format: "jwk" })
  try {
    const opened =
      "recipients" in document
        ? await generalDecrypt(document as GeneralJWE, jwk, ALGORITHMS)
        : await flattenedDecrypt(document as FlattenedJWE, jwk, ALGORITHMS)
    return opened.plaintext
  } catch {
    return undefined
  }
}

/** Base64 of JSON; what is none is an empty object. */
function parse(text = ""): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"))
    return typeof value === "object" && value !== null ? value : {}
  } catch {
    return {}
  }
}

function withoutKeys({ annotations = {} }: Descriptor): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => !name.startsWith(PREFIX)))
}

function openKey({ path, passphrase }: DecryptionKey): KeyObject {
  let pem: Buffer
  try {
    pem = readFileSync(path)
  } catch (cause) {
    throw new NotFound(`cannot read the private key "${path}"`, { field: "decryptionKeys", cause })
  }
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch (cause) {
    throw new InvalidArgument(`"${path}" is no private key in PEM, or its passphrase is wrong`, {
      field: "decryptionKeys",
      cause,
    })
  }
}
