/** Simple signatures beside a registry: BASE/REPOSITORY@sha256=HEX/signature-N, counted from 1 without gaps (containers-registries.d(5)). */
import { mkdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { atomicWrite } from "../../base/atomic-write.ts"
import { DataLoss, hasErrno, InvalidArgument, PermissionDenied, Unavailable } from "../../base/errors.ts"
import { digestAlgorithm, digestHex, type Digest } from "../../spec/digest.ts"
import { DEFAULT_LIMITS } from "../client/http.ts"
import { sendFollowing } from "../client/redirects.ts"
import { tlsSettings } from "../client/tls.ts"

/** More are an attack on our time: each is a request, and a run of gpg. */
export const MAX_SIGNATURES = 128
/** A payload with its signature, with room to spare. */
export const MAX_SIGNATURE_BYTES = 256 * 1024

/** All simple signatures of a manifest. Throws Unavailable where the store does not answer, DataLoss where it has too much. */
export async function readLookaside(base: string, repository: string, digest: Digest): Promise<Uint8Array[]> {
  return await numbered(`${base}/${repository}`, async (number) => {
    const url = new URL(`${directoryOf(base, repository, digest)}/signature-${number}`)
    return url.protocol === "file:" ? readFile(fileURLToPath(url)) : await fetchOne(url)
  })
}

/** Those of a `dir:` directory. */
export async function readDirectorySignatures(path: string): Promise<Uint8Array[]> {
  return await numbered(path, async (number) => readFile(join(path, `signature-${number}`)))
}

/** Adds a signature after those that are there. Throws InvalidArgument for a store that cannot be written. */
export function writeLookaside(base: string, repository: string, digest: Digest, signature: Uint8Array): void {
  const url = new URL(directoryOf(base, repository, digest))
  if (url.protocol !== "file:")
    throw new InvalidArgument(`signatures cannot be written to "${base}"`, {
      hint: "name a directory in registries.d: lookaside-staging: file:///…, and publish that",
    })
  const directory = fileURLToPath(url)
  try {
    mkdirSync(directory, { recursive: true })
    for (let number = 1; number <= MAX_SIGNATURES; number++) {
      const path = join(directory, `signature-${number}`)
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) continue
      return atomicWrite(path, signature, { mode: 0o644, durable: true })
    }
  } catch (cause) {
    if (!hasErrno(cause, "EACCES", "EPERM", "EROFS")) throw cause
    throw new PermissionDenied(`cannot write signatures below "${dirname(directory)}"`, {
      hint: "name a directory of yours in registries.d: lookaside-staging: file:///…",
      cause,
    })
  }
  throw new DataLoss(`"${directory}" has ${MAX_SIGNATURES} signatures already`, { hint: "remove old ones" })
}

function directoryOf(base: string, repository: string, digest: Digest): string {
  return `${base}/${repository}@${digestAlgorithm(digest)}=${digestHex(digest)}`
}

async function numbered(shown: string, read: (number: number) => Promise<Uint8Array | undefined>) {
  const found: Uint8Array[] = []
  for (let number = 1; ; number++) {
    const signature = await read(number)
    if (signature === undefined) return found
    if (found.push(signature) > MAX_SIGNATURES)
      throw new DataLoss(`"${shown}" has more than ${MAX_SIGNATURES} signatures of one image`)
  }
}

function readFile(path: string): Uint8Array | undefined {
  try {
    const stat = statSync(path)
    const { size } = stat
    if (!stat.isFile()) throw new DataLoss(`the signature "${path}" is no regular file`)
    if (size > MAX_SIGNATURE_BYTES)
      throw new DataLoss(`"${path}" has ${size} bytes, a signature has ${MAX_SIGNATURE_BYTES} at most`)
    return readFileSync(path)
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return undefined
    if (!hasErrno(cause, "EACCES")) throw cause
    throw new PermissionDenied(`cannot read the signature "${path}"`, { cause })
  }
}

async function fetchOne(url: URL): Promise<Uint8Array | undefined> {
  const response = await sendFollowing({ url, headers: {} }, async (host) => tlsSettings(host), DEFAULT_LIMITS)
  // 403 is what object stores say of what is not there
  if (response.status === 404 || response.status === 403) return void response.discard()
  if (response.status === 200) return await response.bytes(MAX_SIGNATURE_BYTES)
  response.discard()
  throw new Unavailable(`the store of signatures at ${url.host} answers ${response.status}`)
}
