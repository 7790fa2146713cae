import { InvalidArgument } from "../../base/errors.ts"
import {
  PROFILES,
  REPORT_FORMATS,
  SCANNERS,
  SEVERITIES,
  VULNERABILITY_STATUSES,
  type ScanOptions,
  type ScannerName,
  type Severity,
} from "../../scan/scan.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"
import { flag, type FlagValues } from "../flag.ts"
import { REGISTRY_FLAGS, registryAccess } from "../registry-flags.ts"
import { IDLE_FLAGS, REFUSED_FLAGS } from "./trivy-flags.ts"

const FORMATS = ["table", ...REPORT_FORMATS, "template"] as const

/** Trivy's, as they are typed in pipelines, and our own. */
export const SCAN_FLAGS = {
  dir: flag.string("Scan the files below a directory of this host", "DIR"),
  input: flag.string("Scan the image of an archive or a layout", "FILE"),
  platform: flag.string("Of several, the image for this platform", "OS/ARCH"),
  format: flag.choice(FORMATS, `Form of the report (${FORMATS.join(", ")})`, { short: "f", initial: "table" }),
  output: flag.string("Write the report to this file", "FILE", { short: "o" }),
  template: flag.string("Go template of the report, or @FILE", "TEMPLATE", { short: "t" }),
  scanners: flag.string(`What to look for, separated by commas (${SCANNERS.join(", ")})`, "LIST", {
    aliases: ["security-checks"],
  }),
  profile: flag.choice(PROFILES, `Hold it against a standard's rules (${PROFILES.join(", ")})`),
  compliance: flag.choice(["docker-cis-1.6.0"] as const, "Trivy's word for --profile cis", { hidden: true }),
  severity: flag.string(`Tell of these alone, separated by commas (${SEVERITIES.toReversed().join(", ")})`, "LIST", {
    short: "s",
  }),
  pkgTypes: flag.string("Packages that count: os, library (default both)", "LIST", { aliases: ["vuln-type"] }),
  listAllPkgs: flag.bool("List every package, also those that nothing is known of"),
  includeDevDeps: flag.bool("Packages that only development needs count as well"),
  ignoreUnfixed: flag.bool("Leave out what nothing fixes yet"),
  ignoreStatus: flag.string("Leave out vulnerabilities of these statuses, separated by commas", "LIST"),
  ignorefile: flag.string("File of findings to be ignored (default .trivyignore)", "FILE"),
  secretConfig: flag.string("File of more secret rules (default trivy-secret.yaml)", "FILE"),
  showLayers: flag.bool("Tell which layer brought a package, by its number and what made it"),
  showSuppressed: flag.bool("Tell of what is ignored, too"),
  vex: flag.strings(
    "Statements on what does not concern you: OpenVEX, CSAF, CycloneDX; oci: those attached to the image, repo: of Trivy's repositories",
    "FILE",
  ),
  skipDirs: flag.strings("Directories not to be looked at", "GLOB"),
  skipFiles: flag.strings("Files not to be looked at", "GLOB"),
  diff: flag.string("Tell only of what this other image, container or path has not", "OLD"),
  watch: {
    ...flag.bool("Scan running containers again when there are other data, tell what is new; =false ends it"),
    initial: undefined as boolean | undefined,
    read: (text: string) => readBoolean(text),
  },
  exitCode: flag.int("Exit with this code when something was found"),
  exitOnEol: flag.int("Exit with this code when the distribution gets no more fixes"),
  failOn: flag.choice(SEVERITIES, "Exit with 1 when something of this severity or a worse one was found"),
  db: flag.string("Directory with the data: skiff's, or Trivy's", "DIR"),
  offlineScan: flag.bool("Use no network", { aliases: ["offline"] }),
  skipDbUpdate: flag.bool("Use the data that are here, however old", { aliases: ["skip-update"] }),
  ...REGISTRY_FLAGS,
  quiet: flag.bool("No warnings on standard error", { short: "q" }),
  timeout: flag.duration("Give up after so long"),
  cacheDir: flag.string("Trivy's directory, whose data are read", "DIR", { hidden: true }),
  imageSrc: flag.string("Where an image comes from: any of docker, containerd, podman (this store), remote", "LIST", {
    hidden: true,
  }),
  downloadDbOnly: flag.bool("Trivy's word for 'skiff scan db update'", { hidden: true }),
  dbRepository: flag.strings("What --download-db-only gets", "NAME", { hidden: true }),
  username: flag.string("For the registry of an image that is not here", "NAME", { hidden: true }),
  password: flag.string("For the registry of an image that is not here", "TEXT", { hidden: true }),
  insecure: flag.bool("Do not verify the registry of an image that is not here", { hidden: true }),
  ignoredLicenses: flag.strings("Licences that are not told of, with --scanners license", "LIST", { hidden: true }),
  config: flag.string("File of flags in Trivy's form (default trivy.yaml)", "FILE", { short: "c", hidden: true }),
  ...IDLE_FLAGS,
  ...REFUSED_FLAGS,
  debug: flag.bool("Say what is done", { short: "d", hidden: true }),
} as const

/** The values of `SCAN_FLAGS`. */
export type ScanFlags = FlagValues<typeof SCAN_FLAGS>

/** What flags say of how something is scanned. Throws InvalidArgument. */
export function scanOptions(flags: ScanFlags, scanners: readonly ScannerName[], signal?: AbortSignal): ScanOptions {
  const severities = words(flags.severity, "--severity", SEVERITIES)
  const kinds = words(flags.pkgTypes, "--pkg-types", ["os", "library"] as const)
  const database = flags.db ?? (flags.cacheDir === undefined ? undefined : `${flags.cacheDir}/db`)
  return {
    scanners: words(normalNames(flags.scanners), "--scanners", SCANNERS) ?? scanners,
    ...(severities === undefined ? {} : { severities }),
    packageKinds: kinds ?? ["os", "library"],
    withDevelopment: flags.includeDevDeps,
    withPackageLayers: flags.listAllPkgs || flags.showLayers,
    skipDirectories: flags.skipDirs.flatMap((each) => each.split(",")),
    skipFiles: flags.skipFiles.flatMap((each) => each.split(",")),
    ignoreUnfixed: flags.ignoreUnfixed,
    ignoreStatuses: words(flags.ignoreStatus, "--ignore-status", VULNERABILITY_STATUSES) ?? [],
    ...(flags.ignorefile === undefined ? {} : { ignoreFile: flags.ignorefile }),
    ...(flags.secretConfig === undefined ? {} : { secretConfig: flags.secretConfig }),
    vex: flags.vex.flatMap((each) => each.split(",")),
    vexRepositories: `${flags.cacheDir ?? trivyCache()}/vex/repositories`,
    ...(database === undefined ? {} : { database }),
    ignoredLicenses: flags.ignoredLicenses.flatMap((each) => each.split(",")),
    ...sourceOf(flags),
    isOffline: flags.offlineScan || flags.skipDbUpdate,
    signal,
  }
}

/** Where Trivy keeps what it has fetched. */
function trivyCache(): string {
  const { XDG_CACHE_HOME: cache, HOME: home = "" } = process.env
  return `${cache ?? `${home}/.cache`}/trivy`
}

/** Which of docker, containerd and podman makes no difference: all mean what is here. */
function sourceOf(flags: ScanFlags): Pick<ScanOptions, "imageSource" | "registry"> {
  const sources = words(flags.imageSrc, "--image-src", ["docker", "containerd", "podman", "remote"] as const)
  const isRemote = sources?.includes("remote") === true
  const access = registryAccess(flags)
  const credentials =
    flags.username === undefined ? access.credentials : { username: flags.username, password: flags.password ?? "" }
  const registry = {
    ...access,
    ...(credentials === undefined ? {} : { credentials }),
    ...(flags.insecure ? { tlsVerify: false } : {}),
  }
  if (sources === undefined) return { registry }
  if (!isRemote) return { imageSource: "store" }
  return sources.length === 1 ? { registry, imageSource: "registry" } : { registry }
}

/** Trivy's older words. */
function normalNames(text: string | undefined): string | undefined {
  return text?.replaceAll(/\bconfig\b/g, "misconfig").replaceAll(/\bvulnerabilities\b/g, "vuln")
}

function words<const W extends string>(text: string | undefined, name: string, known: readonly W[]): W[] | undefined {
  if (text === undefined || text === "") return undefined
  return text.split(",").map((part) => {
    const word = part.trim().toLowerCase()
    const found = known.find((each) => each === word)
    if (found === undefined)
      throw new InvalidArgument(`invalid value "${part}" of ${name}: expected some of ${known.join(", ")}`)
    return found
  })
}

/** Whether one is as bad as `least`. */
export function isAsBad({ severity }: { severity: Severity }, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least)
}
