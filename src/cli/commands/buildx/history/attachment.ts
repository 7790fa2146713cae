import { NotFound } from "../../../../base/errors.ts"
import { formatPlatform, parsePlatform } from "../../../../spec/platform.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"

export default command({
  summary: "Print what a build attested of its image",
  args: [arg.optional("REF"), arg.optional("DIGEST")],
  flags: {
    ...BUILDX_FLAGS,
    platform: flag.of(parsePlatform, "The image of this platform", "string"),
    type: flag.string("Type of the statement: provenance, sbom, or the address of a predicate (default provenance)"),
  },
  async run({ args: [ref = "^0", digest], flags: { platform, type = "provenance" }, engine, out }) {
    const build = (await (await engine.builds()).history()).get(ref)
    const images = await engine.images()
    const found = build.images.map((id) => images.find(id)).filter((image) => image !== undefined)
    const wanted = platform === undefined ? undefined : formatPlatform(platform)
    const chosen = found.filter((image) => wanted === undefined || formatPlatform(image.platform) === wanted)
    const attestation = chosen
      .flatMap((image) => images.attestations(image))
      .find(({ predicateType, statement }) =>
        digest === undefined ? isOfType(predicateType, type) : statement.digest === digest,
      )
    if (attestation === undefined)
      throw new NotFound(`the build "${build.id}" has no attestation "${type}" of an image that is here`, {
        hint: "build with --provenance or --sbom",
      })
    out.line(JSON.stringify(await images.statement(attestation), undefined, 2))
  },
})

function isOfType(predicateType: string, type: string): boolean {
  if (predicateType === type) return true
  return type === "sbom" ? /spdx|cyclonedx/.test(predicateType) : predicateType.startsWith(`https://slsa.dev/${type}/`)
}
