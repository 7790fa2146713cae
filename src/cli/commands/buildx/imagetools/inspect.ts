import type { Descriptor } from "../../../../spec/oci-image.ts"
import { formatPlatform } from "../../../../spec/platform.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { remoteManifest } from "../../../manifest/remote-manifest.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../../output/format-flags.ts"
import { printDocuments } from "../../../output/document.ts"
import { REGISTRY_FLAGS, registryAccess } from "../../../registry-flags.ts"

export default command({
  summary: "Show what a registry has under a name",
  args: [arg.one("NAME")],
  flags: {
    ...REGISTRY_FLAGS,
    ...DOCUMENT_FORMAT_FLAGS,
    builder: flag.string("The one builder is used whatever is named", "string"),
    debug: flag.bool("Log more (the global --debug)", { short: "D" }),
    raw: flag.bool("Show the manifest as it is, byte for byte"),
  },
  async run({ args: [text], flags, engine, out }) {
    const { name, descriptor, bytes, document } = await remoteManifest(
      await engine.registries(),
      text,
      registryAccess(flags),
    )
    if (flags.raw) return out.text(Buffer.from(bytes).toString())
    if (flags.format !== undefined)
      return printDocuments(out, [{ Name: name, Manifest: withGoNames({ ...descriptor, ...document }) }], flags.format)
    const { manifests = [] } = document as { manifests?: readonly Descriptor[] }
    const repository = name.replace(/[:@][^/]*$/, "")
    out.line(`Name:      ${name}`)
    out.line(`MediaType: ${descriptor.mediaType}`)
    out.line(`Digest:    ${descriptor.digest}`)
    if (manifests.length > 0) out.line("           \nManifests: ")
    for (const [index, { digest, mediaType, platform }] of manifests.entries()) {
      if (index > 0) out.line("             ")
      out.line(`  Name:      ${repository}@${digest}`)
      out.line(`  MediaType: ${mediaType}`)
      if (platform !== undefined) out.line(`  Platform:  ${formatPlatform(platform)}`)
    }
  },
})

/** Templates name Go's fields (`.Manifest.Digest`), JSON the specification's (`digest`). */
function withGoNames(document: object): object {
  const fields = Object.entries(document).map(([key, value]) => [goName(key), goValue(value)] as const)
  return Object.defineProperty(Object.fromEntries(fields), "toJSON", { value: () => document })
}

function goValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goValue)
  return typeof value === "object" && value !== null ? withGoNames(value) : value
}

function goName(key: string): string {
  return key === "os" ? "OS" : `${key.charAt(0).toUpperCase()}${key.slice(1)}`
}
