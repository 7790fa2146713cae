import { hash } from "node:crypto"
import { VERSION } from "../base/version.ts"
import { licenseExpression } from "./license.ts"
import { purlOf, type Distribution, type FoundPackages, type Package } from "./package.ts"
import type { SbomSubject } from "./subject.ts"

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
    dependencies: [{ ref: "image", dependsOn: components.map((each) => each["bom-ref"]) }],
  }
}

function componentOf(each: Package, distribution: Distribution | undefined) {
  const { name, version, supplier, homepage, license, foundIn } = each
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
    properties: [{ name: "skiff:foundIn", value: foundIn }],
  }
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
