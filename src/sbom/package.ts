import type { Digest } from "../spec/digest.ts"

/** Packages found in an image, as both forms of SBOM tell them. */

/** As a package URL names them (purl-spec, types). */
export type PackageType =
  | "deb"
  | "apk"
  | "rpm"
  | "alpm"
  | "pypi"
  | "npm"
  | "golang"
  | "cargo"
  | "maven"
  | "gem"
  | "nuget"
  | "composer"
  | "hex"
  | "pub"
  | "swift"
  | "cocoapods"
  | "conan"
  | "conda"
  | "bitnami"
  | "julia"
  | "generic"

/** What told of a package, by the names that Trivy's reports have (`Results[].Type`). */
export type PackageKind =
  | "dpkg"
  | "apk"
  | "rpm"
  | "alpm"
  | "python-pkg"
  | "pip"
  | "pipenv"
  | "poetry"
  | "uv"
  | "pdm"
  | "pylock"
  | "conda-pkg"
  | "node-pkg"
  | "npm"
  | "yarn"
  | "pnpm"
  | "bun"
  | "gobinary"
  | "gomod"
  | "rustbinary"
  | "cargo"
  | "jar"
  | "pom"
  | "gradle"
  | "sbt"
  | "gemspec"
  | "bundler"
  | "dotnet-core"
  | "nuget"
  | "packages-props"
  | "composer"
  | "composer-vendor"
  | "hex"
  | "pub"
  | "swift"
  | "cocoapods"
  | "conan"
  | "bitnami"
  | "julia"
  | "sbom"

/** A package, whatever manager installed it. */
export interface Package {
  type: PackageType
  kind: PackageKind
  /** Of maven `group:artifact`, of npm and composer `scope/name`. */
  name: string
  /** Whole, without the epoch of rpm: `5.2-1.fc39`. */
  version: string
  architecture?: string
  /** Of rpm: what makes an older version number the newer one. */
  epoch?: string
  /** As its maker writes it: often no SPDX expression. */
  license?: string
  supplier?: string
  homepage?: string
  /** The source package, where that has another name: of rpm the file's, `glibc-2.28-1.el8.src.rpm`. */
  source?: string
  /** The source package's version, where that is another. */
  sourceVersion?: string
  /** Of rpm: the module's label, `nodejs:18:8080020230:abcd`. */
  module?: string
  /** The file that tells of it, absolute in the image. */
  foundIn: string
  /** Only who develops needs it, as a lock file says. */
  isDevelopment?: boolean
  /** Nobody asked for it but other packages, as a lock file says. */
  isIndirect?: boolean
  /** The operating system's package that brought it, by name: it is that one's to be matched. */
  ownedBy?: string
  /** Packages of the same list that it needs and that are there, by name, in order. */
  dependsOn?: readonly string[]
  /** The diff id of the layer that brought it, where that is known. */
  layer?: Digest
  /** As the document has it that listed it, where one did. */
  purl?: string
}

/** Whether the operating system's own manager installed it. */
export function isOfSystem({ type }: { type: string }): boolean {
  return type === "deb" || type === "apk" || type === "rpm" || type === "alpm"
}

/** os-release(5): what the image says it is. */
export interface Distribution {
  id: string
  versionId?: string
  name?: string
  /** Of Debian: the version with its point, `12.5`, of a file of its own. */
  pointVersion?: string
}

/** All that was found in one tree. */
export interface FoundPackages {
  distribution: Distribution | undefined
  /** By type, name and version. */
  packages: readonly Package[]
  /** What was seen and not read, for people. */
  leftOut: readonly string[]
}

/** purl-spec: `pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12`. */
export function purlOf(
  { type, name, version, architecture, epoch, purl }: Omit<Package, "kind" | "foundIn">,
  distribution: Distribution | undefined,
): string {
  if (purl !== undefined) return purl
  const isOfDistribution = isOfSystem({ type })
  const { id = DEFAULT_VENDORS[type] ?? "unknown", versionId } = distribution ?? {}
  const path = isOfDistribution ? [VENDORS[id] ?? id, name] : nameParts(type, name)
  const qualifiers = isOfDistribution
    ? [
        ...(architecture === undefined ? [] : [`arch=${encoded(architecture)}`]),
        ...(epoch === undefined ? [] : [`epoch=${encoded(epoch)}`]),
        ...(versionId === undefined ? [] : [`distro=${encoded(`${id}-${versionId}`)}`]),
      ]
    : []
  const query = qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`
  return `pkg:${type}/${path.map(encoded).join("/")}@${encoded(version)}${query}`
}

/** Where the vendor has another name than os-release's `ID`: Red Hat's own VEX documents say this one. */
const VENDORS: Readonly<Record<string, string>> = { rhel: "redhat" }
const DEFAULT_VENDORS: Partial<Record<Package["type"], string>> = { deb: "debian", apk: "alpine" }

function nameParts(type: PackageType, name: string): string[] {
  if (type === "maven") return name.split(":")
  if (type === "golang" || type === "composer") return name.toLowerCase().split("/")
  // PEP 503: one name has many spellings
  if (type === "pypi") return [name.toLowerCase().replaceAll(/[-_.]+/g, "-")]
  return name.split("/")
}

/** Names of strangers' may have halves of letters, which no URL has. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
