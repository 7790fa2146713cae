import type { Distribution, FoundPackages, Package } from "./package.ts"
import type { FileTree, TreeEntry } from "./file-tree.ts"
import { ImageTree, shownPath } from "./image-tree.ts"
import { alpmPackages } from "./alpm.ts"
import { parseApkInstalled } from "./apk.ts"
import { parseDpkgStatus } from "./dpkg.ts"
import { packagesOfBinary } from "./installed/binaries.ts"
import { isJar, packagesOfJar } from "./installed/jar.ts"
import { markOwned } from "./owned-files.ts"
import { parserOf, withoutTwice } from "./parser-of.ts"
import { findRpmDatabase } from "./rpm/database.ts"
import { rpmPackages } from "./rpm/packages.ts"
import { skipper } from "./skipper.ts"
import { MAX_PACKAGES } from "./stanza.ts"

/** Debian's whole archive makes 60 MB of it. */
const MAX_DATABASE_BYTES = 64 * 1024 ** 2
const MAX_DOCUMENT_BYTES = 32 * 1024 ** 2

const APK_DATABASES = ["lib/apk/db/installed", "usr/lib/apk/db/installed"]

/** What is looked for. */
export interface FindOptions {
  /** A folder somebody works in: its lock files are read, too, and what they lock is believed to be there. */
  isProject?: boolean
  /** Globs or paths, relative to the root; what lies there is not looked at. */
  skipDirectories?: readonly string[]
  skipFiles?: readonly string[]
  /** Only what the databases of the operating system's managers list. */
  isSystemOnly?: boolean
  /** Asked between files: its reason is thrown. */
  signal?: AbortSignal | undefined
}

/** The packages of the image whose root is mounted at `path`. What their managers wrote down is believed, and nothing run. */
export function findPackages(path: string, options: FindOptions = {}): FoundPackages {
  using tree = new ImageTree(path)
  return findPackagesIn(tree, options)
}

/** The same of files wherever they lie. */
export function findPackagesIn(tree: FileTree, options: FindOptions = {}): FoundPackages {
  const leftOut: string[] = []
  const distribution = readDistribution(tree)
  // the root of a system is none that somebody works in
  const locks = options.isProject === true && distribution === undefined
  const system = ofDistribution(tree, leftOut)
  const languages = options.isSystemOnly === true ? [] : ofLanguages({ tree, leftOut, options, locks })
  const found = [...system, ...markOwned(tree, system, languages)]
  // the parsers stop there, too: of more than so many nobody knows whether there were more
  if (found.length >= MAX_PACKAGES) leftOut.push(`all but the first ${MAX_PACKAGES} packages`)
  leftOut.push(...tree.leftOut)
  return { distribution, packages: sorted(found.slice(0, MAX_PACKAGES)), leftOut }
}

function ofDistribution(tree: FileTree, leftOut: string[]): Package[] {
  // distroless has a file for each package, and their checksums beside
  const directory = tree.names("var/lib/dpkg/status.d").filter((name) => !name.endsWith(".md5sums"))
  const dpkg = ["var/lib/dpkg/status", ...directory.toSorted().map((name) => `var/lib/dpkg/status.d/${name}`)]
  const packages: Package[] = []
  // any number of them may be links to the same large one: of bytes the tree keeps count
  for (const file of dpkg) {
    if (packages.length > MAX_PACKAGES) break
    for (const each of parsed(file, parseDpkgStatus)) packages.push(each)
  }
  for (const file of APK_DATABASES) for (const each of parsed(file, parseApkInstalled)) packages.push(each)
  for (const each of ofRpm(tree, leftOut)) packages.push(each)
  for (const each of alpmPackages(tree)) packages.push(each)
  return packages

  function parsed(file: string, parse: (text: string, foundIn: string) => Package[]): Package[] {
    const bytes = tree.read(file, MAX_DATABASE_BYTES)
    return bytes === undefined ? [] : parse(bytes.toString("utf8"), `/${file}`)
  }
}

function ofRpm(tree: FileTree, leftOut: string[]): Package[] {
  const database = findRpmDatabase(tree)
  const packages = database === undefined ? [] : rpmPackages(database)
  leftOut.push(...(database?.leftOut ?? []))
  return packages
}

interface LanguageSearch {
  tree: FileTree
  leftOut: string[]
  options: FindOptions
  locks: boolean
}

function ofLanguages({ tree, leftOut, options, locks }: LanguageSearch): Package[] {
  const packages: Package[] = []
  const isSkipped = skipper(options)
  const cut = new Set<string>()
  for (const entry of tree.walk(isSkipped)) {
    options.signal?.throwIfAborted()
    if (entry.isDirectory) continue
    const found = packagesOf(entry)
    for (const each of found) packages.push(each)
    if (packages.length > MAX_PACKAGES) break
  }
  for (const path of cut) leftOut.push(`parts of ${path}, which are too deep, too large or damaged`)
  return locks ? withoutTwice(packages) : packages

  function packagesOf(entry: TreeEntry): Package[] {
    const parse = parserOf(entry, locks)
    if (parse !== undefined) {
      const bytes = entry.read(MAX_DOCUMENT_BYTES)
      return bytes === undefined ? [] : parse(bytes, shownPath(entry.path))
    }
    if (isJar(entry.name)) {
      const path = shownPath(entry.path)
      return entry.at((file) => packagesOfJar(file, path, () => cut.size < MAX_TOLD && cut.add(path))) ?? []
    }
    if (!isMaybeProgram(entry)) return []
    return entry.at((file) => packagesOfBinary(file, shownPath(entry.path))) ?? []
  }
}

const MAX_TOLD = 10
/** A program of Go or Rust has more, a script or a file of data seldom the right to be run. */
const MIN_PROGRAM_BYTES = 16 * 1024

function isMaybeProgram(entry: TreeEntry): boolean {
  if (NO_PROGRAM.test(entry.name)) return false
  const stat = entry.stat()
  return stat?.type === "file" && (stat.mode & 0o111) !== 0 && stat.sizeBytes >= MIN_PROGRAM_BYTES
}

const NO_PROGRAM =
  /\.(?:py|pyc|pm|pl|rb|js|mjs|ts|json|txt|md|html|css|so|h|c|o|a|la|mo|gz|xz|zip|conf|list|md5sums|sh|xml|ya?ml|svg|png|ko|dll|pod|ttf|map)(?:\.\d+)*$/i

function readDistribution(tree: FileTree): Distribution | undefined {
  const bytes = tree.read("etc/os-release", MAX_DOCUMENT_BYTES) ?? tree.read("usr/lib/os-release", MAX_DOCUMENT_BYTES)
  const fields = new Map<string, string>()
  for (const line of bytes?.toString("utf8").split("\n") ?? []) {
    const [, key, value] = /^([A-Z_]+)=(?:"([^"\n]*)"|'[^'\n]*'|[^"'\n]*)$/.exec(line) ?? []
    if (key !== undefined) fields.set(key, (value ?? line.slice(key.length + 1)).replaceAll(/^'|'$/g, "").slice(0, 200))
  }
  const [id, versionId, name] = ["ID", "VERSION_ID", "PRETTY_NAME"].map((key) => fields.get(key) || undefined)
  if (id === undefined) return undefined
  const debian = id === "debian" ? tree.read("etc/debian_version", 64)?.toString("latin1").trim() : undefined
  const pointVersion = debian !== undefined && /^\d+\.\d+$/.test(debian) ? debian : undefined
  return {
    id,
    ...(pointVersion === undefined ? {} : { pointVersion }),
    ...(versionId === undefined ? {} : { versionId }),
    ...(name === undefined ? {} : { name }),
  }
}

/** Each once, in an order that does not depend on the file system. */
function sorted(packages: readonly Package[]): Package[] {
  const byKey = new Map(
    packages.map((each) => [[each.type, each.name, each.version, each.architecture, each.foundIn].join("\0"), each]),
  )
  return [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}
