import { hash } from "node:crypto"
import { VERSION } from "../base/version.ts"
import { licenseExpression } from "./license.ts"
import { purlOf, type Distribution, type FoundPackages, type Package } from "./package.ts"
import type { SbomSubject } from "./subject.ts"

const NOTHING_SAID = "NOASSERTION"

/** An SBOM in SPDX 2.3 (spdx-spec v2.3, JSON). Equal inputs give equal bytes. */
export function spdxDocument(found: FoundPackages, subject: SbomSubject): Record<string, unknown> {
  const packages = found.packages.map((each) => packageOf(each, found.distribution))
  const image = imageOf(subject, found.leftOut)
  const contents = hash("sha256", JSON.stringify([image, packages]), "hex")
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: subject.name,
    // clause 6.5: unique for each document; it need lead nowhere
    documentNamespace: `urn:skiff:sbom:${contents.slice(0, 32)}:${Date.parse(subject.createdAt)}`,
    creationInfo: { created: subject.createdAt, creators: [`Tool: skiff-${VERSION}`] },
    packages: [image, ...packages],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: image.SPDXID },
      ...packages.map(({ SPDXID }) => ({
        spdxElementId: image.SPDXID,
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  }
}

function imageOf({ name, purl }: SbomSubject, leftOut: readonly string[]) {
  return {
    SPDXID: "SPDXRef-Image",
    name,
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: NOTHING_SAID,
    copyrightText: NOTHING_SAID,
    primaryPackagePurpose: "CONTAINER",
    ...(leftOut.length === 0 ? {} : { comment: `not looked into: ${leftOut.join("; ")}` }),
    ...(purl === undefined ? {} : { externalRefs: [reference(purl)] }),
  }
}

function packageOf(each: Package, distribution: Distribution | undefined) {
  const { type, name, version, supplier, homepage, source, license, foundIn } = each
  const purl = purlOf(each, distribution)
  return {
    SPDXID: `SPDXRef-${type}-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-").slice(0, 80)}-${hash("sha256", `${purl}\0${foundIn}`, "hex").slice(0, 16)}`,
    name,
    versionInfo: version,
    ...(supplier === undefined ? {} : { supplier: `Organization: ${supplier.replace(/<([^<>]*)>$/, "($1)")}` }),
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    ...(homepage !== undefined && URL.canParse(homepage) ? { homepage } : {}),
    sourceInfo: `found in ${foundIn}${source === undefined ? "" : `; built from ${source}`}`,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: licenseExpression(license) ?? NOTHING_SAID,
    copyrightText: NOTHING_SAID,
    externalRefs: [reference(purl)],
  }
}

function reference(purl: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }
}
