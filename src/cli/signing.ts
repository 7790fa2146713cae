/** What the flags of signing ask for, with the passphrase that they lead to. */
import { readFileSync } from "node:fs"
import { InvalidArgument, NotFound, Unsupported } from "../base/errors.ts"
import type { SigningOptions } from "../registry/registry.ts"
import { isTerminal } from "../sys/terminal/terminal.ts"
import { parseYaml } from "../sys/yaml.ts"
import { askSecret } from "./ask.ts"
import { UsageError } from "./errors/usage-error.ts"

/** As `SIGN_FLAGS` reads them. */
export interface SigningWords {
  signBy: string | undefined
  signBySigstore?: string | undefined
  signBySigstorePrivateKey: string | undefined
  signPassphraseFile: string | undefined
  signIdentity?: string | undefined
}

/** Throws UsageError, InvalidArgument, NotFound; Unsupported for keyless signing. */
export async function signingOptions(flags: SigningWords): Promise<SigningOptions> {
  const { signBy, signBySigstore, signBySigstorePrivateKey, signPassphraseFile, signIdentity } = flags
  if (signBySigstore !== undefined && signBySigstorePrivateKey !== undefined)
    throw new UsageError("--sign-by-sigstore and --sign-by-sigstore-private-key are mutually exclusive")
  const params = signBySigstore === undefined ? undefined : readParams(signBySigstore)
  const sigstoreKey = params?.privateKey ?? signBySigstorePrivateKey
  if (signBy !== undefined && sigstoreKey !== undefined && signPassphraseFile !== undefined)
    throw new UsageError("--sign-passphrase-file is of one key: only one of --sign-by and a sigstore key goes with it")
  const file = params?.passphraseFile ?? signPassphraseFile
  const passphrase = file === undefined ? await askFor(sigstoreKey) : readPassphrase(file)
  return {
    ...(signBy !== undefined && { gpg: signBy }),
    ...(sigstoreKey !== undefined && { sigstoreKey }),
    ...(passphrase !== undefined && { passphrase }),
    ...(signIdentity !== undefined && { identity: signIdentity }),
  }
}

/** The first line, as skopeo reads it. Throws NotFound. */
export function readPassphrase(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n")[0] ?? ""
  } catch (cause) {
    throw new NotFound(`cannot read the passphrase in "${path}"`, { cause })
  }
}

/** GnuPG asks by itself; a sigstore key is tried without one where nobody can be asked. */
async function askFor(sigstoreKey: string | undefined): Promise<string | undefined> {
  if (sigstoreKey === undefined || !isTerminal(0)) return undefined
  return await askSecret(`Passphrase for key ${sigstoreKey}: `)
}

/** containers-sigstore-signing-params.yaml(5). */
function readParams(path: string): { privateKey: string; passphraseFile: string | undefined } {
  let document: unknown
  try {
    document = parseYaml(readFileSync(path, "utf8"))
  } catch (cause) {
    throw new InvalidArgument(`cannot read the signing parameters in "${path}"`, { cause })
  }
  if (typeof document !== "object" || document === null)
    throw new InvalidArgument(`"${path}" is not a mapping of signing parameters`)
  const { privateKeyFile, privateKeyPassphraseFile, ...others } = document as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other === "fulcio" || other === "rekorURL")
    throw new Unsupported(`"${path}" asks for ${other}: signatures with certificates and logs are verified, not made`, {
      hint: "sign with a private key, or with cosign after the push",
    })
  if (other !== undefined) throw new InvalidArgument(`"${path}" has an unknown field "${other}"`)
  if (typeof privateKeyFile !== "string") throw new InvalidArgument(`"${path}" names no privateKeyFile`)
  if (privateKeyPassphraseFile !== undefined && typeof privateKeyPassphraseFile !== "string")
    throw new InvalidArgument(`"${path}": privateKeyPassphraseFile is no path`)
  return { privateKey: privateKeyFile, passphraseFile: privateKeyPassphraseFile }
}
