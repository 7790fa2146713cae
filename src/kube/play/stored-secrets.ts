/** Secrets of Kubernetes in the engine's store: each is one of ours, whose bytes are the object's YAML, as podman keeps them. */
import type { Secret } from "kubernetes-types/core/v1"
import { FailedPrecondition, InvalidArgument, isSkiffError } from "../../base/errors.ts"
import type { Secrets } from "../../secret/secret.ts"
import { writeYaml } from "../../spec/write-yaml.ts"
import { checkObject } from "../read/check-object.ts"
import { readDocuments, type Json } from "../read/read-documents.ts"

/**
 * The object that a secret of the store is. One of other bytes, as `secret create` makes them, has one key, which is called as itself: so
 * `kube generate` names it. Undefined: there is none of that name. Throws InvalidArgument for a Secret of another form.
 */
export function storedSecret(secrets: Secrets, name: string): Secret | undefined {
  const bytes = bytesOf(secrets, name)
  if (bytes === undefined) return undefined
  const value = documentOf(bytes)
  if (value?.["kind"] === "Secret") return checkObject(value, "Secret").value as Secret
  // what podman took before it kept objects: keys with bytes in base64
  if (value !== undefined && bytes[0] === OPEN_BRACE && Object.values(value).every(isBase64))
    return { metadata: { name }, data: value as Record<string, string> }
  return { metadata: { name }, data: { [name]: Buffer.from(bytes).toString("base64") } }
}

const OPEN_BRACE = 123

function isBase64(value: Json): boolean {
  return typeof value === "string" && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0
}

/** Undefined: the bytes are no mapping. */
function documentOf(bytes: Uint8Array): Record<string, Json> | undefined {
  try {
    const [document, ...others] = readDocuments(bytes, "secret")
    const value = document?.value
    const isMapping = typeof value === "object" && value !== null && !Array.isArray(value)
    return isMapping && others.length === 0 ? value : undefined
  } catch (error) {
    if (isSkiffError(error, "InvalidArgument")) return undefined
    throw error
  }
}

function bytesOf(secrets: Secrets, name: string): Uint8Array | undefined {
  try {
    return secrets.read(name)
  } catch (error) {
    if (isSkiffError(error, "NotFound")) return undefined
    throw error
  }
}

/** Keeps it; one of that name gives way, unless it is immutable. Gives the id. Throws InvalidArgument, FailedPrecondition. */
export function storeSecret(secrets: Secrets, secret: Secret): string {
  const name = secret.metadata?.name ?? ""
  if (name === "") throw new InvalidArgument("the Secret has no name")
  if (isImmutable(secrets, name))
    throw new FailedPrecondition(`cannot remove colliding secret as it is set to immutable: "${name}"`, {
      hint: "remove it first",
    })
  const object = { apiVersion: "v1", kind: "Secret", ...secret }
  return secrets.create({ name, data: Buffer.from(writeYaml(object)), replace: true }).id
}

function isImmutable(secrets: Secrets, name: string): boolean {
  try {
    return storedSecret(secrets, name)?.immutable === true
  } catch (error) {
    // one of podman's, or of anybody's
    if (isSkiffError(error, "InvalidArgument")) return false
    throw error
  }
}
