import { randomUUID } from "node:crypto"
import { groupPackages, isOfSystem, systemName, type Package, type PackageGroup } from "../../sbom/sbom.ts"
import type { Misconfiguration, Place, ScanReport, Secret, SubjectKind, Vulnerability } from "../scan.ts"
import type { ReportOptions } from "./report-format.ts"
import { idsByName, layerDocument, packageDocument, type PackageDocument } from "./trivy-package.ts"

type Json = Record<string, unknown>

const ARTIFACT_TYPES: Record<SubjectKind, string> = {
  image: "container_image",
  archive: "container_image",
  container: "container_image",
  directory: "filesystem",
  sbom: "cyclonedx",
}

/** Trivy's report (its schema 2), so that what reads those reads ours: what it has no word for has names of its own below `Skiff`. */
export function trivyReport(report: ScanReport, options: ReportOptions = {}): Json {
  const { subject, createdAt, endOfLife, leftOut, data } = report
  return {
    SchemaVersion: 2,
    ReportID: randomUUID(),
    CreatedAt: createdAt,
    ...(subject.image === undefined ? {} : { ArtifactID: subject.image.id }),
    ArtifactName: subject.name,
    ArtifactType: ARTIFACT_TYPES[subject.kind],
    Metadata: metadataOf(report),
    Results: resultsOf(report, options),
    Skiff: {
      ...(leftOut.length === 0 ? {} : { LeftOut: leftOut }),
      ...(endOfLife === undefined ? {} : { EndOfLife: { Since: endOfLife.since, Message: endOfLife.message } }),
      Data: data.map(({ name, updatedAt, version }) => present({ Name: name, UpdatedAt: updatedAt, Version: version })),
    },
  }
}

function metadataOf({ subject: { image, layers }, found, endOfLife }: ScanReport): Json {
  const os = systemName(found.distribution)
  return present({
    Size: image?.sizeBytes,
    OS: os && present({ Family: os.family, Name: os.version, EOSL: endOfLife === undefined ? undefined : true }),
    ImageID: image?.id,
    DiffIDs: image && layers.map(({ diffId }) => diffId),
    RepoTags: image?.tags.length ? image.tags : undefined,
    RepoDigests: image?.digests.length ? image.digests : undefined,
    ImageConfig: image?.config,
    Layers: image && layers.map((layer) => layerDocument(layer)),
  })
}

function resultsOf(
  report: ScanReport,
  { listAllPackages = false, showIgnored = false, withDevelopment = false }: ReportOptions,
): Json[] {
  const { found, subject, vulnerabilities, ignored } = report
  const groups = groupPackages(found, subject.name)
  const byGroup = new Map(groups.map((group) => [group, [] as Vulnerability[]]))
  const ignoredOf = new Map(groups.map((group) => [group, [] as Vulnerability[]]))
  const find = finder(groups)
  const documents = new Map<Package, PackageDocument>()
  const layers = layersById(report)
  // a package has many findings
  const documentOf = (each: Package): PackageDocument => {
    const document = documents.get(each) ?? packageDocument(each, found.distribution, layers)
    documents.set(each, document)
    return document
  }
  for (const each of vulnerabilities) byGroup.get(find(each)?.group ?? NOWHERE)?.push(each)
  for (const each of ignored) ignoredOf.get(find(each)?.group ?? NOWHERE)?.push(each)
  const packages = groups.flatMap((group) => {
    const [found_, modified] = [byGroup.get(group) ?? [], (showIgnored ? ignoredOf.get(group) : undefined) ?? []]
    // as Trivy: the system is there in any case, a list of a language only with something to tell
    if (!listAllPackages && found_.length + modified.length === 0 && group.class !== "os-pkgs") return []
    const ids = listAllPackages ? idsByName(group.packages) : undefined
    return [
      present({
        Target: group.target,
        Class: group.class,
        Type: group.type,
        Packages: listAllPackages
          ? group.packages
              .filter((each) => withDevelopment || each.isDevelopment !== true)
              .map((each) => packageDocument(each, found.distribution, layers, ids))
          : undefined,
        Vulnerabilities:
          found_.length === 0 ? undefined : found_.map((each) => vulnerabilityOf(each, find, documentOf)),
        ExperimentalModifiedFindings:
          modified.length === 0 ? undefined : modified.map((each) => ignoredDocument(each, find, documentOf)),
      }),
    ]
  })
  return [...packages, ...licenses(report, groups), ...configs(report), ...secrets(report), ...malware(report)]
}

const NOWHERE: PackageGroup = { target: "", class: "lang-pkgs", type: "", packages: [] }

type Find = (vulnerability: Vulnerability) => { group: PackageGroup; found: Package } | undefined

function keyOf(type: string, name: string, path: string): string {
  return [type, name, path].join("\0")
}

/** Which package of which list a finding is of. */
function finder(groups: readonly PackageGroup[]): Find {
  const byKey = new Map<string, { group: PackageGroup; found: Package }>()
  for (const group of groups)
    for (const found of group.packages) {
      const full = isOfSystem(found) && found.epoch !== undefined ? `${found.epoch}:${found.version}` : found.version
      for (const version of [full, found.version, ""]) {
        const key = keyOf(found.type, `${found.name}@${version}`, found.foundIn)
        if (!byKey.has(key)) byKey.set(key, { group, found })
      }
    }
  return ({ package: { type, name, version, path = "" } }) =>
    byKey.get(keyOf(type, `${name}@${version}`, path)) ?? byKey.get(keyOf(type, `${name}@`, path))
}

function layersById({ subject }: ScanReport): ReadonlyMap<string, Place["layer"]> {
  return new Map(subject.layers.map((layer) => [layer.diffId, layer]))
}

type DocumentOf = (each: Package) => PackageDocument

function vulnerabilityOf(each: Vulnerability, find: Find, documentOf: DocumentOf): Json {
  const found = find(each)?.found
  const document = found && documentOf(found)
  const { package: affected } = each
  return present({
    VulnerabilityID: each.id,
    VendorIDs: each.aliases.length === 0 ? undefined : each.aliases,
    PkgID: document?.ID ?? `${affected.name}@${affected.version}`,
    PkgName: affected.name,
    PkgPath: document?.FilePath,
    PkgIdentifier: document?.Identifier ?? { PURL: affected.purl },
    InstalledVersion: affected.version,
    FixedVersion: each.fixedVersions.length === 0 ? undefined : each.fixedVersions.join(", "),
    Status: each.status,
    Layer: affected.layer === undefined ? (document?.Layer ?? {}) : layerDocument(affected.layer),
    SeveritySource: each.severitySource,
    PrimaryURL: each.primaryUrl,
    DataSource: each.dataSource && { ID: each.dataSource.id, Name: each.dataSource.name, URL: each.dataSource.url },
    Title: each.title,
    Description: each.description,
    Severity: each.severity.toUpperCase(),
    CweIDs: each.cweIds.length === 0 ? undefined : each.cweIds,
    VendorSeverity: Object.fromEntries(
      Object.entries(each.vendorSeverities).map(([source, severity]) => [source, NUMBERS.indexOf(severity)]),
    ),
    CVSS: Object.fromEntries(
      Object.entries(each.cvss).map(([source, cvss]) => [
        source,
        present({
          V2Vector: cvss.v2Vector,
          V3Vector: cvss.v3Vector,
          V40Vector: cvss.v40Vector,
          V2Score: cvss.v2Score,
          V3Score: cvss.v3Score,
          V40Score: cvss.v40Score,
        }),
      ]),
    ),
    References: each.references.length === 0 ? undefined : each.references,
    PublishedDate: each.publishedAt,
    LastModifiedDate: each.modifiedAt,
    Skiff: present({
      Risk: each.risk?.score,
      Reasons: each.risk?.reasons,
      EPSS: each.epss?.score,
      KnownExploited: each.knownExploited?.addedOn,
      Notes: each.notes.length === 0 ? undefined : each.notes,
    }),
  })
}

/** Trivy's numbers of severities. */
const NUMBERS: readonly string[] = ["unknown", "low", "medium", "high", "critical"]

function ignoredDocument(each: Vulnerability, find: Find, documentOf: DocumentOf): Json {
  const { ignoredBy } = each
  return present({
    Type: "vulnerability",
    Status: ignoredBy?.status ?? "ignored",
    Statement: ignoredBy?.statement,
    Source: ignoredBy?.source,
    Finding: vulnerabilityOf(each, find, documentOf),
  })
}

/** A list for the system's packages, and one for each list of a language's. */
function licenses({ licenses: list = [] }: ScanReport, groups: readonly PackageGroup[]): Json[] {
  return groups.flatMap((group) => {
    const isSystem = group.class === "os-pkgs"
    const paths = new Set(group.packages.map(({ foundIn }) => foundIn))
    const own = list.filter(({ path }) => (path === undefined ? isSystem : !isSystem && paths.has(path)))
    if (own.length === 0) return []
    return [
      {
        Target: isSystem ? "OS Packages" : group.target,
        Class: "license",
        Licenses: own.map(({ severity, category, package: PkgName, path = "", name }) => ({
          Severity: severity.toUpperCase(),
          Category: category,
          PkgName,
          FilePath: path.replace(/^\/+/, ""),
          Name: name,
          Confidence: 1,
          Link: "",
        })),
      },
    ]
  })
}

function configs(report: ScanReport): Json[] {
  return byTarget(report.misconfigurations, report).map(([target, list]) => ({
    Target: target,
    Class: "config",
    Type: list[0]?.kind ?? "image",
    MisconfSummary: { Successes: 0, Failures: list.length },
    Misconfigurations: list.map(misconfiguration),
  }))
}

function misconfiguration(each: Misconfiguration): Json {
  const { place } = each
  return present({
    Type: TYPE_NAMES[each.kind],
    ID: each.id,
    AVDID: each.aliases.find((alias) => alias.startsWith("AVD-")),
    Title: each.title,
    Description: each.title,
    Message: each.message,
    Resolution: each.resolution,
    Severity: each.severity.toUpperCase(),
    PrimaryURL: each.references[0],
    References: each.references.length === 0 ? undefined : each.references,
    Status: "FAIL",
    Layer: layerDocument(place.layer),
    CauseMetadata: present({
      Provider: TYPE_NAMES[each.kind],
      Service: "general",
      StartLine: place.startLine,
      EndLine: place.endLine ?? place.startLine,
      Code: each.code === undefined ? undefined : { Lines: each.code.map((line, at) => codeLine(each, line, at)) },
    }),
  })
}

function codeLine({ code = [], place: { startLine = 1 } }: Misconfiguration, content: string, at: number): Json {
  return {
    Number: startLine + at,
    Content: content,
    IsCause: true,
    Annotation: "",
    Truncated: false,
    FirstCause: at === 0,
    LastCause: at === code.length - 1,
  }
}

const TYPE_NAMES: Record<Misconfiguration["kind"], string> = {
  image: "Image Security Check",
  container: "Container Security Check",
  dockerfile: "Dockerfile Security Check",
  compose: "Compose Security Check",
  kubernetes: "Kubernetes Security Check",
}

function secrets(report: ScanReport): Json[] {
  return byTarget(report.secrets, report).map(([target, list]) => ({
    Target: target,
    Class: "secret",
    Secrets: list.map(secret),
  }))
}

function secret(each: Secret): Json {
  const [StartLine, EndLine] = [each.place.startLine ?? 1, each.place.endLine ?? each.place.startLine ?? 1]
  const line = {
    Number: StartLine,
    Content: each.match,
    IsCause: true,
    Annotation: "",
    Truncated: false,
    Highlighted: each.match,
    FirstCause: true,
    LastCause: true,
  }
  return present({
    RuleID: each.ruleId,
    Category: each.category,
    Severity: each.severity.toUpperCase(),
    Title: each.title,
    StartLine,
    EndLine,
    Code: { Lines: [line] },
    Match: each.match,
    Layer: layerDocument(each.place.layer),
    Deleted: each.isDeleted ? true : undefined,
  })
}

function malware(report: ScanReport): Json[] {
  return byTarget(report.malware, report).map(([target, list]) => ({
    Target: target,
    Class: "custom",
    Type: "malware",
    CustomResources: list.map((each) => ({
      Type: "malware",
      FilePath: target,
      Layer: layerDocument(each.place.layer),
      Data: {
        ID: each.id,
        Title: each.title,
        Severity: each.severity.toUpperCase(),
        Source: each.source,
        Message: each.message,
      },
    })),
  }))
}

/** What is in no file is the subject's own. */
function byTarget<T extends { place: Place }>(list: readonly T[], { subject }: ScanReport): [string, T[]][] {
  const groups = new Map<string, T[]>()
  for (const each of list) {
    const { path } = each.place
    // of an image Trivy's paths are absolute, of a directory they begin in it
    const target = path === undefined ? subject.name : subject.kind === "directory" ? path.replace(/^\/+/, "") : path
    const group = groups.get(target)
    if (group === undefined) groups.set(target, [each])
    else group.push(each)
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function present(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
