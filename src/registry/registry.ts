/**
 * Registries of the distribution spec, and what the host says about them: where a name leads, with which credentials,
 * over which TLS.
 *
 * A `RegistrySource` belongs to one pull: it keeps tokens and connections for as long as that lasts. It takes names as they
 * are recorded (`docker.io/library/debian:12`) and finds mirrors, rewrites and credentials by itself. Bytes come unchecked:
 * whoever stores them checks digest and size. Errors name the registry that answered, and what it answered.
 */
import type { Digest } from "../spec/digest.ts"
import type { Descriptor } from "../spec/oci-image.ts"

export interface RemoteReference {
  registry: string
  repository: string
  tag?: string
  digest?: Digest
}

export interface RegistryOptions {
  /** Undefined: https with checks; plain http for loopback registries only. False: as podman's `--tls-verify=false`. */
  tlsVerify?: boolean
  credentials?: { username: string; password: string }
  /** Instead of the places where credentials usually lie. */
  authFile?: string
  signal?: AbortSignal
}

export interface RegistrySource {
  /** The manifest or index that `ref` names, as the registry sent it. Throws NotFound, PermissionDenied, Unavailable. */
  resolve(ref: RemoteReference): Promise<{ descriptor: Descriptor; bytes: Uint8Array }>
  /** A blob of the repository, from `offset` on. The result's `offset` is 0 where the registry cannot begin there. */
  fetch(
    ref: RemoteReference,
    descriptor: Descriptor,
    offset?: number,
  ): Promise<{ offset: number; bytes: AsyncIterable<Uint8Array> }>
}

export interface Registries {
  /** The full repositories that one without registry (`debian`, `foo/bar`) may mean, in the order to try; one by an alias. */
  candidates(shortRepository: string): Promise<{ registry: string; repository: string }[]>
  /** Throws PermissionDenied when policy.json does not let images of this name in. */
  checkPolicy(ref: RemoteReference): Promise<void>
  open(options?: RegistryOptions): Promise<RegistrySource>
}
