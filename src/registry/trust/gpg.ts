/** OpenPGP by GnuPG: what it verified, and what it signs. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FailedPrecondition, hasErrno, InvalidArgument } from "../../base/errors.ts"
import { run, type RunResult } from "../../sys/process/process.ts"
import { MAX_PAYLOAD_BYTES } from "./payload.ts"
import type { KeySource } from "./requirements.ts"

const ALWAYS = ["--no-options", "--batch", "--no-tty", "--no-auto-check-trustdb", "--status-fd", "1"]

/** A keyring of the policy's keys alone; it is gone once it is disposed. */
export class Keyring implements Disposable {
  readonly #home: string

  private constructor(home: string) {
    this.#home = home
  }

  /** Throws InvalidArgument for a file without an OpenPGP key, FailedPrecondition without gpg. */
  static async of(keys: readonly KeySource[]): Promise<Keyring> {
    const keyring = new Keyring(mkdtempSync(join(tmpdir(), "skiff-keys-")))
    try {
      for (const { shown, bytes } of keys) await keyring.#add(shown, bytes)
      return keyring
    } catch (error) {
      keyring[Symbol.dispose]()
      throw error
    }
  }

  async #add(shown: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#home, "key")
    writeFileSync(file, bytes)
    const { stdout } = await this.#gpg(["--import", file])
    if (!/^\[GNUPG:\] IMPORT_OK /m.test(stdout))
      throw new InvalidArgument(`"${shown}" is no OpenPGP public key`, {
        hint: "gpg exports it into a file: the public key, in binary or armoured",
      })
  }

  /**
   * The signed bytes of an OpenPGP message that one of the keys signed. Throws an Error that says why it does not count: an expired or
   * revoked key is none, nor is a message of several parts.
   */
  async open(message: Uint8Array): Promise<Uint8Array> {
    const [input, output] = [join(this.#home, "message"), join(this.#home, "payload")]
    writeFileSync(input, message)
    rmSync(output, { force: true })
    const limit = ["--max-output", String(MAX_PAYLOAD_BYTES)]
    const { code, stdout } = await this.#gpg([...limit, "--output", output, "--decrypt", input])
    const lines = stdout.split("\n").flatMap((line) => /^\[GNUPG:\] (\S+) ?(.*)$/.exec(line)?.slice(1, 3) ?? [])
    const words = lines.filter((_, index) => index % 2 === 0)
    const reason = refusal(words, lines)
    if (reason !== undefined) throw new Error(reason)
    if (code !== 0 || statSync(output, { throwIfNoEntry: false })?.isFile() !== true)
      throw new Error("gpg could not read it")
    return readFileSync(output)
  }

  async #gpg(args: readonly string[]): Promise<RunResult> {
    // no agent is needed for public keys, and none shall stay behind
    return await gpg([...ALWAYS, "--no-autostart", "--trust-model", "always", "--homedir", this.#home, ...args])
  }

  [Symbol.dispose](): void {
    rmSync(this.#home, { recursive: true, force: true })
  }
}

/** doc/DETAILS of GnuPG: each signature ends in exactly one of these. */
const BAD: Readonly<Record<string, string>> = {
  EXPSIG: "the signature has expired",
  EXPKEYSIG: "the key that signed it has expired",
  REVKEYSIG: "the key that signed it was revoked",
  BADSIG: "it was changed after it was signed",
}

function refusal(words: readonly string[], lines: readonly string[]): string | undefined {
  const bad = words.find((word) => Object.hasOwn(BAD, word))
  if (bad !== undefined) return BAD[bad]
  const missing = lines.indexOf("NO_PUBKEY")
  if (missing >= 0) return `it was signed by the key ${lines[missing + 1]}, which is none of the policy's`
  if (words.includes("ERRSIG")) return "gpg cannot check signatures of that kind"
  const count = (wanted: string) => words.filter((word) => word === wanted).length
  if (count("VALIDSIG") === 0) return "it is no signed OpenPGP message"
  // the bytes must be those that were signed, all of them, and by one signature
  const isPlain = count("PLAINTEXT") === 1 && count("GOODSIG") === 1 && count("VALIDSIG") === 1
  return isPlain && !words.includes("BEGIN_DECRYPTION") ? undefined : "it is no message with one signature"
}

/** Signs as containers-signature(5) wants it: one message with the payload in it. Throws FailedPrecondition with gpg's reason. */
export async function signWithGpg(payload: Uint8Array, key: string, passphrase?: string): Promise<Uint8Array> {
  const home = mkdtempSync(join(tmpdir(), "skiff-sign-"))
  try {
    const [input, output] = [join(home, "payload"), join(home, "message")]
    writeFileSync(input, payload)
    const secret = passphrase === undefined ? [] : ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    const args = ["--batch", "--no-tty", "--status-fd", "1", ...secret, "--local-user", key]
    const { code, stderr } = await gpg([...args, "--output", output, "--sign", input], passphrase)
    if (code !== 0) throw cannotSign(key, stderr)
    return readFileSync(output)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Of the one secret key that is meant. Throws FailedPrecondition where the keyring has none, before anything is pushed. */
export async function fingerprintOf(key: string): Promise<string> {
  const { code, stdout, stderr } = await gpg(["--batch", "--no-tty", "--with-colons", "--list-secret-keys", "--", key])
  const fingerprints = [...stdout.matchAll(/^sec:.*\n(?:[a-z]{3}:.*\n)*?fpr:+([0-9A-F]+):/gm)].map(([, found]) => found)
  const [only] = fingerprints
  if (code !== 0 || only === undefined) throw cannotSign(key, stderr)
  if (fingerprints.length > 1) throw cannotSign(key, `it is the name of ${fingerprints.length} keys`)
  return only
}

/** The signed bytes of a message that this key of the caller's keyring signed; undefined for any other message. */
export async function openOwn(message: Uint8Array, fingerprint: string): Promise<Uint8Array | undefined> {
  const home = mkdtempSync(join(tmpdir(), "skiff-sign-"))
  try {
    const [input, output] = [join(home, "message"), join(home, "payload")]
    writeFileSync(input, message)
    const limit = ["--max-output", String(MAX_PAYLOAD_BYTES)]
    const { code, stdout } = await gpg([...ALWAYS, ...limit, "--output", output, "--decrypt", input])
    const isOurs = new RegExp(`^\\[GNUPG:\\] VALIDSIG .*\\b${fingerprint}$`, "m").test(stdout)
    return code === 0 && isOurs ? readFileSync(output) : undefined
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function cannotSign(key: string, stderr: string): FailedPrecondition {
  const reason = stderr
    .trim()
    .split("\n")
    .at(-1)
    ?.replace(/^gpg: /, "")
  return new FailedPrecondition(`cannot sign with the OpenPGP key "${key}": ${reason ?? "gpg failed"}`, {
    field: "signing.gpg",
    hint: "the key must be in the keyring of gpg, with its secret half",
  })
}

async function gpg(args: readonly string[], input?: string): Promise<RunResult> {
  try {
    return await run(["gpg", ...args], { env: { ...process.env, LC_ALL: "C" }, ...(input !== undefined && { input }) })
  } catch (cause) {
    if (!hasErrno(cause, "ENOENT")) throw cause
    throw new FailedPrecondition("OpenPGP signatures need the program gpg, which is not installed", {
      hint: "install the package gpg (gnupg)",
      cause,
    })
  }
}
