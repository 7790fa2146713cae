/** SHA-256 of texts and bytes one behind another, as hex digits. `node:crypto` does the same and costs a short process twice as much at its first use. */
export function sha256Hex(...parts: readonly (string | Uint8Array)[]): string {
  const hasher = new Bun.CryptoHasher("sha256")
  for (const part of parts) hasher.update(part)
  return hasher.digest("hex")
}
