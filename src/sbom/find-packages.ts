import type { Distribution, FoundPackages, Package } from "./package.ts"
import { ImageTree, shownPath, type TreeEntry } from "./image-tree.ts"
import { parseApkInstalled } from "./apk.ts"
import { parseDpkgStatus } from "./dpkg.ts"
import { parseNpmPackage } from "./npm.ts"
import { parseRpmDatabase } from "./rpm.ts"
import { parsePythonMetadata } from "./python.ts"
import { MAX_PACKAGES } from "./stanza.ts"

/** Debian's whole archive makes 60 MB of it. */
const MAX_DATABASE_BYTES = 64 * 1024 ** 2
const MAX_DOCUMENT_BYTES = 2 * 1024 ** 2

const APK_DATABASES = ["lib/apk/db/installed", "usr/lib/apk/db/installed"]
const RPM_DIRECTORIES = ["var/lib/rpm", "usr/lib/sysimage/rpm"]
/** Before 4.16 it was Berkeley's, and SUSE's is its own. */
const OLD_RPM_DATABASES = new Set(["Packages", "Packages.db"])

/** The packages of the image whose root is mounted at `path`. What their managers wrote down is believed, and nothing run. */
export function findPackages(path: string): FoundPackages {
  using tree = new ImageTree(path)
  const leftOut: string[] = []
  const found = [...ofDistribution(tree, leftOut), ...ofLanguages(tree)]
  if (found.length > MAX_PACKAGES) leftOut.push(`all but the first ${MAX_PACKAGES} packages`)
  for (const file of tree.tooLarge) leftOut.push(`${file}, which is too large`)
  if (tree.isCut) leftOut.push("directories that are too deep or too many")
  return { distribution: readDistribution(tree), packages: sorted(found.slice(0, MAX_PACKAGES)), leftOut }
}

function ofDistribution(tree: ImageTree, leftOut: string[]): Package[] {
  // distroless has a file for each package, and their checksums beside
  const directory = tree.names("var/lib/dpkg/status.d").filter((name) => !name.endsWith(".md5sums"))
  const dpkg = ["var/lib/dpkg/status", ...directory.toSorted().map((name) => `var/lib/dpkg/status.d/${name}`)]
  const packages = dpkg.flatMap((file) => parsed(file, parseDpkgStatus))
  for (const file of APK_DATABASES) packages.push(...parsed(file, parseApkInstalled))
  packages.push(...ofRpm(tree, leftOut))
  return packages

  function parsed(file: string, parse: (text: string, foundIn: string) => Package[]): Package[] {
    const bytes = tree.read(file, MAX_DATABASE_BYTES)
    return bytes === undefined ? [] : parse(bytes.toString("utf8"), `/${file}`)
  }
}

function ofRpm(tree: ImageTree, leftOut: string[]): Package[] {
  // one of the directories may be a link to the other
  for (const directory of RPM_DIRECTORIES) {
    const file = `${directory}/rpmdb.sqlite`
    const bytes = tree.read(file, MAX_DATABASE_BYTES)
    if (bytes !== undefined) return parseRpmDatabase(bytes, `/${file}`)
    if (tree.names(directory).some((name) => OLD_RPM_DATABASES.has(name) || name === "rpmdb.sqlite"))
      leftOut.push(`the rpm database in /${directory}`)
  }
  return []
}

function ofLanguages(tree: ImageTree): Package[] {
  const packages: Package[] = []
  for (const entry of tree.walk()) {
    const parse = parserOf(entry)
    const bytes = parse && entry.read(MAX_DOCUMENT_BYTES)
    const found = bytes && parse?.(bytes.toString("utf8"), shownPath(entry.path))
    if (found) packages.push(found)
    if (packages.length > MAX_PACKAGES) break
  }
  return packages
}

type Parser = (text: string, foundIn: string) => Package | undefined

function parserOf({ path, name, isDirectory }: TreeEntry): Parser | undefined {
  if (isDirectory) return undefined
  if (name === "METADATA") return path.endsWith(".dist-info/METADATA") ? parsePythonMetadata : undefined
  if (name === "PKG-INFO") return path.endsWith(".egg-info/PKG-INFO") ? parsePythonMetadata : undefined
  if (name.endsWith(".egg-info")) return parsePythonMetadata
  if (name === "package.json" && NPM_PACKAGE.test(path)) return parseNpmPackage
  return undefined
}

/** Installed, not one's own project, a test's fixture, or a part of a package. */
const NPM_PACKAGE = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^@./][^/]*\/package\.json$/

function readDistribution(tree: ImageTree): Distribution | undefined {
  const bytes = tree.read("etc/os-release", MAX_DOCUMENT_BYTES) ?? tree.read("usr/lib/os-release", MAX_DOCUMENT_BYTES)
  const fields = new Map<string, string>()
  for (const line of bytes?.toString("utf8").split("\n") ?? []) {
    const [, key, value] = /^([A-Z_]+)=(?:"([^"\n]*)"|'[^'\n]*'|[^"'\n]*)$/.exec(line) ?? []
    if (key !== undefined) fields.set(key, (value ?? line.slice(key.length + 1)).replaceAll(/^'|'$/g, "").slice(0, 200))
  }
  const [id, versionId, name] = ["ID", "VERSION_ID", "PRETTY_NAME"].map((key) => fields.get(key) || undefined)
  if (id === undefined) return undefined
  return { id, ...(versionId === undefined ? {} : { versionId }), ...(name === undefined ? {} : { name }) }
}

/** Each once, in an order that does not depend on the file system. */
function sorted(packages: readonly Package[]): Package[] {
  const byKey = new Map(
    packages.map((each) => [[each.type, each.name, each.version, each.architecture, each.foundIn].join("\0"), each]),
  )
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}
