import { InvalidArgument } from "../../../../base/errors.ts"
import { isTerminal } from "../../../../sys/terminal/terminal.ts"
import { askSecret } from "../../../ask.ts"
import { command } from "../../../command.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"

export default command({
  summary: "Make a pair of keys for sigstore signatures",
  args: [],
  flags: {
    outputPrefix: flag.string("Write PREFIX.private and PREFIX.pub", "PREFIX"),
    passphraseFile: flag.string("File with the passphrase of the private key", "FILE"),
  },
  examples: ["skiff image trust generate-key --output-prefix team"],
  async run({ flags: { outputPrefix, passphraseFile }, engine, out }) {
    if (outputPrefix === undefined) throw new UsageError("--output-prefix must be set")
    const passphrase = await passphraseOf(passphraseFile)
    const { privateKey, publicKey } = await (await engine.registries()).makeKeyPair(outputPrefix, passphrase)
    out.line(`Key written to "${privateKey}" and "${publicKey}"`)
  },
})

async function passphraseOf(file: string | undefined): Promise<string> {
  if (file !== undefined) return (await import("../../../signing.ts")).readPassphrase(file)
  if (!isTerminal(0))
    throw new InvalidArgument("cannot ask for a passphrase: standard input is not a terminal", {
      hint: "give --passphrase-file FILE; an empty file is an empty passphrase",
    })
  const passphrase = await askSecret("Passphrase: ")
  if ((await askSecret("Confirm passphrase: ")) !== passphrase) throw new InvalidArgument("the passphrases differ")
  return passphrase
}
