import { hash } from "node:crypto"
import { VERSION } from "../base/version.ts"
import { licenseExpression } from "./license.ts"
import { neededPackages } from "./needed-packages.ts"
import { systemName } from "./package-groups.ts"
import { isOfSystem, purlOf, type Distribution, type FoundPackages, type Package } from "./package.ts"
import type { SbomSubject } from "./subject.ts"
import { packageId, sourceParts } from "./trivy-words.ts"

/** An SBOM in CycloneDX (its JSON schemas 1.5 and 1.6: what is used here is the same in both). Equal inputs give equal bytes. */
export function cyclonedxDocument(
  found: FoundPackages,
  subject: SbomSubject,
  specVersion: "1.5" | "1.6",
): Record<string, unknown> {
  const { distribution, leftOut } = found
  const components = found.packages.map((each) => componentOf(each, distribution))
  const serial = hash("sha256", JSON.stringify([subject, components]), "hex")
  return {
    $schema: `http://cyclonedx.org/schema/bom-${specVersion}.schema.json`,
    bomFormat: "CycloneDX",
    specVersion,
    serialNumber: `urn:uuid:${uuidOf(serial)}`,
    version: 1,
    metadata: {
      timestamp: subject.createdAt,
      tools: { components: [{ type: "application", name: "skiff", version: VERSION }] },
      component: {
        type: "container",
        "bom-ref": "image",
        name: subject.name,
        ...(subject.purl === undefined ? {} : { purl: subject.purl }),
      },
      ...(leftOut.length === 0 ? {} : { properties: leftOut.map((value) => ({ name: "skiff:leftOut", value })) }),
    },
    components: [...(distribution === undefined ? [] : [systemOf(distribution)]), ...components],
    dependencies: [
      { ref: "image", dependsOn: components.map((each) => each["bom-ref"]) },
      ...dependencies(found.packages, components),
    ],
  }
}

/** What packages say that they need; `components` are theirs. */
function dependencies(packages: readonly Package[], components: readonly { "bom-ref": string }[]) {
  const needed = neededPackages(packages)
  return packages.flatMap((each, index) => {
    const [ref, dependsOn] = [
      components[index]?.["bom-ref"],
      needed(each).flatMap((at) => components[at]?.["bom-ref"] ?? []),
    ]
    return ref === undefined || dependsOn.length === 0 ? [] : [{ ref, dependsOn }]
  })
}

function componentOf(each: Package, distribution: Distribution | undefined) {
  const { name, version, supplier, homepage, license, foundIn, source, sourceVersion, module } = each
  const purl = purlOf(each, distribution)
  const expression = licenseExpression(license)
  return {
    type: "library",
    "bom-ref": `${purl}${purl.includes("?") ? "&" : "?"}package-id=${hash("sha256", `${purl}\0${foundIn}`, "hex").slice(0, 16)}`,
    ...(supplier === undefined ? {} : { publisher: supplier }),
    name,
    version,
    ...(license === undefined
      ? {}
      : { licenses: [expression === undefined ? { license: { name: license } } : { expression }] }),
    purl,
    ...(homepage !== undefined && URL.canParse(homepage)
      ? { externalReferences: [{ type: "website", url: homepage }] }
      : {}),
    // distributions tell of vulnerabilities by the source package: without it a scan of the document would miss them
    properties: Object.entries({ foundIn, source, sourceVersion, module })
      .flatMap(([key, value]) => (value === undefined ? [] : [{ name: `skiff:${key}`, value }]))
      .concat(trivyProperties(each, distribution)),
  }
}

/** What Trivy matches a system's packages by: it reads its own properties alone. */
function trivyProperties(each: Package, distribution: Distribution | undefined): { name: string; value: string }[] {
  if (!isOfSystem(each)) return []
  const parts: Record<string, string | number | undefined> = {
    PkgID: packageId(each),
    PkgType: systemName(distribution)?.family,
    Modularitylabel: each.module,
  }
  for (const [key, value] of Object.entries(sourceParts(each))) parts[`Src${key}`] = value
  return Object.entries(parts).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [{ name: `aquasecurity:trivy:${key}`, value: String(value) }],
  )
}

function systemOf({ id, versionId, name }: Distribution) {
  return {
    type: "operating-system",
    "bom-ref": `os:${id}${versionId === undefined ? "" : `@${versionId}`}`,
    name: id,
    ...(versionId === undefined ? {} : { version: versionId }),
    ...(name === undefined ? {} : { description: name }),
  }
}

/** RFC 9562, version 8: digits of our own making. */
function uuidOf(hex: string): string {
  const [a, b, c, d, e] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16), hex.slice(17, 20), hex.slice(20, 32)]
  return `${a}-${b}-8${c}-8${d}-${e}`
}
