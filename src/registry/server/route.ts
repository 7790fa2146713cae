/** Which resource of a registry a path names (distribution-spec, "Endpoints"). Pure. */
import { isDigest, type Digest } from "../../spec/digest.ts"
import { RegistryError } from "./answers.ts"
import type { ManifestReference } from "./server.ts"

/** A resource; a repository's name is checked. */
export type Route =
  | { kind: "base" }
  | { kind: "catalog" }
  | { kind: "blob"; repository: string; digest: Digest }
  | { kind: "uploads"; repository: string }
  | { kind: "upload"; repository: string; id: string }
  | { kind: "manifest"; repository: string; reference: ManifestReference }
  | { kind: "tags"; repository: string }
  | { kind: "referrers"; repository: string; digest: Digest }

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const UPLOAD_ID = /^[0-9a-f]{32}$/
const MAX_REPOSITORY = 255

/** The resource at a path; undefined when the specification has none there. Throws RegistryError for a name that cannot be. */
export function routeOf(path: string): Route | undefined {
  if (path === "/v2/" || path === "/v2") return { kind: "base" }
  if (path === "/v2/_catalog") return { kind: "catalog" }
  if (!path.startsWith("/v2/")) return undefined
  const words = path.slice("/v2/".length).split("/")
  const last = decoded(words.at(-1) ?? "")
  // a name may have any number of parts: what comes after it tells where it ends
  const tail = words.slice(-3)
  if (tail[1] === "blobs" && tail[2] === "uploads") return { kind: "uploads", repository: name(words.slice(0, -2)) }
  if (words.at(-2) === "uploads" && words.at(-3) === "blobs") {
    const repository = name(words.slice(0, -3))
    return last === "" ? { kind: "uploads", repository } : { kind: "upload", repository, id: uploadId(last) }
  }
  const repository = (): string => name(words.slice(0, -2))
  switch (words.at(-2)) {
    case "blobs":
      return { kind: "blob", repository: repository(), digest: digest(last) }
    case "manifests":
      return { kind: "manifest", repository: repository(), reference: manifestReference(last) }
    case "referrers":
      return { kind: "referrers", repository: repository(), digest: digest(last) }
    case "tags":
      return last === "list" ? { kind: "tags", repository: repository() } : undefined
    default:
      return undefined
  }
}

function name(words: readonly string[]): string {
  const text = words.join("/")
  if (REPOSITORY.test(text) && text.length <= MAX_REPOSITORY) return text
  throw new RegistryError("NAME_INVALID", "invalid repository name", { name: text.slice(0, MAX_REPOSITORY) })
}

/** Throws RegistryError. */
export function repositoryName(text: string): string {
  return name([text])
}

/** Throws RegistryError. */
export function digest(text: string): Digest {
  if (isDigest(text)) return text
  throw new RegistryError("DIGEST_INVALID", "invalid digest", { digest: text.slice(0, MAX_REPOSITORY) })
}

function manifestReference(text: string): ManifestReference {
  if (text.includes(":")) return { digest: digest(text) }
  if (TAG.test(text)) return { tag: text }
  throw new RegistryError("TAG_INVALID", "invalid tag", { tag: text.slice(0, MAX_REPOSITORY) })
}

function uploadId(text: string): string {
  if (UPLOAD_ID.test(text)) return text
  throw new RegistryError("BLOB_UPLOAD_UNKNOWN", "no such upload")
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
