/** What Rekor, a public log of signatures, promised to have taken in (its "signed entry timestamp"), as cosign attaches it. */
import { createHash, createPublicKey, type KeyObject } from "node:crypto"
import { InvalidArgument } from "../../base/errors.ts"
import type { KeySource } from "./requirements.ts"
import { isSignedBy, publicKeyOf } from "./sigstore-key.ts"
import { ANNOTATION, type SigstoreSignature } from "./signature.ts"

interface LogEntry {
  body: string
  integratedTime: number
  logID: string
  logIndex: number
}

/**
 * When one of the log's keys says that it took in this very signature of this payload by this key, or this certificate (PEM). Throws an Error
 * that says what is missing.
 */
export function checkLogged(
  { payload, annotations }: SigstoreSignature,
  logKeys: readonly KeySource[],
  maker: KeyObject | string,
): Date {
  const { entry, promise } = parseEntry(annotations[ANNOTATION.rekor])
  // RFC 8785: what is signed is the entry with its keys in order, and nothing between them
  const { body, integratedTime, logID, logIndex } = entry
  const signed = Buffer.from(JSON.stringify({ body, integratedTime, logID, logIndex }))
  if (!logKeys.some((key) => isSignedBy(logKeyOf(key), signed, promise)))
    throw new Error("the log that it names is none of the policy's")
  const logged = parseBody(body)
  if (logged.signature !== annotations[ANNOTATION.signature]) throw new Error("the log has another signature")
  if (logged.hash !== createHash("sha256").update(payload).digest("hex")) throw new Error("the log has another payload")
  if (!derOf(logged.maker).equals(derOf(maker))) throw new Error("the log has a signature by another key")
  return new Date(integratedTime * 1000)
}

function logKeyOf({ bytes, shown }: KeySource): KeyObject {
  const key = publicKeyOf(bytes, shown)
  if (key.asymmetricKeyType === "ec") return key
  throw new InvalidArgument(`"${shown}" is no key of Rekor's: it is not ECDSA`)
}

function parseEntry(text: string | undefined): { entry: LogEntry; promise: Uint8Array } {
  if (text === undefined) throw new Error(`it is in no log: it has no ${ANNOTATION.rekor}`)
  const { SignedEntryTimestamp: promise, Payload: fields } = json(text) as {
    SignedEntryTimestamp?: unknown
    Payload?: Partial<Record<keyof LogEntry, unknown>> | null
  }
  const { body, integratedTime, logID, logIndex } = fields ?? {}
  const areStrings = [promise, body, logID].every((each) => typeof each === "string")
  const areNumbers = [integratedTime, logIndex].every((each) => Number.isSafeInteger(each) && Number(each) >= 0)
  if (!areStrings || !areNumbers) throw new Error(`its ${ANNOTATION.rekor} is no entry of a log`)
  return {
    entry: {
      body: String(body),
      integratedTime: Number(integratedTime),
      logID: String(logID),
      logIndex: Number(logIndex),
    },
    promise: Buffer.from(String(promise), "base64"),
  }
}

/** An entry of the kind `hashedrekord`, version 0.0.1. */
function parseBody(text: string): { signature: string; hash: string; maker: string } {
  const { apiVersion, kind, spec } = json(Buffer.from(text, "base64").toString("utf8")) as {
    apiVersion?: unknown
    kind?: unknown
    spec?: {
      data?: { hash?: { algorithm?: unknown; value?: unknown } }
      signature?: { content?: unknown; publicKey?: { content?: unknown } }
    }
  }
  if (kind !== "hashedrekord" || apiVersion !== "0.0.1")
    throw new Error(
      `the log has an entry of the kind "${String(kind).slice(0, 50)}" ${String(apiVersion).slice(0, 20)}`,
    )
  const { algorithm, value } = spec?.data?.hash ?? {}
  const { content, publicKey } = spec?.signature ?? {}
  const maker = publicKey?.content
  if (algorithm !== "sha256" || typeof value !== "string" || typeof content !== "string" || typeof maker !== "string")
    throw new Error("the log's entry is incomplete")
  return { signature: content, hash: value, maker: Buffer.from(maker, "base64").toString("latin1") }
}

/** Of a key, its SubjectPublicKeyInfo; of a certificate in PEM, itself. */
function derOf(maker: KeyObject | string): Buffer {
  if (typeof maker !== "string") return maker.export({ type: "spki", format: "der" })
  const [, type, body, rest] = /^\s*-----BEGIN ([A-Z ]+)-----([\s\S]+?)-----END \1-----\s*([\s\S]*)$/.exec(maker) ?? []
  if (body === undefined || rest !== "") throw new Error("the log's key is not one key in PEM")
  if (type === "CERTIFICATE") return Buffer.from(body, "base64")
  return derOf(createPublicKey(maker))
}

function json(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null) return value
  } catch {
    // said below
  }
  throw new Error("its entry of the log is no JSON object")
}
