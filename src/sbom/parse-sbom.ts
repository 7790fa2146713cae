import { InvalidArgument, isSkiffError } from "../base/errors.ts"
import { parseDocument } from "../spec/parse-document.ts"
import type { Distribution, FoundPackages, Package, PackageKind } from "./package.ts"
import { nameOfPurl, parsePurl, typeOfPurl } from "./purl.ts"
import { linesOf, MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

const MAX_BYTES = 256 * 1024 ** 2
const MAX_VALUES = 8_000_000

/** What a document lists, and what it says that it is about. */
export interface ParsedSbom {
  found: FoundPackages
  subject?: string
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads SPDX 2.x (JSON or tag-value) or CycloneDX (JSON), also where it is the predicate of an attestation. What has no package URL is
 * left out, and counted. Throws InvalidArgument.
 */
export function parseSbom(bytes: Uint8Array, what: string): ParsedSbom {
  const head = Buffer.from(bytes.subarray(0, 4096))
    .toString("utf8")
    .replace(/^\uFEFF/, "")
  if (/^(?:#[^\n]*\n|\s)*SPDXVersion:/.test(head)) return spdx(tagValues(Buffer.from(bytes).toString("utf8")))
  let document: Fields
  try {
    document = parseDocument(bytes, MAX_BYTES, what, MAX_VALUES)
  } catch (error) {
    if (!isSkiffError(error, "DataLoss")) throw error
    throw new InvalidArgument(`cannot read "${what}" as an SBOM: ${error.message}`, { cause: error })
  }
  const inner = fieldsOf(document.predicate)
  const top = inner === undefined ? document : (fieldsOf(inner.Data) ?? inner)
  if (top.bomFormat === "CycloneDX") return cyclonedx(top)
  if (textOf(top.spdxVersion)?.startsWith("SPDX-2")) return spdx(top)
  throw new InvalidArgument(`cannot read "${what}" as an SBOM: it is neither CycloneDX nor SPDX 2`, {
    hint: "both are read as JSON, SPDX as tag-value too",
  })
}

function cyclonedx(document: Fields): ParsedSbom {
  const packages: Package[] = []
  let distribution: Distribution | undefined
  let unnamed = 0
  const pending = [...listOf(document.components)]
  for (let next = pending.pop(); next !== undefined && packages.length < MAX_PACKAGES; next = pending.pop()) {
    for (const inner of listOf(next.components)) pending.push(inner)
    if (next.type === "operating-system") {
      distribution ??= distributionOf(textOf(next.name), textOf(next.version))
      continue
    }
    if (next.type !== "library" && next.type !== "framework" && next.type !== "application") continue
    const found = packageOf(textOf(next.purl), {
      properties: new Map(
        listOf(next.properties).flatMap(({ name, value }) => {
          const [key, text] = [textOf(name), textOf(value)]
          return key === undefined || text === undefined ? [] : [[key, text] as const]
        }),
      ),
      license: licenseOf(next.licenses),
      supplier: textOf(next.publisher) ?? textOf(fieldsOf(next.supplier)?.name),
    })
    if (found !== undefined) packages.push(found)
    // what has no package URL and no version is a file, or a group
    else if (next.type === "library") unnamed++
  }
  const subject = textOf(fieldsOf(fieldsOf(document.metadata)?.component)?.name)
  return parsed(packages, unnamed, distribution, subject)
}

function spdx(document: Fields): ParsedSbom {
  const packages: Package[] = []
  let distribution: Distribution | undefined
  let unnamed = 0
  for (const each of listOf(document.packages).slice(0, MAX_PACKAGES)) {
    const purl = listOf(each.externalRefs).find(({ referenceType }) => referenceType === "purl")?.referenceLocator
    if (each.primaryPackagePurpose === "OPERATING-SYSTEM") {
      distribution ??= distributionOf(textOf(each.name), textOf(each.versionInfo))
      continue
    }
    const license = textOf(each.licenseDeclared)
    const told = textOf(each.sourceInfo) ?? ""
    const [, foundIn] = /^found in ([^;]*)/.exec(textOf(each.comment) ?? told) ?? []
    // ours, and Trivy's
    const [, source, sourceVersion] = /(?:^built package from: |; built from )(\S+)(?: (\S+))?$/.exec(told) ?? []
    const found = packageOf(textOf(purl), {
      properties: new Map(
        Object.entries({ foundIn, source, sourceVersion }).flatMap(([key, value]) =>
          value === undefined ? [] : [[`skiff:${key}`, value]],
        ),
      ),
      license: license === "NOASSERTION" || license === "NONE" ? undefined : license,
      supplier: textOf(each.supplier)?.replace(/^(?:Organization|Person): /, ""),
    })
    if (found !== undefined) packages.push(found)
    else if (each.primaryPackagePurpose === undefined || each.primaryPackagePurpose === "LIBRARY") unnamed++
  }
  return parsed(packages, unnamed, distribution, textOf(document.name))
}

function parsed(
  packages: readonly Package[],
  unnamed: number,
  told: Distribution | undefined,
  subject: string | undefined,
): ParsedSbom {
  const distribution = told ?? distributionOfPackages(packages)
  return {
    found: {
      distribution,
      // without a root that is one of them, which describes itself
      packages: packages.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
      leftOut: unnamed === 0 ? [] : [`${unnamed} components without a package URL`],
    },
    ...(subject === undefined ? {} : { subject }),
  }
}

function keyOf({ type, name, version, foundIn }: Package): string {
  return [type, name, version, foundIn].join("\0")
}

/** What a document says of a package besides its URL. */
interface Told {
  properties: ReadonlyMap<string, string>
  license: string | undefined
  supplier: string | undefined
}

function packageOf(text: string | undefined, { properties, license, supplier }: Told): Package | undefined {
  const purl = text === undefined ? undefined : parsePurl(text)
  if (text === undefined || purl?.version === undefined || purl.version === "") return undefined
  const type = typeOfPurl(purl)
  if (purl.type === "oci" || purl.type === "docker") return undefined
  const epoch = purl.qualifiers.get("epoch")
  const isDebian = type === "deb" && epoch !== undefined && !/^\d+:/.test(purl.version)
  const version = isDebian ? `${epoch}:${purl.version}` : purl.version
  const kind = properties.get("aquasecurity:trivy:PkgType")
  const upstream = purl.qualifiers.get("upstream")
  const [, upstreamName, upstreamVersion] = /^([^@]+)(?:@(.*))?$/.exec(upstream ?? "") ?? []
  // ours has both forms: Trivy's are for Trivy
  const isOurs = properties.has("skiff:foundIn")
  const [srcName, srcVersion, srcEpoch, srcRelease] = ["SrcName", "SrcVersion", "SrcEpoch", "SrcRelease"].map((key) =>
    isOurs ? undefined : properties.get(`aquasecurity:trivy:${key}`),
  )
  const name = nameOfPurl(purl)
  const told = {
    name: srcName ?? properties.get("skiff:source") ?? upstreamName,
    version:
      srcVersion === undefined
        ? (properties.get("skiff:sourceVersion") ?? upstreamVersion)
        : `${srcEpoch ? `${srcEpoch}:` : ""}${srcVersion}${srcRelease ? `-${srcRelease}` : ""}`,
  }
  const details = {
    architecture: purl.qualifiers.get("arch"),
    epoch: type === "rpm" ? epoch : undefined,
    license,
    supplier,
    ...sourceOf(type, told, { name, version }),
    module:
      properties.get("aquasecurity:trivy:Modularitylabel") ??
      properties.get("skiff:module") ??
      purl.qualifiers.get("rpmmod"),
  }
  const foundIn =
    properties.get("skiff:foundIn") ??
    properties.get("aquasecurity:trivy:FilePath") ??
    properties.get("syft:location:0:path") ??
    ""
  return {
    type,
    kind: kindOf(type, kind),
    name,
    version,
    ...present(details),
    foundIn: foundIn === "" || foundIn.startsWith("/") ? foundIn : `/${foundIn}`,
    purl: text,
  }
}

/** As the databases of packages say it: nothing where it is the package's own, of rpm the name of a file. */
function sourceOf(
  type: Package["type"],
  { name, version }: { name: string | undefined; version: string | undefined },
  own: { name: string; version: string },
): { source: string | undefined; sourceVersion: string | undefined } {
  if (type === "rpm")
    return {
      source:
        name === undefined || version === undefined || name.endsWith(".rpm")
          ? name
          : `${name}-${version.replace(/^\d+:/, "")}.src.rpm`,
      sourceVersion: undefined,
    }
  return {
    source: name === own.name ? undefined : name,
    sourceVersion: version === own.version ? undefined : version,
  }
}

function kindOf(type: Package["type"], told: string | undefined): PackageKind {
  const ofSystem: Partial<Record<Package["type"], PackageKind>> = {
    deb: "dpkg",
    apk: "apk",
    rpm: "rpm",
    alpm: "alpm",
  }
  const known = told !== undefined && KINDS.has(told) ? (told as PackageKind) : undefined
  return ofSystem[type] ?? known ?? KIND_OF[type] ?? "sbom"
}

const KIND_OF: Partial<Record<Package["type"], PackageKind>> = {
  npm: "node-pkg",
  pypi: "python-pkg",
  golang: "gobinary",
  cargo: "rustbinary",
  maven: "jar",
  gem: "gemspec",
  nuget: "dotnet-core",
  composer: "composer",
  hex: "hex",
  pub: "pub",
  swift: "swift",
  cocoapods: "cocoapods",
  conan: "conan",
  conda: "conda-pkg",
  bitnami: "bitnami",
  julia: "julia",
}

const KINDS = new Set(
  `python-pkg pip pipenv poetry uv pdm pylock conda-pkg node-pkg npm yarn pnpm bun gobinary gomod rustbinary cargo jar pom gradle sbt gemspec
  bundler dotnet-core nuget packages-props composer composer-vendor hex pub swift cocoapods conan bitnami julia`.split(
    /\s+/,
  ),
)

/** `distro=debian-12` of the first package of a system. */
function distributionOfPackages(packages: readonly Package[]): Distribution | undefined {
  for (const { purl } of packages) {
    const distro = purl === undefined ? undefined : parsePurl(purl)?.qualifiers.get("distro")
    const [, id, version] = /^([a-z]\D*?)-(\d.*)$/.exec(distro ?? "") ?? []
    if (id !== undefined) return distributionOf(id, version)
  }
  return undefined
}

/** os-release's `ID` of what Trivy's documents call otherwise. */
const IDS: Readonly<Record<string, string>> = {
  redhat: "rhel",
  alma: "almalinux",
  oracle: "ol",
  amazon: "amzn",
  "cbl-mariner": "mariner",
}

function distributionOf(id: string | undefined, versionId: string | undefined): Distribution | undefined {
  if (!id) return undefined
  return { id: IDS[id] ?? id, ...(versionId ? { versionId } : {}) }
}

function licenseOf(value: unknown): string | undefined {
  const names = listOf(value).flatMap((each) => {
    const license = fieldsOf(each.license)
    return textOf(each.expression) ?? textOf(license?.id) ?? textOf(license?.name) ?? []
  })
  return names.length === 0 ? undefined : names.join(" AND ").slice(0, MAX_VALUE)
}

/** The tags of SPDX's own text form that are read, as the fields of its JSON (spdx-spec v2.3, clause 7). */
function tagValues(text: string): Fields {
  const document: Record<string, unknown> = {}
  const packages: Record<string, unknown>[] = []
  let current: Record<string, unknown> | undefined
  let isInText = false
  for (const raw of linesOf(text)) {
    const line = raw.replace(/\r$/, "")
    if (isInText) {
      isInText = !line.includes("</text>")
      continue
    }
    const colon = line.indexOf(":")
    if (colon <= 0 || line.startsWith("#")) continue
    const [tag, value] = [line.slice(0, colon), line.slice(colon + 1).trim()]
    isInText = value.startsWith("<text>") && !value.includes("</text>")
    if (tag === "PackageName") {
      if (packages.length >= MAX_PACKAGES) break
      packages.push((current = { name: value, externalRefs: [] }))
    } else if (tag === "FileName" || tag === "SnippetSPDXID") current = undefined
    else if (tag === "DocumentName") document.name = value
    else if (current !== undefined) setTag(current, tag, value)
  }
  return { ...document, packages: packages as Fields[] }
}

const TAGS: Readonly<Record<string, string>> = {
  PackageVersion: "versionInfo",
  PackageSupplier: "supplier",
  PackageLicenseDeclared: "licenseDeclared",
  PackageSourceInfo: "sourceInfo",
  PackageComment: "comment",
  PrimaryPackagePurpose: "primaryPackagePurpose",
}

function setTag(fields: Record<string, unknown>, tag: string, value: string): void {
  const [category, referenceType, referenceLocator] = value.split(/\s+/, 3)
  if (tag === "ExternalRef" && referenceLocator !== undefined)
    (fields.externalRefs as unknown[]).push({ referenceCategory: category, referenceType, referenceLocator })
  const name = Object.hasOwn(TAGS, tag) ? TAGS[tag] : undefined
  if (name !== undefined) fields[name] = value.replace(/^<text>(.*)<\/text>$/, "$1")
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value)
    ? value.flatMap((each: unknown): Fields[] => {
        const fields = fieldsOf(each)
        return fields === undefined ? [] : [fields]
      })
    : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 4096) : undefined
}
