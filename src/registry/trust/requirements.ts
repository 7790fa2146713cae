/**
 * The requirements of containers-policy.json(5), parsed as strictly as containers/image parses them: what is not known is refused,
 * as it might have been meant to keep images out.
 */
import { readFileSync } from "node:fs"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { parseIdentityRule, type IdentityRule } from "./identity.ts"

/** A key or certificate of the policy. */
export interface KeySource {
  /** Its path, or the name of the field that holds it. */
  shown: string
  bytes: Uint8Array
}

/** What is asked beside a policy's accept and reject. */
export type Requirement = SignedBy | SigstoreSigned

/** Simple signing, by one of the keys. */
export interface SignedBy {
  type: "signedBy"
  keys: readonly KeySource[]
  identity: IdentityRule
}

/** A signature of sigstore's, by one of the keys or by who a certificate names. */
export interface SigstoreSigned {
  type: "sigstoreSigned"
  by: { keys: readonly KeySource[] } | { fulcio: Fulcio } | { pki: Pki }
  /** Rekor's keys, of which one must have logged the signature; none: it need not be logged. */
  rekorKeys: readonly KeySource[]
  identity: IdentityRule
}

/** Certificates that live for minutes, made for whoever an OpenID issuer knows by that address. */
export interface Fulcio {
  roots: KeySource
  oidcIssuer: string
  subjectEmail: string
}

/** Certificates of one's own authority. */
export interface Pki {
  roots: KeySource
  intermediates: KeySource | undefined
  subjectEmail: string | undefined
  subjectHostname: string | undefined
}

type Fields = Record<string, unknown>

const KEY_FIELDS = ["keyPath", "keyPaths", "keyData", "keyDatas"] as const
const REKOR_FIELDS = ["rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"] as const

/** `path`: of the policy, for messages. Throws InvalidArgument, and Unsupported for what the man page has and nobody implements. */
export function parseRequirement(value: unknown, path: string): Requirement {
  const fail = (why: string) => new InvalidArgument(`"${path}": ${why}`)
  const fields = asFields(value, "a requirement", fail)
  const identity = parseIdentityRule(fields.signedIdentity, fail)
  if (fields.type === "signedBy") {
    onlyKnown(fields, ["type", "keyType", ...KEY_FIELDS.slice(0, 3), "signedIdentity"], fail)
    if (fields.keyType !== "GPGKeys") throw unsupportedKeys(fields.keyType, path)
    return { type: "signedBy", keys: oneOf(fields, KEY_FIELDS, path, fail), identity }
  }
  if (fields.type !== "sigstoreSigned") throw fail(`unknown type of requirement "${String(fields.type)}"`)
  onlyKnown(fields, ["type", ...KEY_FIELDS, "fulcio", "pki", ...REKOR_FIELDS, "signedIdentity"], fail)
  const rekorKeys = REKOR_FIELDS.some((name) => fields[name] !== undefined)
    ? oneOf(fields, REKOR_FIELDS, path, fail)
    : []
  const sources = [KEY_FIELDS.some((name) => fields[name] !== undefined), fields.fulcio, fields.pki]
  if (sources.filter((each) => each !== undefined && each !== false).length !== 1)
    throw fail("sigstoreSigned needs exactly one of keyPath, keyPaths, keyData, keyDatas, fulcio and pki")
  if (fields.pki !== undefined) {
    if (rekorKeys.length > 0) throw fail("rekorPublicKeyPath is not used with pki")
    return { type: "sigstoreSigned", by: { pki: parsePki(fields.pki, path, fail) }, rekorKeys, identity }
  }
  if (fields.fulcio === undefined)
    return { type: "sigstoreSigned", by: { keys: oneOf(fields, KEY_FIELDS, path, fail) }, rekorKeys, identity }
  if (rekorKeys.length === 0) throw fail("fulcio needs rekorPublicKeyPath: the log says when a certificate was used")
  return { type: "sigstoreSigned", by: { fulcio: parseFulcio(fields.fulcio, path, fail) }, rekorKeys, identity }
}

function parseFulcio(value: unknown, path: string, fail: Fail): Fulcio {
  const fields = asFields(value, "fulcio", fail)
  onlyKnown(fields, ["caPath", "caData", "oidcIssuer", "subjectEmail"], fail)
  const [roots] = oneOf(fields, ["caPath", "caData"], path, fail)
  const oidcIssuer = optionalString(fields, "oidcIssuer", fail)
  const subjectEmail = optionalString(fields, "subjectEmail", fail)
  if (roots === undefined || !oidcIssuer || !subjectEmail) throw fail("fulcio needs oidcIssuer and subjectEmail")
  return { roots, oidcIssuer, subjectEmail }
}

function parsePki(value: unknown, path: string, fail: Fail): Pki {
  const fields = asFields(value, "pki", fail)
  const [INTERMEDIATES, ROOTS] = [
    ["caIntermediatesPath", "caIntermediatesData"],
    ["caRootsPath", "caRootsData"],
  ] as const
  onlyKnown(fields, [...ROOTS, ...INTERMEDIATES, "subjectEmail", "subjectHostname"], fail)
  const [roots] = oneOf(fields, ROOTS, path, fail)
  const [intermediates] = INTERMEDIATES.some((name) => fields[name] !== undefined)
    ? oneOf(fields, INTERMEDIATES, path, fail)
    : []
  const subjectEmail = optionalString(fields, "subjectEmail", fail)
  const subjectHostname = optionalString(fields, "subjectHostname", fail)
  if (roots === undefined || (!subjectEmail && !subjectHostname))
    throw fail("pki needs subjectEmail or subjectHostname")
  return { roots, intermediates, subjectEmail, subjectHostname }
}

type Fail = (why: string) => InvalidArgument

/** The keys of the one field of `names` that is there: a path, paths, base64, or several. */
function oneOf(fields: Fields, names: readonly string[], path: string, fail: Fail): KeySource[] {
  const given = names.filter((name) => fields[name] !== undefined)
  const [name] = given
  if (name === undefined || given.length !== 1) throw fail(`exactly one of ${names.join(", ")} is needed`)
  const value = fields[name]
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || Array.isArray(value) !== name.endsWith("s") || list.some((each) => typeof each !== "string"))
    throw fail(`"${name}" is not ${name.endsWith("s") ? "a list of strings" : "a string"}`)
  return (list as string[]).map((text) =>
    /Datas?$/.test(name)
      ? { shown: name, bytes: fromBase64(text, name, fail) }
      : { shown: text, bytes: read(text, path) },
  )
}

function read(file: string, path: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new InvalidArgument(`cannot read the key "${file}" that "${path}" names`, {
      hint: "put the public key there, or name another one in the policy",
      cause,
    })
  }
}

function fromBase64(text: string, name: string, fail: Fail): Uint8Array {
  if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) throw fail(`"${name}" is not base64`)
  return Buffer.from(text, "base64")
}

function optionalString(fields: Fields, name: string, fail: Fail): string | undefined {
  const value = fields[name]
  if (value === undefined || typeof value === "string") return value
  throw fail(`"${name}" is not a string`)
}

function asFields(value: unknown, what: string, fail: Fail): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields
  throw fail(`${what} is not an object`)
}

function onlyKnown(fields: Fields, names: readonly string[], fail: Fail): void {
  const other = Object.keys(fields).find((name) => !names.includes(name))
  if (other !== undefined) throw fail(`unknown field "${other}" of ${String(fields.type ?? "a requirement")}`)
}

function unsupportedKeys(keyType: unknown, path: string): Error {
  return new Unsupported(`"${path}" has signedBy with keyType "${String(keyType)}", which no engine implements`, {
    hint: 'use "GPGKeys"',
  })
}
