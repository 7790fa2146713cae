import { InvalidArgument } from "../base/errors.ts"
import { parseDigest, type Digest } from "./digest.ts"

/** A full image name: registry host, repository path, and tag or digest or both. */
export interface Reference {
  /** `docker.io`, `localhost:5000`, `[::1]:5000`. */
  registry: string
  /** `library/debian`. */
  repository: string
  tag?: string
  digest?: Digest
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/
const MAX_NAME = 255

/** True when the first component of a name can only be a registry (distribution reference: has a dot, a colon, or is localhost). */
export function isRegistryHost(component: string): boolean {
  return /[.:]/.test(component) || component === "localhost"
}

/**
 * Parses a name as docker does: `debian` is `docker.io/library/debian`; without tag and digest, `tag` stays undefined.
 * Throws InvalidArgument, with the reason.
 */
export function parseReference(text: string): Reference {
  const fail = (why: string) => new InvalidArgument(`invalid image name "${text.slice(0, 300)}": ${why}`)
  const at = text.indexOf("@")
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1))
  let name = at < 0 ? text : text.slice(0, at)
  let tag: string | undefined
  const colon = name.lastIndexOf(":")
  if (colon > name.lastIndexOf("/")) {
    tag = name.slice(colon + 1)
    name = name.slice(0, colon)
    if (!TAG.test(tag)) throw fail("a tag has letters, digits, `_`, `.` and `-`, at most 128")
  }
  const slash = name.indexOf("/")
  const first = slash < 0 ? "" : name.slice(0, slash)
  const hasHost = isRegistryHost(first)
  let registry = hasHost ? first : "docker.io"
  let repository = hasHost ? name.slice(slash + 1) : name
  if (registry === "index.docker.io" || registry === "registry-1.docker.io") registry = "docker.io"
  if (registry === "docker.io" && !repository.includes("/")) repository = `library/${repository}`
  if (!HOST.test(registry)) throw fail(`"${registry}" is not a registry host`)
  if (/^[0-9a-f]{64}$/.test(name)) throw fail("64 hex digits are an image id, not a name")
  if (/[A-Z]/.test(repository)) throw fail("a repository name is lower case")
  if (repository === "" || !repository.split("/").every((part) => COMPONENT.test(part)))
    throw fail("a repository has lower-case letters, digits and single `.`, `_`, `-` between them")
  if (`${registry}/${repository}`.length > MAX_NAME) throw fail(`the name has more than ${MAX_NAME} characters`)
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

/** The full form: `docker.io/library/debian:12`. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`
}
