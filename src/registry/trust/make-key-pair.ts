import { closeSync, openSync, rmSync, writeSync } from "node:fs"
import { AlreadyExists, hasErrno } from "../../base/errors.ts"
import { makeKeyPair } from "./sigstore-key.ts"
import type { KeyPair } from "../registry.ts"

/** See `Registries.makeKeyPair`. */
export async function makeKeyPairFiles(prefix: string, passphrase: string): Promise<KeyPair> {
  const { privatePem, publicPem } = await makeKeyPair(passphrase)
  const paths = { privateKey: `${prefix}.private`, publicKey: `${prefix}.pub` }
  writeNew(paths.privateKey, privatePem, 0o600)
  try {
    writeNew(paths.publicKey, publicPem, 0o644)
  } catch (error) {
    rmSync(paths.privateKey)
    throw error
  }
  return paths
}

/** Never over a key that is there: what it signed could not be signed again. */
function writeNew(path: string, text: string, mode: number): void {
  let fd: number
  try {
    fd = openSync(path, "wx", mode)
  } catch (cause) {
    if (!hasErrno(cause, "EEXIST")) throw cause
    throw new AlreadyExists(`"${path}" is there already`, { hint: "give another prefix, or move the old key away" })
  }
  try {
    writeSync(fd, text)
  } finally {
    closeSync(fd)
  }
}
