import { hash } from "node:crypto"
import { VERSION } from "../base/version.ts"
import { licenseExpression } from "./license.ts"
import { neededPackages } from "./needed-packages.ts"
import { groupPackages, systemName, type PackageGroup } from "./package-groups.ts"
import { isOfSystem, purlOf, type Distribution, type FoundPackages, type Package } from "./package.ts"
import type { SbomSubject } from "./subject.ts"
import { sourceParts } from "./trivy-words.ts"

const NOTHING_SAID = "NOASSERTION"

interface SpdxPackage {
  SPDXID: string
  name: string
  versionInfo?: string
  supplier?: string
  downloadLocation: string
  filesAnalyzed: boolean
  homepage?: string
  sourceInfo?: string
  licenseConcluded: string
  licenseDeclared: string
  copyrightText: string
  primaryPackagePurpose?: string
  comment?: string
  externalRefs?: ReturnType<typeof reference>[]
}

/** An SBOM in SPDX 2.3 (spdx-spec v2.3, JSON). Equal inputs give equal bytes. */
export function spdxDocument(found: FoundPackages, subject: SbomSubject) {
  const packages = found.packages.map((each) => packageOf(each, found.distribution))
  const image = imageOf(subject, found.leftOut)
  const system = systemOf(found.distribution)
  const lists = new Map<PackageGroup, SpdxPackage>()
  const wholes = new Map<Package, SpdxPackage | undefined>()
  for (const group of groupPackages(found, subject.name)) {
    if (group.class === "lang-pkgs") lists.set(group, listOf(group))
    for (const each of group.packages) wholes.set(each, lists.get(group) ?? system)
  }
  const wholeOf = (each: Package | undefined) => each && wholes.get(each)
  const contents = hash("sha256", JSON.stringify([image, packages]), "hex")
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: subject.name,
    // clause 6.5: unique for each document; it need lead nowhere
    documentNamespace: `urn:skiff:sbom:${contents.slice(0, 32)}:${Date.parse(subject.createdAt)}`,
    creationInfo: { created: subject.createdAt, creators: [`Tool: skiff-${VERSION}`] },
    packages: [image, ...(system === undefined ? [] : [system]), ...lists.values(), ...packages],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: image.SPDXID },
      ...(system === undefined ? [] : [contains(image, system)]),
      ...lists.values().map((list) => contains(image, list)),
      // Trivy believes only what an operating system, or a list of a language, contains
      ...packages.map((each, index) => contains(wholeOf(found.packages[index]) ?? image, each)),
      ...dependencies(found.packages, packages),
    ],
  }
}

function contains(whole: SpdxPackage, part: SpdxPackage) {
  return { spdxElementId: whole.SPDXID, relationshipType: "CONTAINS", relatedSpdxElement: part.SPDXID }
}

function listOf({ type, target }: PackageGroup): SpdxPackage {
  return {
    SPDXID: `SPDXRef-Application-${hash("sha256", `${type}\0${target}`, "hex").slice(0, 16)}`,
    name: type,
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    sourceInfo: target,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: NOTHING_SAID,
    copyrightText: NOTHING_SAID,
    primaryPackagePurpose: "APPLICATION",
  }
}

function systemOf(distribution: Distribution | undefined): SpdxPackage | undefined {
  const system = systemName(distribution)
  if (system === undefined) return undefined
  return {
    SPDXID: `SPDXRef-OperatingSystem-${hash("sha256", `${system.family}\0${system.version}`, "hex").slice(0, 16)}`,
    name: system.family,
    ...(system.version === "" ? {} : { versionInfo: system.version }),
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: NOTHING_SAID,
    copyrightText: NOTHING_SAID,
    primaryPackagePurpose: "OPERATING-SYSTEM",
  }
}

/** What packages say that they need; `elements` are theirs. */
function dependencies(packages: readonly Package[], elements: readonly SpdxPackage[]) {
  const needed = neededPackages(packages)
  return packages.flatMap((each, index) =>
    needed(each).flatMap((at) => {
      const [from, to] = [elements[index]?.SPDXID, elements[at]?.SPDXID]
      if (from === undefined || to === undefined) return []
      return [{ spdxElementId: from, relationshipType: "DEPENDS_ON", relatedSpdxElement: to }]
    }),
  )
}

function imageOf({ name, purl }: SbomSubject, leftOut: readonly string[]): SpdxPackage {
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

function packageOf(each: Package, distribution: Distribution | undefined): SpdxPackage {
  const { type, name, version, supplier, homepage, license, foundIn } = each
  const purl = purlOf(each, distribution)
  return {
    SPDXID: `SPDXRef-Package-${type}-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-").slice(0, 80)}-${hash("sha256", `${purl}\0${foundIn}`, "hex").slice(0, 16)}`,
    name,
    versionInfo: version,
    ...(supplier === undefined ? {} : { supplier: `Organization: ${supplier.replace(/<([^<>]*)>$/, "($1)")}` }),
    downloadLocation: NOTHING_SAID,
    filesAnalyzed: false,
    ...(homepage !== undefined && URL.canParse(homepage) ? { homepage } : {}),
    sourceInfo: builtFrom(each) ?? `found in ${foundIn}`,
    licenseConcluded: NOTHING_SAID,
    licenseDeclared: licenseExpression(license) ?? NOTHING_SAID,
    copyrightText: NOTHING_SAID,
    ...(isOfSystem(each) ? { comment: `found in ${foundIn}` } : {}),
    externalRefs: [reference(purl)],
  }
}

/** Trivy's words for the source package: it matches by it. */
function builtFrom(each: Package): string | undefined {
  const { Name: name, Version: version, Release: release, Epoch: epoch } = sourceParts(each)
  if (name === undefined) return undefined
  return `built package from: ${name} ${epoch === undefined ? "" : `${epoch}:`}${version}${release === undefined ? "" : `-${release}`}`
}

function reference(purl: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }
}
