/** Packages found in an image, as both forms of SBOM tell them. */

/** A package, whatever manager installed it. */
export interface Package {
  /** As a package URL names it (purl-spec, types). */
  type: "deb" | "apk" | "rpm" | "pypi" | "npm"
  name: string
  version: string
  architecture?: string
  /** Of rpm: what makes an older version number the newer one. */
  epoch?: string
  /** As its maker writes it: often no SPDX expression. */
  license?: string
  supplier?: string
  homepage?: string
  /** The source package, where that has another name. */
  source?: string
  /** The file that tells of it, absolute in the image. */
  foundIn: string
}

/** os-release(5): what the image says it is. */
export interface Distribution {
  id: string
  versionId?: string
  name?: string
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
  { type, name, version, architecture, epoch }: Package,
  distribution: Distribution | undefined,
): string {
  const isOfDistribution = type === "deb" || type === "apk" || type === "rpm"
  const { id = DEFAULT_VENDORS[type] ?? "unknown", versionId } = distribution ?? {}
  const path = isOfDistribution ? [id, name] : nameParts(type, name)
  const qualifiers = isOfDistribution
    ? [
        ...(architecture === undefined ? [] : [`arch=${encodeURIComponent(architecture)}`]),
        ...(epoch === undefined ? [] : [`epoch=${encodeURIComponent(epoch)}`]),
        ...(versionId === undefined ? [] : [`distro=${encodeURIComponent(`${id}-${versionId}`)}`]),
      ]
    : []
  const query = qualifiers.length === 0 ? "" : `?${qualifiers.join("&")}`
  return `pkg:${type}/${path.map(encodeURIComponent).join("/")}@${encodeURIComponent(version)}${query}`
}

const DEFAULT_VENDORS: Partial<Record<Package["type"], string>> = { deb: "debian", apk: "alpine" }

function nameParts(type: Package["type"], name: string): string[] {
  // PEP 503: one name has many spellings
  if (type === "pypi") return [name.toLowerCase().replaceAll(/[-_.]+/g, "-")]
  return name.split("/")
}
