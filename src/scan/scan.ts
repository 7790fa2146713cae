/**
 * Looks for risk in images, containers, directories, archives and SBOMs, and says what to do about it. Offline: the only data
 * are what is on this machine.
 *
 *   subject/ ─▶ ScanSubject ─▶ sbom/ ─▶ packages ─▶ vulnerability/ ─┐
 *                        ├──▶ misconfiguration/ ───────────────────┤
 *                        ├──▶ secret/ ─────────────────────────────┼─▶ ignore/ ─▶ rank ─▶ ScanReport ─▶ report/ (formats)
 *                        └──▶ malware/ ────────────────────────────┘                         └──────▶ compliance/
 *
 * All of a subject is hostile: it is read by descriptors that cannot leave its root (sbom's FileTree), within bounds that are
 * said by name where they were met, and nothing of it is run.
 */
import type { Container, ContainerDetails } from "../container/container.ts"
import type { Images } from "../image/image.ts"
import type { Registries, RegistryAccess } from "../registry/registry.ts"
import type { FoundPackages, FileTree } from "../sbom/sbom.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageConfig } from "../spec/oci-image.ts"
import type { ProfileName } from "./compliance/profile-names.ts"
import type { ReportFormat, ReportOptions } from "./report/report-format.ts"

export { PROFILES, type ProfileName } from "./compliance/profile-names.ts"
export { REPORT_FORMATS, type ReportFormat, type ReportOptions } from "./report/report-format.ts"

/** What kind of thing is looked at. */
export type SubjectKind = "image" | "container" | "directory" | "archive" | "sbom"

/** One layer of a subject, from the ground up. */
export interface SubjectLayer {
  diffId: Digest
  /** As its registry names it, where that is known. */
  digest?: Digest
  /** What made it: the history's words. */
  createdBy?: string
  /** The instruction that made it, where it was built here and its Dockerfile still says what the history does; `line` from 1. */
  dockerfile?: { file: string; line: number }
  /** Its own files, whiteouts among them, as they were before later layers hid them; undefined where they are not at hand. */
  open?: () => FileTree
}

/** What is looked at, opened: each part once, and only when it is asked for. */
export interface ScanSubject extends Disposable {
  kind: SubjectKind
  /** As people call it. */
  name: string
  /** Of an image, or a container's. */
  image?: {
    id: Digest
    tags: readonly string[]
    digests: readonly string[]
    config: ImageConfig
    platform: string
    /** Bytes of all layers, uncompressed. */
    sizeBytes?: number
  }
  /** Of a container alone. */
  container?: ContainerDetails
  /** Of a directory or an archive: its host path. */
  path?: string
  layers: readonly SubjectLayer[]
  /** The files as a process would see them; undefined of an SBOM. */
  tree?: FileTree
  packages(): FoundPackages
  /** Where what was found in an image of the store is kept, beside its topmost layer. */
  keptFile?: (name: "packages" | "vulnerabilities") => string
  /** The layer that brought the file that is seen at `path` (absolute); undefined where nobody knows. */
  layerOf(path: string): SubjectLayer | undefined
}

/** From the least to the worst. */
export const SEVERITIES = ["unknown", "low", "medium", "high", "critical"] as const
/** One of `SEVERITIES`. */
export type Severity = (typeof SEVERITIES)[number]

/** Where something was found. */
export interface Place {
  /** Absolute in the subject; undefined of what is in no file (ENV, history). */
  path?: string
  /** From 1. */
  startLine?: number
  endLine?: number
  layer?: Pick<SubjectLayer, "diffId" | "digest" | "createdBy" | "dockerfile">
}

/** A rule that something breaks. */
export interface Misconfiguration {
  class: "misconfiguration"
  /** Of this rule for ever: `DS002`, `CIS-4.1`, `SKF001`. */
  id: string
  /** Other names of the same rule. */
  aliases: readonly string[]
  title: string
  /** What is wrong here, with what was found. */
  message: string
  severity: Severity
  /** What the user does next. */
  resolution: string
  references: readonly string[]
  /** What kind of file or thing the rule is of. */
  kind: "image" | "container" | "dockerfile" | "compose" | "kubernetes"
  /** The lines of a file that it is about, from `place.startLine` on, some of many: secrets in them are stars. */
  code?: readonly string[]
  place: Place
}

/** What a file of configuration broke, and why it could not be looked at, where that is so. */
export interface CheckedFile {
  /** What was found in it: of YAML that is none of those, none. */
  types: readonly ("dockerfile" | "compose" | "kubernetes")[]
  found: Misconfiguration[]
  /** A sentence without the file's name. */
  unread?: string
}

/** Something that nobody else should know. The value itself is never kept: `match` hides it. */
export interface Secret {
  class: "secret"
  ruleId: string
  category: string
  title: string
  severity: Severity
  /** The line, with the secret as stars. */
  match: string
  place: Place
  /** It is in a layer, and a later one deletes it: who pulls the image has it all the same. */
  isDeleted: boolean
}

/** A file that does harm, or is not what its package says. */
export interface Malware {
  class: "malware"
  id: string
  title: string
  severity: Severity
  /** What knows it: `eicar`, `hash-list`, `clamav`, `dpkg`, `rpm`, `apk`, `osv`. */
  source: string
  message: string
  place: Place
}

/** What a licence asks of who passes the package on, from the most. */
export type LicenseCategory = "forbidden" | "restricted" | "reciprocal" | "notice" | "unencumbered" | "unknown"

/** A licence that a package says it has. */
export interface License {
  class: "license"
  name: string
  category: LicenseCategory
  severity: Severity
  /** Its name. */
  package: string
  /** What tells of it; undefined of the system's packages. */
  path?: string
}

/** What the data say of a package's version, in Trivy's words. */
export const VULNERABILITY_STATUSES = [
  "unknown",
  "not_affected",
  "affected",
  "fixed",
  "under_investigation",
  "will_not_fix",
  "fix_deferred",
  "end_of_life",
] as const
/** One of `VULNERABILITY_STATUSES`. */
export type VulnerabilityStatus = (typeof VULNERABILITY_STATUSES)[number]

/** Vectors and scores (0 to 10) as one source gives them. */
export interface Cvss {
  v2Vector?: string
  v2Score?: number
  v3Vector?: string
  v3Score?: number
  v40Vector?: string
  v40Score?: number
}

/** A package that something was found in. */
export interface AffectedPackage {
  /** As its package URL's. */
  type: string
  name: string
  /** Whole: with epoch and release. */
  version: string
  /** The source package, where that has another name. */
  source?: string
  purl: string
  /** What tells of it: absolute in the subject. */
  path?: string
  layer?: Place["layer"]
}

/** Why a finding is not counted: whose word it is. */
export interface IgnoredBy {
  /** `ignore-file`, `vex`, `status` or `unfixed`; `duplicate`: an operating system's package owns the same files. */
  kind: "ignore-file" | "vex" | "status" | "unfixed" | "duplicate"
  /** The file, or the document's name. */
  source: string
  /** Of VEX: `not_affected`, `fixed`. */
  status?: string
  /** In its author's words. */
  statement?: string
}

/** A known weakness in a package's version. */
export interface Vulnerability {
  class: "vulnerability"
  /** CVE where it has one, else as its source names it. */
  id: string
  /** Of the same: GHSA, DSA, RHSA. */
  aliases: readonly string[]
  package: AffectedPackage
  /** From the least; none: nothing fixes it yet. */
  fixedVersions: readonly string[]
  status: VulnerabilityStatus
  severity: Severity
  /** Whose word `severity` is: `debian`, `ghsa`, `nvd`. */
  severitySource?: string
  /** Everybody's word, by source. */
  vendorSeverities: Readonly<Record<string, Severity>>
  /** By source. */
  cvss: Readonly<Record<string, Cvss>>
  /** First.org's estimate that somebody exploits it within 30 days, 0 to 1, and the share of others that are below. */
  epss?: { score: number; percentile: number }
  /** In CISA's catalogue of what is exploited; the day is `YYYY-MM-DD`. */
  knownExploited?: { addedOn: string; dueOn?: string; isRansomware: boolean }
  cweIds: readonly string[]
  title?: string
  description?: string
  /** To read first. */
  primaryUrl?: string
  references: readonly string[]
  /** RFC 3339. */
  publishedAt?: string
  modifiedAt?: string
  dataSource?: { id: string; name: string; url: string }
  /** What the user must know besides: a fix that only subscribers get. */
  notes: readonly string[]
  ignoredBy?: IgnoredBy
  /** Severity × exposure, 0 to 100, and why; set by `rank`. */
  risk?: { score: number; reasons: readonly string[] }
}

/** The distribution gets no more fixes: what is not found in it means nothing. */
export interface EndOfLife {
  class: "end-of-life"
  /** As os-release says: `debian 10`. */
  distribution: string
  /** `YYYY-MM-DD`. */
  since: string
  severity: Severity
  message: string
}

/** What was found, of every kind. */
export type Finding = Vulnerability | EndOfLife | Misconfiguration | Secret | Malware

/** The kinds of looks, by Trivy's names where it has them. */
export const SCANNERS = ["vuln", "misconfig", "secret", "malware", "license"] as const
/** One of `SCANNERS`. */
export type ScannerName = (typeof SCANNERS)[number]

/** What is looked at, as people name it. */
export interface ScanTarget {
  /** `any`: a container, an image, or a path of this host, whatever is there first. */
  kind: SubjectKind | "any"
  /** Name or id; of a directory, an archive or an SBOM: its host path. */
  name: string
  /** Of several in one archive or registry, `linux/arm64`; undefined: this host's. */
  platform?: string
}

/** How it is looked at. */
export interface ScanOptions {
  scanners: readonly ScannerName[]
  /** Only these are told of; undefined: all. */
  severities?: readonly Severity[]
  /** Default: both. */
  packageKinds: readonly ("os" | "library")[]
  /** Packages that only who develops needs count as well. */
  withDevelopment?: boolean
  /** Say of each package which layer brought it, not only of those that something is known of. */
  withPackageLayers?: boolean
  /** Paths or globs, relative to the root. */
  skipDirectories: readonly string[]
  skipFiles: readonly string[]
  /** Those that nothing fixes yet are left out. */
  ignoreUnfixed: boolean
  ignoreStatuses: readonly VulnerabilityStatus[]
  /** Host path; undefined: `.trivyignore` (`.yaml`) or `.grype.yaml` of the working directory, where there is one. */
  ignoreFile?: string
  /** Host path of a file in `trivy-secret.yaml`'s form; undefined: that of the working directory, where there is one. */
  secretConfig?: string
  /** Files of the working directory say nothing: who checks a policy is not told by them what not to see. */
  withoutLocalFiles?: boolean
  /** Host paths; `oci`: what is attached to the image, `repo`: what `vexRepositories` has of its packages. */
  vex: readonly string[]
  /** A directory of VEX repositories, `NAME/VERSION/index.json`. */
  vexRepositories?: string
  /** Licences that are not told of. */
  ignoredLicenses?: readonly string[]
  /** Where an image may come from; undefined: the store, else its registry. */
  imageSource?: "store" | "registry"
  /** How the registry of an image that is not here is reached. */
  registry?: RegistryAccess
  /** A directory with a database, ours or Trivy's; undefined: the one of the store. */
  database?: string
  /** No network is used, not for newer data either. */
  isOffline: boolean
  signal?: AbortSignal | undefined
}

/** A look by nobody's flags, at all packages: files of the working directory and the network say nothing. */
export const SILENT_LOOK: ScanOptions = {
  scanners: [],
  packageKinds: ["os", "library"],
  skipDirectories: [],
  skipFiles: [],
  ignoreUnfixed: false,
  ignoreStatuses: [],
  vex: [],
  withoutLocalFiles: true,
  isOffline: true,
}

/** How old the data are that were asked. */
export interface DataAge {
  /** As people call them: `trivy-db`, `secret rules`. */
  name: string
  /** RFC 3339: when its makers made them. */
  updatedAt?: string
  version?: string
  path?: string
}

/** What one look gives. */
export interface ScannerResult {
  /** Also those that something ignores. */
  findings: readonly Finding[]
  data?: readonly DataAge[]
  /** What was seen and not looked at, for people. */
  leftOut?: readonly string[]
  /** There is more than `findings` has: who decides by it must not take it for all. */
  isCut?: boolean
}

/** One kind of look: reads the subject, changes nothing. Throws InvalidArgument, NotFound, DataLoss, Cancelled. */
export type Scanner = (subject: ScanSubject, options: ScanOptions, deps: ScannerDeps) => Promise<ScannerResult>

/** What a look may have from its surroundings. */
export interface ScannerDeps {
  /** Where data are kept, in the store. */
  dataDirectory: string
  /** Of this store, those that run or do not. */
  containers(): Promise<readonly Container[]>
  /** Those of the store, and of others, for what is attached to an image. */
  images(): Promise<Images>
  registries(): Promise<Registries>
}

/** All that is told of a subject. */
export interface ScanReport {
  /** RFC 3339. */
  createdAt: string
  subject: Pick<ScanSubject, "kind" | "name" | "image"> & { layers: readonly Omit<SubjectLayer, "open">[] }
  scanners: readonly ScannerName[]
  found: FoundPackages
  /** Worst first; without those that something ignores. */
  vulnerabilities: readonly Vulnerability[]
  misconfigurations: readonly Misconfiguration[]
  secrets: readonly Secret[]
  malware: readonly Malware[]
  /** Where licences were asked for. */
  licenses?: readonly License[]
  endOfLife?: EndOfLife
  ignored: readonly Vulnerability[]
  data: readonly DataAge[]
  leftOut: readonly string[]
  /** More was found than is told, by one of the looks. */
  isCut?: boolean
}

/** What is known of who made an image. */
export interface Publisher {
  /** As people call the image's repository; undefined: it came from no registry. */
  repository?: string
  /** What the host's policy asks of it before it comes in. */
  trust: "signed" | "accepted" | "rejected" | "unknown"
  /** In words. */
  evidence: string
}

/** By which names an image is known here: with its tags, and with the digests that registries gave. */
export interface PublishedImage {
  tags: readonly string[]
  digests: readonly string[]
}

/** A report, and what else a standard's rules are held against. */
export interface ComplianceInput {
  report: ScanReport
  publisher?: Publisher | undefined
}

/** Of one rule. */
export interface Verdict {
  status: "pass" | "fail" | "not-checkable"
  /** What was found, or why nobody can tell from here. */
  evidence: readonly string[]
}

/** All rules of a profile on one subject. */
export interface ComplianceReport {
  profile: ProfileName
  /** The document, with its version. */
  standard: string
  subject: string
  /** RFC 3339. */
  createdAt: string
  /** That this is a help, and no certificate. */
  note: string
  rules: readonly ({ id: string; title: string } & Verdict)[]
}

/** A vulnerability database that is there. */
export interface DatabaseInfo extends DataAge {
  path: string
  sizeBytes: number
  /** Whole days since its makers made it. */
  ageDays?: number
  /** `debian 12`, `npm::GitHub Security Advisory Npm`. */
  sources: readonly string[]
}

/** Of what a database is made. */
export interface BuildDataOptions {
  /** Has the feeds' files, `debian/tracker.json`; undefined: they are fetched. */
  from?: string
  /** By id; default: all. */
  feeds?: readonly string[]
  signal?: AbortSignal
  /** Of each file that was fetched, or was not. */
  onFetch?: (file: { feed: string; name: string; problem?: string; isUnchanged?: boolean; changed?: number }) => void
}

/** A database that was just made. */
export interface DataBuilt extends DatabaseInfo {
  advisories: number
  /** Files of feeds that were not there. */
  missing: readonly string[]
}

/** The vulnerability database of a store. A new one takes the place of the old one when it is whole. */
export interface ScanData {
  /** Where it is kept. */
  readonly directory: string
  /** Of another directory's where one is named. Throws NotFound, Unsupported, DataLoss. */
  info(directory?: string): Promise<DatabaseInfo>
  /** Throws NotFound, InvalidArgument for a feed, DataLoss for a file that is not of its form, Cancelled. */
  build(options: BuildDataOptions): Promise<DataBuilt>
  /** A database's file, a directory that has one, a packed one of Trivy's, or a directory of feeds' files. Throws NotFound, InvalidArgument, DataLoss. */
  import(path: string): Promise<DatabaseInfo>
}

/** What one report has that another has not. */
export interface ReportDifference {
  /** The later report, with what is new alone. */
  added: ScanReport
  /** How many findings are gone, and how many are in both. */
  gone: number
  same: number
}

/** What was done by a look at running containers. */
export interface Rescan {
  /** Containers. */
  looked: number
  /** Findings that were not there before. */
  added: number
}

/** What opens subjects and looks at them. */
export interface Scans {
  /** Of vulnerabilities. */
  data(): Promise<ScanData>
  /** Throws NotFound, InvalidArgument, Unavailable. The caller disposes of it. */
  open(target: ScanTarget, options: ScanOptions): Promise<ScanSubject & AsyncDisposable>
  /** Throws as the scanners do. */
  scan(subject: ScanSubject, options: ScanOptions): Promise<ScanReport>
  /** Begins to watch running containers, or ends it: see `rescan`. Safe to repeat. */
  setWatched(isWatched: boolean): Promise<void>
  /** Looks at running containers again, where they are watched and the data are others; what is new becomes events. */
  rescan(signal?: AbortSignal): Promise<Rescan>
  /** The looks that there are. */
  readonly scanners: readonly ScannerName[]
  /** Who published an image, as far as this host knows: whether its trust policy lets in signed images of that repository alone. */
  publisher(image: PublishedImage): Promise<Publisher>
  /** The rules of its kind on one file; `name` tells the kind. Throws InvalidArgument for one that there are no rules for. */
  checkFile(name: string, text: string): Promise<CheckedFile>
  /** Holds a report against a profile's rules. */
  comply(profile: ProfileName, input: ComplianceInput): Promise<ComplianceReport>
  /** What a later report has that an earlier one has not. */
  compare(before: ScanReport, after: ScanReport): Promise<ReportDifference>
  /** The report as a document, with a line end. */
  render(report: ScanReport, format: ReportFormat, options?: ReportOptions): Promise<string>
}
