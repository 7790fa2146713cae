import { NotFound } from "../../../base/errors.ts"
import { formatSize } from "../../../base/sizes.ts"
import type { Attestation } from "../../../image/image.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

/** What people call the predicates that builds make. */
const TYPES: Readonly<Record<string, string>> = {
  "https://spdx.dev/Document": "sbom",
  "https://cyclonedx.org/bom": "sbom",
  "https://slsa.dev/provenance/v1": "provenance",
}

export default command({
  summary: "List the attestations of an image, or print one of them",
  args: [arg.one("IMAGE", "images")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    print: flag.choice(["sbom", "provenance"], 'Print the attestation of that type ("sbom"|"provenance")'),
    statement: flag.bool("With --print, print the whole in-toto statement"),
    quiet: flag.bool("Only show digests", { short: "q" }),
  },
  examples: ["skiff image attestations app", "skiff image attestations --print sbom app | jq '.packages[].name'"],
  async run({ args: [name], flags, engine, out }) {
    const images = await engine.images()
    const attestations = images.attestations(images.get(name))
    if (flags.print === undefined) {
      const format = {
        titles: TITLES,
        table: "table {{.Type}}\t{{.PredicateType}}\t{{.Size}}\t{{.Digest}}",
        quiet: "{{.Digest}}",
      }
      printList(out, attestations.map(rowOf), flags, format)
      return
    }
    const found = attestations.find(({ predicateType }) => TYPES[predicateType] === flags.print)
    if (found === undefined)
      throw new NotFound(`image "${name}" has no ${flags.print} attestation`, {
        hint: `build it with --attest type=${flags.print}`,
      })
    const statement = await images.statement(found)
    out.line(JSON.stringify(flags.statement ? statement : statement.predicate, null, 2))
  },
})

const TITLES = { Type: "TYPE", PredicateType: "PREDICATE TYPE", Size: "SIZE", Digest: "DIGEST" }

function rowOf({ predicateType, statement }: Attestation): object {
  return {
    Type: TYPES[predicateType] ?? "other",
    PredicateType: predicateType,
    Size: formatSize(statement.size),
    Digest: statement.digest,
  }
}
