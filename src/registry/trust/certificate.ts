/** Keys that a certificate vouches for: Fulcio's, which live for minutes, or those of one's own authority (RFC 5280, section 6). */
import { createPublicKey, type KeyObject } from "node:crypto"
import { X509Certificate } from "@sigstore/core"
import { InvalidArgument } from "../../base/errors.ts"
import { checkLogged } from "./rekor.ts"
import type { Fulcio, KeySource, Pki } from "./requirements.ts"
import { ANNOTATION, type SigstoreSignature } from "./signature.ts"

const OID = {
  altName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  keyUsage: "2.5.29.15",
  extendedKeyUsage: "2.5.29.37",
  codeSigning: "1.3.6.1.5.5.7.3.3",
  anyUsage: "2.5.29.37.0",
  /** Fulcio's `oid-info.md`: the second is the first as a DER string. */
  issuer: "1.3.6.1.4.1.57264.1.1",
  issuerDer: "1.3.6.1.4.1.57264.1.8",
} as const
/** Extensions that are looked at here; a critical one beside them may restrict the certificate. */
const UNDERSTOOD = new Set<string>([OID.altName, OID.basicConstraints, OID.keyUsage, OID.extendedKeyUsage])
const MAX_CHAIN = 6
const GENERAL_NAME = { email: 1, dns: 2 } as const

/** The key of the signature's certificate, once that is proven. Throws an Error that says why it does not count. */
export async function keyOfCertificate(
  signature: SigstoreSignature,
  by: { fulcio: Fulcio } | { pki: Pki },
  rekorKeys: readonly KeySource[],
): Promise<KeyObject> {
  const { annotations } = signature
  const pem = annotations[ANNOTATION.certificate]
  if (pem === undefined) throw new Error(`it has no ${ANNOTATION.certificate}`)
  const [leaf, ...others] = certificatesIn(pem)
  if (leaf === undefined || others.length > 0) throw new Error("it does not have exactly one certificate")
  const carried = certificatesIn(annotations[ANNOTATION.chain] ?? "")
  if ("fulcio" in by) {
    const { fulcio } = by
    // the log says when the certificate was used: it is over long before anybody pulls the image
    const at = checkLogged(signature, rekorKeys, pem)
    checkChain(leaf, carried, rootsOf(fulcio.roots), at, OID.codeSigning)
    checkIssuer(leaf, fulcio.oidcIssuer)
    mustName(leaf, "email", fulcio.subjectEmail)
  } else {
    const { roots, intermediates, subjectEmail, subjectHostname } = by.pki
    const between = intermediates === undefined ? carried : [...carried, ...rootsOf(intermediates)]
    checkChain(leaf, between, rootsOf(roots), new Date(), undefined)
    if (subjectEmail) mustName(leaf, "email", subjectEmail)
    if (subjectHostname) mustName(leaf, "dns", subjectHostname)
  }
  return createPublicKey({ key: leaf.publicKey, format: "der", type: "spki" })
}

function certificatesIn(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length > MAX_CHAIN) throw new Error("it has too many certificates")
  try {
    return blocks.map((block) => X509Certificate.parse(block))
  } catch {
    throw new Error("its certificate cannot be parsed")
  }
}

function rootsOf({ bytes, shown }: KeySource): X509Certificate[] {
  const text = Buffer.from(bytes).toString("latin1")
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new InvalidArgument(`"${shown}" has no certificate in PEM`)
  try {
    return blocks.map((block) => X509Certificate.parse(block))
  } catch (cause) {
    throw new InvalidArgument(`"${shown}" has a certificate that cannot be parsed`, { cause })
  }
}

/** That the policy's roots vouch for the certificate, at a time, by any way through the certificates between. */
function checkChain(
  leaf: X509Certificate,
  between: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  at: Date,
  usage: string | undefined,
): void {
  checkOne(leaf, at, usage)
  if (usage !== undefined && usagesOf(leaf) === undefined) throw new Error("its certificate is not for signing")
  if (reachesRoot(leaf, 0)) return
  throw new Error("its certificate is of none of the policy's authorities")

  function reachesRoot(certificate: X509Certificate, depth: number): boolean {
    const issuers = (list: readonly X509Certificate[]) => list.filter((each) => mayHaveIssued(each, certificate, depth))
    if (issuers(roots).length > 0) return true
    return depth + 1 < MAX_CHAIN && issuers(between).some((issuer) => reachesRoot(issuer, depth + 1))
  }

  function mayHaveIssued(issuer: X509Certificate, certificate: X509Certificate, depth: number): boolean {
    if (!issuer.subject.equals(certificate.issuer) || !issuer.isCA) return false
    const most = issuer.extBasicConstraints?.pathLenConstraint
    if (most !== undefined && most < BigInt(depth)) return false
    try {
      checkOne(issuer, at, usage)
      return certificate.verify(issuer)
    } catch {
      return false
    }
  }
}

function checkOne(certificate: X509Certificate, at: Date, usage: string | undefined): void {
  if (!certificate.validForDate(at)) throw new Error(`its certificate was not valid at ${at.toISOString()}`)
  const oids = certificate.extensions.map((each) => each.subs[0]?.toOID() ?? "")
  if (new Set(oids).size !== oids.length) throw new Error("its certificate has an extension twice")
  // Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue }
  const strange = certificate.extensions.find(
    ({ subs }, index) => subs.length === 3 && subs[1]?.toBoolean() && !UNDERSTOOD.has(oids[index] ?? ""),
  )
  if (strange !== undefined) throw new Error("its certificate has a critical extension that skiff does not know")
  const usages = usagesOf(certificate)
  if (usage !== undefined && usages !== undefined && !usages.some((each) => each === usage || each === OID.anyUsage))
    throw new Error("its certificate is not for signing")
}

function usagesOf(certificate: X509Certificate): string[] | undefined {
  return certificate.extension(OID.extendedKeyUsage)?.valueObj.subs[0]?.subs.map((each) => each.toOID())
}

function checkIssuer(leaf: X509Certificate, wanted: string): void {
  const plain = leaf.extension(OID.issuer)?.value.toString("utf8")
  const der = leaf.extension(OID.issuerDer)?.valueObj.subs[0]?.value.toString("utf8")
  const named = [plain, der].filter((each) => each !== undefined)
  if (named.length > 0 && named.every((each) => each === wanted)) return
  throw new Error(`its certificate was made for a login at "${(named[0] ?? "").slice(0, 200)}", not "${wanted}"`)
}

function mustName(leaf: X509Certificate, kind: keyof typeof GENERAL_NAME, wanted: string): void {
  const all = leaf.extension(OID.altName)?.valueObj.subs[0]?.subs ?? []
  const names = all
    .filter(({ tag }) => tag.isContextSpecific(GENERAL_NAME[kind]))
    .map(({ value }) => value.toString("latin1"))
  if (names.includes(wanted)) return
  throw new Error(
    `its certificate names ${names.length > 0 ? `"${names.join(", ").slice(0, 200)}"` : "nobody"}, not "${wanted}"`,
  )
}
