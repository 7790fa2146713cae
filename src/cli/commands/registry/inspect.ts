import { parseReference } from "../../../image/image.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { COPY_FLAGS, platformOf } from "../../image-copy-flags.ts"
import { printDocuments } from "../../output/document.ts"
import { imageAtDocument } from "../../registry/image-at.ts"
import { withoutTransport } from "../../registry/without-transport.ts"
import { writeOutput } from "../../terminal/standard-output.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../registry-flags.ts"

const { overrideArch, overrideOs, overrideVariant, platform } = COPY_FLAGS

export default command({
  summary: "Show what an image at a registry is, without pulling it",
  args: [arg.one("REFERENCE")],
  flags: {
    ...REGISTRY_FLAGS,
    config: flag.bool("Print the image's config"),
    format: flag.string("Format output using a custom template", "string", { short: "f" }),
    noTags: flag.bool("Do not ask for the repository's tags", { short: "n" }),
    overrideArch,
    overrideOs,
    overrideVariant,
    platform,
    raw: flag.bool("Print the manifest or index, or with --config the config, byte for byte"),
  },
  examples: ["skiff registry inspect alpine:3", "skiff registry inspect --raw registry.example/team/app:1"],
  async run({ args: [given], flags, engine, out }) {
    const images = await engine.images()
    using interrupt = new AbortOnInterrupt()
    const chosen = platformOf(flags)
    const source = registryAccess(flags)
    const name = `docker://${withoutTransport(given)}`
    const { raw, config, format } = flags
    if (format !== undefined && (raw || config)) throw new UsageError("--format cannot be used with --raw or --config")
    const at = await images.lookAt(name, {
      source,
      ...(chosen !== undefined && { platform: chosen }),
      signal: interrupt.signal,
    })
    if (raw) return await writeOutput(1, config ? at.configBytes : at.top.bytes)
    if (config) return out.json(JSON.parse(Buffer.from(at.configBytes).toString()))
    const tags = flags.noTags ? [] : await images.tagsAt(at.name, { ...source, signal: interrupt.signal })
    const document = imageAtDocument(
      at,
      tags.map((one) => parseReference(one).tag ?? ""),
    )
    if (format === undefined) return out.json(document)
    printDocuments(out, [document], format)
  },
})
