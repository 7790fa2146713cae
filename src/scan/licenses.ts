import { isOfSystem, type FoundPackages } from "../sbom/sbom.ts"
import type { License, LicenseCategory, Severity } from "./scan.ts"

/** Severities as Trivy gives them. */
const SEVERITY_OF: Readonly<Record<LicenseCategory, Severity>> = {
  forbidden: "critical",
  restricted: "high",
  reciprocal: "medium",
  notice: "low",
  unencumbered: "low",
  unknown: "unknown",
}

/** Google's classes of licences (opensource.google/documentation/reference/thirdparty/licenses), by what their SPDX identifiers begin with. */
const PATTERNS: readonly (readonly [category: LicenseCategory, pattern: RegExp])[] = [
  ["unencumbered", /^(?:CC0-1\.0|Unlicense|0BSD|public[ -]domain)$/i],
  ["forbidden", /^(?:AGPL|CC-BY-NC|Commons-Clause|Facebook-|WTFPL)/i],
  ["restricted", /^(?:BCL|CC-BY-(?:ND|SA)|L?GPL|NPL-|OSL-|QPL-|Sleepycat)/i],
  ["reciprocal", /^(?:APSL-|CDDL|CPL-|EPL-|FreeImage|IPL-|MPL-|Ruby$)/i],
  [
    "notice",
    /^(?:AFL-|Apache|Artistic|Beerware|BlueOak|BSD|BSL-|Boost|CC-BY-\d|curl|FTL|HPND|ICU|ISC|ImageMagick|Libpng|Lil-|Linux-OpenIB|LPL-|MIT|MS-PL|NCSA|OpenSSL|OFL-|PHP-|PIL|PSF|Python|PostgreSQL|SGI-B|SSH-|Unicode|UPL-|Vim|W3C|X11|Xnet|Zend|zlib|ZPL-)/i,
  ],
]

/** Longer lists are no licence's. */
const MAX_PARTS = 50

/** What packages say of their licences: each name of an expression once a package, without those that are `ignored`. */
export function licensesOf({ packages }: FoundPackages, ignored: readonly string[]): License[] {
  const without = new Set(ignored)
  const licenses: License[] = []
  for (const each of packages)
    for (const name of new Set(partsOf(each.license ?? ""))) {
      if (without.has(name)) continue
      const category = categoryOf(name)
      const severity = SEVERITY_OF[category]
      const path = isOfSystem(each) ? {} : { path: each.foundIn }
      licenses.push({ class: "license", name, category, severity, package: each.name, ...path })
    }
  return licenses
}

function partsOf(text: string): string[] {
  return text
    .split(/\s+(?:and|or)\s+|[()]|\s*,\s*/i, MAX_PARTS)
    .map((part) => part.trim())
    .filter((part) => part !== "")
}

function categoryOf(name: string): LicenseCategory {
  return PATTERNS.find(([, pattern]) => pattern.test(name))?.[0] ?? "unknown"
}
