import { isOfSystem, type Package } from "./package.ts"

/** A version in its parts, as Trivy's reports and documents have them. */
export interface VersionParts {
  Version: string
  Release?: string
  Epoch?: number
}

/** Of deb and rpm; others have a version alone. */
export function versionParts({ type, version, epoch }: Package): VersionParts {
  if (type !== "deb" && type !== "rpm") return { Version: version }
  return splitVersion(epoch === undefined ? version : `${epoch}:${version}`)
}

/** The source package of a system's package: its own name where it says no other; {} where nobody knows. */
export function sourceParts(each: Package): Partial<VersionParts> & { Name?: string } {
  const { type, name, version } = each
  if (!isOfSystem(each)) return {}
  if (type === "rpm") {
    // `glibc-2.28-1.el8.src.rpm`
    const [, sourceName, sourceVersion = "", release = ""] =
      /^(.+)-([^-]+)-([^-]+)\.(?:no)?src\.rpm$/.exec(each.source ?? "") ?? []
    if (sourceName === undefined) return {}
    const epoch = Number(each.epoch ?? 0)
    return { Name: sourceName, Version: sourceVersion, Release: release, ...(epoch === 0 ? {} : { Epoch: epoch }) }
  }
  const source = each.sourceVersion ?? version
  return { Name: each.source ?? name, ...(type === "deb" ? splitVersion(source) : { Version: source }) }
}

/** As Trivy names a package: of rpm with the architecture, and without the epoch. */
export function packageId({ type, name, version, architecture }: Package): string {
  return `${name}@${version}${type === "rpm" && architecture ? `.${architecture}` : ""}`
}

/** `epoch:version-release` (deb-version(7)); the release is after the last dash. */
function splitVersion(text: string): VersionParts {
  const [, epoch, rest = text] = /^(\d+):(.*)$/.exec(text) ?? []
  const dash = rest.lastIndexOf("-")
  return {
    Version: dash < 0 ? rest : rest.slice(0, dash),
    ...(dash < 0 ? {} : { Release: rest.slice(dash + 1) }),
    ...(epoch === undefined || epoch === "0" ? {} : { Epoch: Number(epoch) }),
  }
}
