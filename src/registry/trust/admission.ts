/** Holds an image against what policy.json asks of it. */
import { PermissionDenied, SkiffError } from "../../base/errors.ts"
import type { Digest } from "../../spec/digest.ts"
import type { Admission, PolicySubject, RegistrySource } from "../registry.ts"
import type { Attached } from "./attachments.ts"
import { parsePayload, PAYLOAD_TYPE } from "./payload.ts"
import { parseRequirement, type Requirement, type SignedBy, type SigstoreSigned } from "./requirements.ts"
import { subjectName } from "./scopes.ts"
import { checkClaim, checkSigstore, type Wanted } from "./sigstore-signature.ts"

/** Where the requirements stand. */
export interface Asked {
  subject: PolicySubject
  /** Of the policy. */
  path: string
  /** `scope "…"` or `default`. */
  scope: string
}

/** Parses the requirements, all of which must be met. Throws InvalidArgument, Unsupported. */
export function signedAdmission(requirements: readonly unknown[], asked: Asked): Admission {
  const parsed = requirements.map((each) => parseRequirement(each, asked.path))
  return {
    signers: parsed.map(signers),
    async admit(digests, source) {
      const image: Arriving = { ...asked, digests, source }
      for (const each of parsed)
        await (each.type === "signedBy" ? meetSignedBy(each, image) : meetSigstore(each, image))
    },
  }
}

interface Arriving extends Asked {
  digests: readonly Digest[]
  source: RegistrySource | undefined
}

async function meetSignedBy(required: SignedBy, image: Arriving): Promise<void> {
  const { signatures, where } = await simpleSignatures(image)
  if (signatures.length === 0) throw refused(required, image, `there is none in ${where}`)
  const { Keyring } = await import("./gpg.ts")
  using keyring = await Keyring.of(required.keys)
  const reasons: string[] = []
  for (const signature of signatures) {
    const reason = await reasonAgainst(async () => {
      const claim = parsePayload(await keyring.open(signature), PAYLOAD_TYPE.simple)
      checkClaim(claim, required.identity, wantedOf(image))
    })
    if (reason === undefined) return
    reasons.push(reason)
  }
  throw refused(required, image, reasons)
}

async function meetSigstore(required: SigstoreSigned, image: Arriving): Promise<void> {
  const { signatures, bundles } = await attachedSignatures(image)
  const reasons: string[] = []
  for (const signature of signatures) {
    const reason = await reasonAgainst(() => checkSigstore(signature, required, wantedOf(image)))
    if (reason === undefined) return
    reasons.push(reason)
  }
  if (bundles > 0)
    reasons.push(
      "it is a bundle, which names no repository (cosign 3 makes one of the other kind when its new bundle format is off)",
    )
  throw refused(required, image, reasons.length > 0 ? reasons : "there is none in its repository")
}

/** What speaks against a signature; undefined: nothing. What is wrong with the policy or the host is thrown on. */
async function reasonAgainst(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    if (error instanceof SkiffError || !(error instanceof Error)) throw error
    return error.message
  }
}

function wantedOf({ subject, digests }: Arriving): Wanted {
  return { digests, ref: subject.transport === "docker" ? subject.ref : undefined }
}

async function simpleSignatures({ subject, digests }: Arriving): Promise<{ signatures: Uint8Array[]; where: string }> {
  const lookaside = await import("./lookaside.ts")
  if (subject.transport === "dir" && subject.path !== undefined)
    return { signatures: await lookaside.readDirectorySignatures(subject.path), where: `"${subject.path}"` }
  if (subject.transport !== "docker") return { signatures: [], where: `a ${subject.transport}, which keeps none` }
  const { signaturePlaces } = await import("./registries-d.ts")
  const { repository } = subject.ref
  const { lookaside: base } = signaturePlaces(subject.ref)
  const signatures: Uint8Array[] = []
  for (const digest of digests) signatures.push(...(await lookaside.readLookaside(base, repository, digest)))
  return { signatures, where: `"${base}"` }
}

async function attachedSignatures({ subject, digests, source }: Arriving): Promise<Attached> {
  if (subject.transport !== "docker" || source === undefined) return { signatures: [], bundles: 0 }
  const { signaturePlaces } = await import("./registries-d.ts")
  if (signaturePlaces(subject.ref).attachments === false) return { signatures: [], bundles: 0 }
  const { readAttachments } = await import("./attachments.ts")
  const found: Attached = { signatures: [], bundles: 0 }
  for (const digest of digests) {
    const { signatures, bundles } = await readAttachments(source, subject.ref, digest)
    found.signatures.push(...signatures)
    found.bundles += bundles
  }
  return found
}

/** Most of them are the same sentence. */
const MOST_REASONS = 3

function refused(required: Requirement, { subject, path, scope }: Asked, why: string | readonly string[]) {
  const reasons = typeof why === "string" ? [why] : [...new Set(why)]
  const more = reasons.length > MOST_REASONS ? `; and ${reasons.length - MOST_REASONS} more` : ""
  const shown = `${reasons.slice(0, MOST_REASONS).join("; ")}${more}`
  const kind = required.type === "signedBy" ? "a signature" : "a sigstore signature"
  return new PermissionDenied(
    `"${subjectName(subject)}" is not let in: the ${scope} of "${path}" asks for ${kind} by ${signers(required)}, but ${shown}`,
    {
      hint: [
        "have it signed by that key for this name, or name the key of who signs it in the policy",
        "to take it unsigned, let the policy say insecureAcceptAnything for this name alone",
      ],
    },
  )
}

function signers(required: Requirement): string {
  if (required.type === "signedBy") return keyNames(required.keys)
  const { by } = required
  if ("keys" in by) return keyNames(by.keys)
  if ("fulcio" in by) return `${by.fulcio.subjectEmail} (known to ${by.fulcio.oidcIssuer})`
  return by.pki.subjectEmail ?? by.pki.subjectHostname ?? "a certificate"
}

function keyNames(keys: readonly { shown: string }[]): string {
  return `${keys.length > 1 ? "one of the keys" : "the key"} ${keys.map(({ shown }) => `"${shown}"`).join(", ")}`
}
