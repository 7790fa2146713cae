/** CertificateSigningRequests (certificates.k8s.io/v1): who asks is said by the server, who approves must be allowed to, and this API's own authority signs for its clients. */
import { X509Certificate } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { at, isTree, listAt, numberAt, textAt, treeAt, withAt, type Tree } from "../field.ts"
import type { KubeObject } from "../kube-object.ts"
import type { StoredObject } from "../objects/objects.ts"
import type { ApiResponse } from "./api.ts"
import { admitted } from "./admission/webhooks/admitted.ts"
import { authorize, mayDo } from "./authorize.ts"
import type { ResourceRequest } from "./context.ts"
import { badRequest, invalid, statusError } from "./status.ts"
import { methodNotAllowed, patched, patchKind, read, writing } from "./write.ts"

const CERTIFICATES = "certificatesigningrequests.certificates.k8s.io"
const GROUP = "certificates.k8s.io"
/** The only signer that is served. */
const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
const MASTERS = "system:masters"
const CLIENT_USAGES = new Set(["client auth", "digital signature", "key encipherment"])
const MAX_REQUEST_BYTES = 64 * 1024
const [DAY_SECONDS, LEAST_SECONDS, USUAL_DAYS, MOST_DAYS] = [86_400, 600, 365, 3650]
const JUDGED = new Set(["Approved", "Denied"])

/** Signs a request (PKCS #10, PEM) for a client, by this API's authority. Throws NotFound where there is none yet, FailedPrecondition for what is no request. */
export type SignClient = (request: string, options: { days: number }) => Promise<string>

/** A request on the object itself: whose it is nobody says but the server, and what is asked for stays. */
export async function onSigningRequest(
  context: ResourceRequest,
  sign: SignClient | undefined,
  body: (context: ResourceRequest) => ApiResponse,
): Promise<ApiResponse> {
  const { request, target } = context
  const { method } = request
  if (method === "GET" || method === "DELETE") return body(context)
  if (target.subresource === "status") return onStatus(context, body)
  const isApplied = method === "PATCH" && patchKind(request.contentType) === "apply"
  const known = target.name === undefined ? undefined : context.deps.objects.find(CERTIFICATES, target.name)
  if (method !== "POST" && !isApplied) return unchanged(context, body)
  const own = known === undefined ? identityOf(context) : treeAt(known, "spec")
  const spec: Tree = { ...treeAt(request.body, "spec") }
  for (const key of ["username", "uid", "groups", "extra"]) {
    if (own[key] === undefined) delete spec[key]
    else spec[key] = own[key]
  }
  if (known === undefined) await check(textAt(request.body, "metadata", "name") || (target.name ?? ""), spec, sign)
  const asked = { ...request, body: { ...(isTree(request.body) ? request.body : {}), spec } }
  return unchanged({ ...context, request: asked }, body)
}

function identityOf({ user }: ResourceRequest): Tree {
  const { name, uid, groups, extra } = user
  return { username: name, groups: [...groups], ...(uid !== undefined && { uid }), ...(extra && { extra }) }
}

function fault(name: string, field: string, value: unknown, message: string): Error {
  const shown = value === undefined ? "" : ` ${JSON.stringify(value)}:`
  return invalid("CertificateSigningRequest", GROUP, name, [
    { reason: "FieldValueInvalid", field, message: `Invalid value:${shown} ${message}` },
  ])
}

async function check(name: string, spec: Tree, sign: SignClient | undefined): Promise<void> {
  const signer = textAt(spec, "signerName")
  if (!/^[a-z0-9.-]+\.[a-z0-9.-]+\/[\w.-]+$/i.test(signer))
    throw fault(
      name,
      "spec.signerName",
      signer,
      "must be a fully qualified domain and path of the form 'example.com/signer-name'",
    )
  const usages = listAt(spec, "usages")
  if (usages.length === 0) throw fault(name, "spec.usages", undefined, "usages is required")
  const seconds = numberAt(spec, "expirationSeconds")
  if (seconds !== undefined && seconds < LEAST_SECONDS)
    throw fault(
      name,
      "spec.expirationSeconds",
      seconds,
      "may not specify a duration less than 600 seconds (10 minutes)",
    )
  const request = requestOf(spec)
  if (
    !/^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/.test(
      request,
    )
  )
    throw fault(name, "spec.request", undefined, "PEM block type must be CERTIFICATE REQUEST")
  if (signer !== CLIENT_SIGNER || sign === undefined) return
  const bad = usages.find((one) => !CLIENT_USAGES.has(String(one)))
  if (bad !== undefined || !usages.includes("client auth"))
    throw fault(
      name,
      "spec.usages",
      bad ?? usages,
      `${CLIENT_SIGNER} signs for "client auth", "digital signature" and "key encipherment"`,
    )
  try {
    await signed(request, 1, sign)
  } catch (error) {
    const code = (error as { code?: string }).code
    if (code === "PermissionDenied") throw error
    // before the API was served for the first time nothing signs, and the request waits
    if (code !== "NotFound")
      throw fault(name, "spec.request", undefined, "it is no certificate request that can be read")
  }
}

function requestOf(spec: Tree): string {
  const bytes = Buffer.from(textAt(spec, "request"), "base64")
  return bytes.length > MAX_REQUEST_BYTES ? "" : bytes.toString("latin1")
}

/** The certificate, looked at: nobody is made a master by one (plugin CertificateSubjectRestriction). */
async function signed(request: string, days: number, sign: SignClient): Promise<string> {
  const certificate = await sign(request, { days })
  const subject = new X509Certificate(certificate).toLegacyObject().subject as unknown as Readonly<
    Record<string, string | string[]>
  >
  if ([subject?.["O"] ?? []].flat().some((one) => one.trim() === MASTERS))
    throw statusError(
      "PermissionDenied",
      `${CERTIFICATES} is forbidden: use of ${CLIENT_SIGNER} signer with ${MASTERS} group is not allowed`,
      { reason: "Forbidden", resource: CERTIFICATES },
    )
  return certificate
}

/** What was asked for stays, so that nobody approves one thing and signs another. */
function unchanged(context: ResourceRequest, body: (context: ResourceRequest) => ApiResponse): ApiResponse {
  const { deps, target } = context
  return writing(context, () => {
    const before = target.name === undefined ? undefined : deps.objects.find(CERTIFICATES, target.name)
    const answer = body(context)
    if (before !== undefined && isTree(answer.body) && !isDeepStrictEqual(answer.body["spec"], before["spec"]))
      throw invalid("CertificateSigningRequest", GROUP, before.metadata.name, [
        { reason: "FieldValueForbidden", field: "spec", message: "Forbidden: what was asked for cannot be changed" },
      ])
    return answer
  })
}

/** A certificate is a signer's to write, and what was judged stays. */
function onStatus(context: ResourceRequest, body: (context: ResourceRequest) => ApiResponse): ApiResponse {
  return writing(context, () => {
    const before = read(context)
    const answer = body(context)
    const after = isTree(answer.body) ? answer.body : {}
    if (!isDeepStrictEqual(judgedOf(before), judgedOf(after)))
      throw invalid("CertificateSigningRequest", GROUP, before.metadata.name, [
        {
          reason: "FieldValueForbidden",
          field: "status.conditions",
          message: "Forbidden: updates may not change a condition of type Approved or Denied",
        },
      ])
    if (at(before, "status", "certificate") !== at(after, "status", "certificate")) mustSign(context, before, "sign")
    return answer
  })
}

function judgedOf(object: unknown): unknown[] {
  return listAt(object, "status", "conditions").filter((one) => JUDGED.has(textAt(one, "type")))
}

/** Who may approve or sign may do so for a signer, by its name or its domain. Throws Forbidden. */
function mustSign({ deps, user }: ResourceRequest, object: StoredObject, verb: "approve" | "sign"): void {
  const name = textAt(object, "spec", "signerName")
  const access = { verb, group: GROUP, resource: "signers" }
  if (mayDo(deps.objects, user, { ...access, name: `${name.split("/")[0]}/*` })) return
  authorize(deps.objects, user, { ...access, name })
}

/** Approves or denies; what is approved for our signer is signed at once. */
export async function approval(context: ResourceRequest, sign: SignClient | undefined): Promise<ApiResponse> {
  const { request, deps, isDryRun } = context
  if (request.method === "GET") return { status: 200, body: read(context) }
  if (request.method !== "PUT" && request.method !== "PATCH") throw methodNotAllowed()
  const judged = writing(context, () => {
    const current = read(context)
    mustSign(context, current, "approve")
    const asked = request.method === "PATCH" ? patched(context, current, request.body) : request.body
    const conditions = conditionsOf(current, asked)
    const next = admitted(context, withAt(current, ["status", "conditions"], conditions), current)
    return deps.objects.updateStatus(CERTIFICATES, next as unknown as KubeObject)
  })
  const isApproved = listAt(judged, "status", "conditions").some((one) => textAt(one, "type") === "Approved")
  const isOurs = textAt(judged, "spec", "signerName") === CLIENT_SIGNER
  if (!isApproved || !isOurs || sign === undefined || isDryRun || textAt(judged, "status", "certificate") !== "")
    return { status: 200, body: judged }
  return { status: 200, body: await withCertificate(context, judged, sign) }
}

function conditionsOf(current: StoredObject, asked: unknown): Tree[] {
  const now = new Date().toISOString().replace(/\.\d+Z$/, "Z")
  const { name } = current.metadata
  const wanted = listAt(asked, "status", "conditions").filter(isTree)
  const before = listAt(current, "status", "conditions").filter(isTree)
  const types = new Set(wanted.map((one) => textAt(one, "type")))
  if (types.has("Approved") && types.has("Denied"))
    throw fault(name, "status.conditions", undefined, "Approved and Denied conditions are mutually exclusive")
  for (const one of before)
    if (!types.has(textAt(one, "type")))
      throw fault(
        name,
        "status.conditions",
        undefined,
        `updates may not remove a condition of type "${textAt(one, "type")}"`,
      )
  return wanted.map((one) => {
    const known = before.find((other) => textAt(other, "type") === textAt(one, "type"))
    if (known !== undefined) return known
    const type = textAt(one, "type")
    if (!JUDGED.has(type)) throw badRequest(`a condition of type "${type}" is none that approval sets`)
    const { reason, message } = one
    return {
      type,
      status: "True",
      reason: String(reason ?? ""),
      message: String(message ?? ""),
      lastUpdateTime: now,
      lastTransitionTime: now,
    }
  })
}

async function withCertificate(
  context: ResourceRequest,
  judged: StoredObject,
  sign: SignClient,
): Promise<StoredObject> {
  const { deps } = context
  const seconds = numberAt(judged, "spec", "expirationSeconds")
  const days = seconds === undefined ? USUAL_DAYS : Math.min(MOST_DAYS, Math.max(1, Math.floor(seconds / DAY_SECONDS)))
  const status = await signed(requestOf(treeAt(judged, "spec")), days, sign).then(
    (certificate): Tree => ({ ...treeAt(judged, "status"), certificate: Buffer.from(certificate).toString("base64") }),
    (error: Error): Tree => {
      const failed = { type: "Failed", status: "True", reason: "SigningError", message: error.message.slice(0, 400) }
      return { ...treeAt(judged, "status"), conditions: [...listAt(judged, "status", "conditions"), failed] }
    },
  )
  return writing(context, () =>
    deps.objects.updateStatus(CERTIFICATES, { ...judged, metadata: judged.metadata, status }),
  )
}
