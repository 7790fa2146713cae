/** SHA-256 of a text, as hex digits. `node:crypto` does the same and costs a short process twice as much at its first use. */
export function sha256Hex(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex")
}
