import { AlreadyExists } from "../../../base/errors.ts"
import type { Digest } from "../../../spec/digest.ts"

/** A digest as one name. */
export function flat(digest: Digest): string {
  return digest.replace(":", "-")
}

/** What a tag that keeps what it leads to answers to who would set it anew. */
export function tagged(tag: string, digest: string): AlreadyExists {
  return new AlreadyExists(`tag "${tag}" leads to ${digest}`)
}
