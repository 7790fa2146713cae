import { readFileSync } from "node:fs"
import { NotFound } from "../base/errors.ts"
import type { DecryptionKey } from "../image/image.ts"
import { flag } from "./flag.ts"

/** `--decryption-key` of `pull` and `image copy`. */
export const decryptionKey = flag.strings("Private key that decrypts layers (ocicrypt, JWE)", "KEY[:PASSPHRASE]")

/** KEY, or KEY with `:PASSPHRASE`, `:pass=PASSPHRASE`, `:file=PATH` or `:fd=NUMBER`, as podman and skopeo take it. Undefined for none. Throws NotFound. */
export function decryptionKeys(words: readonly string[]): DecryptionKey[] | undefined {
  if (words.length === 0) return undefined
  return words.map((word) => {
    const colon = word.indexOf(":")
    if (colon < 0) return { path: word }
    return { path: word.slice(0, colon), passphrase: passphraseOf(word.slice(colon + 1)) }
  })
}

function passphraseOf(text: string): string {
  const [, kind, value = ""] = /^(pass|file|fd)=(.*)$/s.exec(text) ?? []
  if (kind === undefined) return text
  if (kind === "pass") return value
  try {
    return readFileSync(kind === "fd" ? Number(value) : value, "utf8")
  } catch (cause) {
    throw new NotFound(`cannot read the passphrase in "${value}"`, { cause })
  }
}
