import { createHash } from "node:crypto"
import { statementOf, type Predicate, type Subject } from "../../spec/in-toto.ts"
import { PROVENANCE_TYPE } from "./provenance.ts"
import { ImageTree, SBOM_TYPES, shownPath } from "../../sbom/sbom.ts"

/** buildkit's names; that of CycloneDX is its own (cyclonedx.org, "recognized file patterns"). */
const NAMES: Readonly<Record<string, string>> = {
  [SBOM_TYPES.spdx]: "sbom.spdx.json",
  [SBOM_TYPES.cyclonedx]: "sbom.cdx.json",
  [PROVENANCE_TYPE]: "provenance.json",
}

/** An in-toto statement that is written beside exported files. */
export interface StatementFile {
  name: string
  bytes: Uint8Array
}

/** The statements that go beside files which are no image, each about all of them. `path`: where they are mounted. */
export function statementFiles(predicates: readonly Predicate[], path: string, prefix: string): StatementFile[] {
  if (predicates.length === 0) return []
  const subjects = fileSubjects(path)
  return predicates.map((predicate) => ({
    name: `${prefix}${NAMES[predicate.predicateType] ?? "attestation.json"}`,
    bytes: Buffer.from(`${JSON.stringify(statementOf(predicate, subjects))}\n`),
  }))
}

function fileSubjects(path: string): Subject[] {
  using tree = new ImageTree(path)
  const subjects: Subject[] = []
  for (const entry of tree.walk()) {
    if (entry.isDirectory) continue
    const hash = createHash("sha256")
    // links and devices have no bytes of their own
    if (entry.chunks((bytes) => hash.update(bytes)))
      subjects.push({ name: shownPath(entry.path).slice(1), digest: { sha256: hash.digest("hex") } })
  }
  return subjects
}
