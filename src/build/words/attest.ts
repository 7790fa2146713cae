import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { SbomFormat } from "../../sbom/sbom.ts"
import { parseFields } from "../../spec/docker/csv.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"

/** What is to be attested of the result (`--attest`). */
export type AttestationRequest =
  | { type: "sbom"; format: SbomFormat }
  /** `min` leaves out what builds are told by build arguments, secrets and the Dockerfile itself. */
  | { type: "provenance"; mode: "min" | "max"; builderId?: string; reproducible?: boolean }

/** As `sbom/` has them; itself it is loaded when one is made, for it reads the packages of a dozen systems. */
export const SBOM_FORMATS = ["spdx", "cyclonedx", "cyclonedx-1.5"] as const satisfies readonly SbomFormat[]

/** One type of attestation; without `request` it is not wanted, whatever was said before. */
export interface AttestOption {
  type: AttestationRequest["type"]
  request?: AttestationRequest
}

type Fields = ReadonlyMap<string, string | undefined>

/** `--attest type=sbom|provenance[,KEY=VALUE…]`, as buildx reads it. Throws InvalidArgument, Unsupported. */
export function readAttest(text: string): AttestOption {
  const fields = new Map(parseFields(text, "attest"))
  const type = fields.get("type")
  fields.delete("type")
  if (type === "sbom") return sbomOption(fields)
  if (type === "provenance") return provenanceOption(fields)
  throw new InvalidArgument(type === undefined ? "attestation type not specified" : `unknown attestation "${type}"`, {
    hint: "valid: type=sbom, type=provenance",
  })
}

/** `--sbom`, `--sbom=false`, `--sbom=format=cyclonedx`. */
export function readSbom(text: string): AttestOption {
  return text.includes("=") ? sbomOption(new Map(parseFields(text, "sbom"))) : alone("sbom", text, sbomOption)
}

/** `--provenance`, `--provenance=false`, `--provenance=mode=max`, and `--provenance=max` as buildx has it. */
export function readProvenance(text: string): AttestOption {
  if (text === "min" || text === "max") return provenanceOption(new Map([["mode", text]]))
  if (!text.includes("=")) return alone("provenance", text, provenanceOption)
  return provenanceOption(new Map(parseFields(text, "provenance")))
}

function alone(type: AttestOption["type"], text: string, read: (fields: Fields) => AttestOption): AttestOption {
  return readBoolean(text) ? read(new Map()) : { type }
}

function sbomOption(fields: Fields): AttestOption {
  let [format, disabled] = [SBOM_FORMATS[0] as (typeof SBOM_FORMATS)[number], false]
  for (const [key, value = "true"] of fields)
    if (key === "disabled") disabled = readBoolean(value)
    else if (key === "format") format = choice(SBOM_FORMATS, key, value)
    else if (key === "generator")
      throw new Unsupported("an SBOM generator that is an image is not run: skiff looks for the packages itself", {
        hint: "leave generator= out",
      })
    else throw new InvalidArgument(`unknown key "${key}" of attestation sbom`)
  return disabled ? { type: "sbom" } : { type: "sbom", request: { type: "sbom", format } }
}

function provenanceOption(fields: Fields): AttestOption {
  const request: AttestationRequest & { type: "provenance" } = { type: "provenance", mode: "min" }
  let disabled = false
  for (const [key, value = "true"] of fields)
    switch (key) {
      case "disabled":
        disabled = readBoolean(value)
        break
      case "mode":
        request.mode = choice(["min", "max"], key, value)
        break
      case "builder-id":
        request.builderId = value
        break
      case "reproducible":
        request.reproducible = readBoolean(value)
        break
      case "version":
        if (value !== "v1")
          throw new Unsupported(`provenance of SLSA ${value} is not made`, { hint: "valid: version=v1" })
        break
      case "inline-only":
      case "filename":
        throw new Unsupported(`"${key}" of attestation provenance is not built yet`)
      default:
        throw new InvalidArgument(`unknown key "${key}" of attestation provenance`)
    }
  return disabled ? { type: "provenance" } : { type: "provenance", request }
}

function choice<const C extends string>(choices: readonly C[], key: string, value: string): C {
  const found = choices.find((each) => each === value)
  if (found === undefined)
    throw new InvalidArgument(`unknown ${key} "${value}"`, { hint: `valid: ${choices.join(", ")}` })
  return found
}
