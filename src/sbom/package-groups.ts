import { isOfSystem, type Distribution, type FoundPackages, type Package, type PackageKind } from "./package.ts"

/** Packages that reports list together, as Trivy's do. */
export interface PackageGroup {
  /** `debian:12 (debian 12.5)`, `Node.js`, the path of a lock file. */
  target: string
  class: "os-pkgs" | "lang-pkgs"
  /** A family of distributions, or a kind of list. */
  type: string
  packages: Package[]
}

/** All installed ones of a language are one list, whatever files tell of them. */
const TOGETHER: Partial<Record<PackageKind, string>> = {
  "node-pkg": "Node.js",
  "python-pkg": "Python",
  jar: "Java",
  gemspec: "Ruby",
  "conda-pkg": "Conda",
}

/** The system's first, then by target. */
export function groupPackages({ distribution, packages }: FoundPackages, name: string): PackageGroup[] {
  const os = systemName(distribution)
  const groups = new Map<string, PackageGroup>()
  if (os !== undefined)
    groups.set("", {
      target: `${name} (${[os.family, os.version].filter(Boolean).join(" ")})`,
      class: "os-pkgs",
      type: os.family,
      packages: [],
    })
  for (const each of packages) {
    const isSystem = isOfSystem(each)
    const target = isSystem ? "" : (TOGETHER[each.kind] ?? each.foundIn.replace(/^\/+/, ""))
    const key = isSystem ? "" : `${each.kind}\0${target}`
    let group = groups.get(key)
    if (group === undefined) {
      group = isSystem
        ? { target: name, class: "os-pkgs", type: each.kind, packages: [] }
        : { target: target === "" ? name : target, class: "lang-pkgs", type: each.kind, packages: [] }
      groups.set(key, group)
    }
    group.packages.push(each)
  }
  const [system] = [groups.get("")]
  const others = [...groups]
    .filter(([key]) => key !== "")
    .map(([, group]) => group)
    .toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : a.type < b.type ? -1 : 1))
  return [...(system === undefined ? [] : [system]), ...others]
}

/** Trivy's names of families, where os-release's `ID` is another. */
const FAMILIES: Readonly<Record<string, string>> = {
  rhel: "redhat",
  almalinux: "alma",
  ol: "oracle",
  amzn: "amazon",
  "opensuse-leap": "opensuse-leap",
  "opensuse-tumbleweed": "opensuse-tumbleweed",
  mariner: "cbl-mariner",
}

/** The distribution as Trivy's reports name it; undefined where there is none. */
export function systemName(distribution: Distribution | undefined): { family: string; version: string } | undefined {
  if (distribution === undefined) return undefined
  const { id, versionId, pointVersion } = distribution
  return { family: FAMILIES[id] ?? id, version: pointVersion ?? versionId ?? "" }
}
