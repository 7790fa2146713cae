/** Where images are copied from and to: containers-transports(5). */
import { InvalidArgument } from "../../base/errors.ts"
import { parseStoreAddress, type StoredImageAddress } from "../podman-store/store-address.ts"
import { isDigest } from "../../spec/digest.ts"
import { parseReference, taggedName, type Reference } from "../reference.ts"

/** One place of an image. */
export type ImagePlace =
  | { kind: "docker"; ref: Reference }
  | { kind: "dir"; path: string }
  /** `name`: that of one image among several. */
  | { kind: "oci" | "oci-archive" | "docker-archive"; path: string; name: string | undefined }
  /** Docker's own store on this machine; by name, or `sha256:ID`. */
  | { kind: "docker-daemon"; name: string }
  /** Podman's and buildah's own store on this machine. */
  | ({ kind: "containers-storage" } & StoredImageAddress)
  | { kind: "store"; name: string }

const PATHS = ["oci", "oci-archive", "docker-archive"] as const
/** Names of transports that we know and do not speak; a name here may begin like one, but not with a path after it. */
const OTHERS = ["atomic:", "ostree:", "sif:", "tarball:"]

/** `docker://NAME`, `oci:PATH[:NAME]`, …; what names no transport is of the local store. Throws InvalidArgument. */
export function parsePlace(text: string): ImagePlace {
  const fail = (why: string) => new InvalidArgument(`invalid place of an image "${text}": ${why}`)
  if (text.startsWith("docker://")) return { kind: "docker", ref: remoteReference(text) }
  if (text.startsWith("docker-daemon:")) return { kind: "docker-daemon", name: daemonName(text.slice(14)) }
  if (text.startsWith("containers-storage:"))
    return { kind: "containers-storage", ...parseStoreAddress(text.slice("containers-storage:".length)) }
  if (text.startsWith("docker:")) throw fail("a registry's image is docker://NAME")
  const other = OTHERS.find((prefix) => text.startsWith(prefix))
  if (other !== undefined)
    throw fail(
      `the transport ${other.slice(0, -1)} is not supported; save it as docker-archive: or oci:, and copy that`,
    )
  if (text.startsWith("dir:")) {
    if (text.length === 4) throw fail("the path is missing")
    return { kind: "dir", path: text.slice(4) }
  }
  for (const kind of PATHS) {
    if (!text.startsWith(`${kind}:`)) continue
    const rest = text.slice(kind.length + 1)
    const colon = rest.indexOf(":")
    const [path, name] = colon < 0 ? [rest, undefined] : [rest.slice(0, colon), rest.slice(colon + 1) || undefined]
    if (path === "") throw fail("the path is missing")
    return { kind, path, name }
  }
  return { kind: "store", name: text.replace(/^skiff:/, "") }
}

function daemonName(text: string): string {
  return isDigest(text) ? text : taggedName(text)
}

/** The reference of `docker://NAME`, with a tag or a digest. Throws InvalidArgument. */
export function remoteReference(text: string): Reference {
  if (!text.startsWith("docker://"))
    throw new InvalidArgument(`expected an image at a registry, docker://NAME, not "${text}"`)
  const ref = parseReference(text.slice("docker://".length))
  return ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: "latest" } : ref
}
