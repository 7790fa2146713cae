import { accessSync, constants } from "node:fs"
import { resolve } from "node:path"
import { NotFound } from "../../../../base/errors.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"

const TYPES = ["accept", "reject", "signedBy", "sigstoreSigned"] as const

export default command({
  summary: "Say which images are trusted (policy.json)",
  args: [arg.one("REGISTRY | default")],
  flags: {
    pubkeysfile: flag.strings("Files of public keys, of which one must have signed", "file", { short: "f" }),
    type: flag.choice(TYPES, `Type of trust: ${TYPES.join(", ")} (default signedBy)`, {
      short: "t",
      initial: "signedBy",
    }),
  },
  examples: ["skiff image trust set -t reject default", "skiff image trust set -t accept registry.example/team"],
  async run({ args: [scope], flags: { pubkeysfile, type = "signedBy" }, engine }) {
    const isSigned = type === "signedBy" || type === "sigstoreSigned"
    if (isSigned && pubkeysfile.length === 0)
      throw new UsageError(`--type ${type} needs a public key`, { hint: "give it: --pubkeysfile FILE" })
    if (!isSigned && pubkeysfile.length > 0) throw new UsageError(`--pubkeysfile cannot be used with --type ${type}`)
    const keyPaths = pubkeysfile.map((path) => resolve(path))
    for (const path of keyPaths) mustBeReadable(path)
    await (await engine.registries()).setTrust(scope, { type, keyPaths })
  },
})

function mustBeReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK)
  } catch (cause) {
    throw new NotFound(`cannot read the public key "${path}"`, { cause })
  }
}
