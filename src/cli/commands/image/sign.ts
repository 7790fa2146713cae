import { familiarReference, parseReference } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { SIGN_FLAGS, signingOf } from "../../push-flags.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

export default command({
  summary: "Sign images that are at a registry",
  args: [arg.some("IMAGE", "images")],
  flags: {
    ...REGISTRY_FLAGS,
    all: flag.bool("Sign the images of all platforms", { short: "a" }),
    directory: flag.string("Write OpenPGP signatures below this directory, not where registries.d says", "string", {
      short: "d",
    }),
    ...SIGN_FLAGS,
  },
  examples: [
    "skiff image sign --sign-by-sigstore-private-key team.private registry.example/team/app:1",
    "skiff image sign --sign-by anna@team.example --directory signatures registry.example/team/app:1",
  ],
  async run({ args: [names], flags, engine, out }) {
    const signing = await signingOf(flags)
    if (signing === undefined)
      throw new UsageError("no key was given to sign with", {
        hint: "give --sign-by FINGERPRINT, or --sign-by-sigstore-private-key FILE",
      })
    const registries = await engine.registries()
    const { directory, all } = flags
    using interrupt = new AbortOnInterrupt()
    for (const name of names) {
      const ref = { ...parseReference(name.replace(/^docker:\/\//, "")) }
      if (ref.tag === undefined && ref.digest === undefined) ref.tag = "latest"
      const digests = await registries.sign(ref, {
        ...registryAccess(flags),
        signal: interrupt.signal,
        signing: { ...signing, ...(directory !== undefined && { directory }) },
        all,
      })
      for (const digest of digests) out.line(familiarReference({ ...ref, digest }))
    }
  },
})
