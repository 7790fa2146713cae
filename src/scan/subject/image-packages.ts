import { findPackagesIn, isOfSystem, type FileTree, type FoundPackages, type Package } from "../../sbom/sbom.ts"
import type { Digest } from "../../spec/digest.ts"
import type { ScanOptions, SubjectLayer } from "../scan.ts"

/** Says which layers have a file. */
export interface FileLayers {
  /** The one whose file is seen at `path` (absolute); undefined where nobody knows. */
  of(path: string): SubjectLayer | undefined
  /** All that have one there, from the lowest, with their own files; without `layer`: the container's. */
  having(path: string): { layer: SubjectLayer | undefined; open: () => FileTree }[]
}

const NOTHING: FoundPackages = { distribution: undefined, packages: [], leftOut: [] }
/** A database of packages is read again of each layer that has one: of more layers than these nobody knows who brought what. */
const MAX_DATABASES = 50
/** The directory may be a link, as Fedora's is: a layer has what it leads to. */
const OTHER_PATHS: Readonly<Record<string, string>> = {
  "/lib/apk/db/installed": "/usr/lib/apk/db/installed",
  "/var/lib/rpm/rpmdb.sqlite": "/usr/lib/sysimage/rpm/rpmdb.sqlite",
  "/var/lib/rpm/Packages.db": "/usr/lib/sysimage/rpm/Packages.db",
}

/** The packages of an image or a container whose files `open` opens, with the layers that brought them. */
export function imagePackages(
  open: (() => FileTree) | undefined,
  finder: FileLayers,
  options: ScanOptions,
): FoundPackages {
  if (open === undefined) return NOTHING
  using tree = open()
  const found = findPackagesIn(tree, options)
  const ofSystem = systemLayers(found.packages, finder)
  const packages = found.packages.map((each) => {
    const layer =
      ofSystem.get(keyOf(each)) ?? (options.withPackageLayers === true ? finder.of(each.foundIn)?.diffId : undefined)
    return layer === undefined ? each : { ...each, layer }
  })
  return { ...found, packages }
}

/**
 * The database of a system's packages is one file, and a layer that installs one has all of it: a package came with the lowest of those layers
 * whose databases have it as it is, up to the top.
 */
function systemLayers(packages: readonly Package[], finder: FileLayers): ReadonlyMap<string, Digest> {
  const databases = new Map<string, number>()
  for (const each of packages) if (isOfSystem(each)) databases.set(each.foundIn, (databases.get(each.foundIn) ?? 0) + 1)
  const known = new Map<string, Digest>()
  for (const [database, listed] of databases) {
    // distroless has a file for each package: the layer of the file is the package's
    if (listed < 2) continue
    const named = finder.having(database)
    const at = named.length === 0 ? (OTHER_PATHS[database] ?? database) : database
    const having = at === database ? named : finder.having(at)
    const [only] = having
    if (having.length === 1 && at !== database && only?.layer !== undefined)
      for (const each of packages) if (each.foundIn === database) known.set(keyOf(each), only.layer.diffId)
    if (having.length < 2 || having.length > MAX_DATABASES) continue
    let before = new Map<string, Digest | undefined>()
    for (const { layer, open } of having) {
      using tree = open()
      const own = findPackagesIn(tree, { isSystemOnly: true }).packages.filter(({ foundIn }) => foundIn === at)
      const keys = own.map((each) => keyOf({ ...each, foundIn: database }))
      before = new Map(keys.map((key) => [key, before.get(key) ?? layer?.diffId]))
    }
    for (const [key, diffId] of before) if (diffId !== undefined) known.set(key, diffId)
  }
  return known
}

function keyOf({ type, name, version, epoch, architecture, foundIn }: Package): string {
  return [type, name, version, epoch, architecture, foundIn].join("\0")
}
