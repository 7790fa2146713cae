/**
 * Secrets: bytes with a name, kept in the store for containers to read, and nowhere else.
 *
 *   create ─▶ kept ─ a container is created with it ─▶ the container has a copy of its own, until it is removed
 *
 * A record says what may be told of a secret; its bytes lie in a file that only the store's owner can read. A container takes its
 * copy when it is created: who removes or replaces a secret changes no container that is there.
 */

/** 25 hex digits. */
export type SecretId = string & { readonly brand: "SecretId" }

/** What is known of a secret, but for its bytes. */
export interface Secret {
  id: SecretId
  name: string
  /** Where the bytes are: in a file of the store. */
  driver: "file"
  driverOptions: Readonly<Record<string, string>>
  labels: Readonly<Record<string, string>>
  createdAt: Date
  /** When its bytes were replaced last. */
  updatedAt: Date
}

/** What becomes a secret. */
export interface SecretRequest {
  name: string
  /** From 1 byte to `MAX_SECRET_BYTES`. */
  data: Uint8Array
  labels?: Readonly<Record<string, string>>
  driverOptions?: Readonly<Record<string, string>>
  /** One of that name gives way, and the new one has another id. */
  replace?: boolean
}

/** As podman's. */
export const MAX_SECRET_BYTES = 512_000

/** All secrets of a store. Names go before ids, and ids before prefixes of ids. */
export interface Secrets {
  /** Oldest first. */
  list(): Secret[]
  /** Throws NotFound; InvalidArgument for a prefix that fits several. */
  get(nameOrId: string): Secret
  /** Throws NotFound; DataLoss when the file is gone. */
  read(nameOrId: string): Uint8Array
  /** Throws InvalidArgument for a name or a size that cannot be, AlreadyExists. */
  create(request: SecretRequest): Secret
  /** Also while containers have copies of it. Throws NotFound. */
  remove(nameOrId: string): Secret
}
