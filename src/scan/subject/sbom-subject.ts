import { statSync, readFileSync } from "node:fs"
import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { formatSize } from "../../base/sizes.ts"
import { parseSbom } from "../../sbom/sbom.ts"
import type { ScanSubject } from "../scan.ts"

/** That of a large system has some 50 MB. */
const MAX_SBOM_BYTES = 256 * 1024 ** 2

/** What a document lists: SPDX 2 (JSON, tag-value) or CycloneDX (JSON). Throws NotFound, InvalidArgument. */
export function sbomSubject(path: string): ScanSubject {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined)
    throw new NotFound(`no such file: "${path}"`, { hint: "check the path: it is read from the current directory" })
  if (!stat.isFile() || stat.size > MAX_SBOM_BYTES)
    throw new InvalidArgument(
      `cannot read "${path}" as an SBOM: ${stat.isFile() ? `it has ${formatSize(stat.size)}, at most ${formatSize(MAX_SBOM_BYTES)} are read` : "it is no file"}`,
    )
  const { found, subject } = parseSbom(readFileSync(path), path)
  return {
    kind: "sbom",
    name: subject ?? path,
    path,
    layers: [],
    packages: () => found,
    layerOf: () => undefined,
    [Symbol.dispose]: () => undefined,
  }
}
