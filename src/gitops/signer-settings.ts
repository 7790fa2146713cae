import { mkdirSync, readFileSync, statSync } from "node:fs"
import { resolve } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound } from "../base/errors.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { findProgram } from "../sys/host.ts"
import { installCommand } from "../sys/install-command.ts"
import { runKilledWithParent } from "../sys/process/killed-with-parent.ts"

const MAX_BYTES = 8 * 1024 ** 2

/**
 * The environment by which `git verify-commit` takes these signers and no others: keys of GPG in a directory of their own, which is made
 * anew, or a list of ssh's. Throws NotFound, InvalidArgument, FailedPrecondition.
 */
export async function signerSettings(
  file: string,
  directory: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const path = resolve(file)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new NotFound(`there is no file of signers "${file}"`)
  if (!stat.isFile() || stat.size === 0 || stat.size > MAX_BYTES)
    throw new InvalidArgument(`"${file}" is no file of signers`, { hint: `a file of at most ${MAX_BYTES} bytes` })
  await removeTree(directory)
  mkdirSync(directory, { mode: 0o700 })
  const program = isKeyring(readFileSync(path)) ? "gpg" : "ssh-keygen"
  const found = findProgram(program)
  if (found === undefined)
    throw new NotFound(`${program} is not installed, and signatures are to be verified`, {
      hint: installCommand({ debian: program === "gpg" ? "gpg" : "openssh-client" }),
    })
  if (program === "ssh-keygen")
    return {
      GNUPGHOME: directory,
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "gpg.ssh.allowedSignersFile",
      GIT_CONFIG_VALUE_0: path,
    }
  const words = [found, "--homedir", directory, "--batch", "--quiet", "--no-autostart", "--import", "--", path]
  const { code, stderr } = await runKilledWithParent(words, { signal })
  if (code !== 0)
    throw new FailedPrecondition(`gpg cannot read the keys of "${file}": ${stderr.toString().trim().slice(-500)}`)
  return { GNUPGHOME: directory }
}

/** Exported keys, armoured or not (RFC 9580: the first bit of a packet is set), rather than lines of text. */
function isKeyring(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0x80) !== 0 || Buffer.from(bytes.subarray(0, 4096)).includes("-----BEGIN PGP")
}
