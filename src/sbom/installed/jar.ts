import type { RandomFile } from "../file-tree.ts"
import type { Package } from "../package.ts"
import { Gathered } from "../reading.ts"
import { linesOf, MAX_PACKAGES } from "../stanza.ts"
import { unzip, zipEntries, type ZipEntry } from "./zip.ts"

const MAX_DEPTH = 5
/** Of a manifest: signed ones list every file. */
const MAX_TEXT = 1024 * 1024
const MAX_PROPERTIES = 64 * 1024
/** Of one archive in another, which is unpacked into memory. */
const MAX_INNER = 64 * 1024 ** 2
/** Of all that is in one. */
const MAX_UNPACKED = 512 * 1024 ** 2
/** What it costs at least to look at an entry, in bytes that are unpacked meanwhile. */
const MIN_COST = 4096
/** Deflate makes no more of a byte (zlib.net, "zlib technical details"). */
const MAX_RATIO = 1032
const MAX_JARS = 5_000

const ARCHIVE = /\.(?:jar|war|ear|par|hpi|jpi)$/i

/** Whether a file of that name holds Java's packages. */
export function isJar(name: string): boolean {
  return ARCHIVE.test(name)
}

/**
 * The packages in an archive of Java's, and in those in it: by what Maven leaves in it (pom.properties, one for each that was merged into it),
 * else by its manifest and its name. `onCut`: something in it was too deep, too large or too much.
 */
export function packagesOfJar(file: RandomFile, foundIn: string, onCut: () => void): Package[] {
  const found: Package[] = []
  const budget = { bytes: MAX_UNPACKED, jars: MAX_JARS }
  read({ file, path: foundIn, depth: 0 })
  return found

  /** What is too large or damaged may have cost as much as it was allowed to. */
  function unpacked(archive: RandomFile, entry: ZipEntry, maxBytes: number): Buffer | undefined {
    if (budget.bytes <= 0) {
      onCut()
      return undefined
    }
    const most = Math.min(maxBytes, budget.bytes)
    const bytes = unzip(archive, entry, most)
    budget.bytes -= Math.max(MIN_COST, bytes?.length ?? Math.min(most, entry.packedBytes * MAX_RATIO))
    return bytes
  }

  function read({ file: archive, path, depth }: { file: RandomFile; path: string; depth: number }): void {
    const entries = zipEntries(archive)
    if (entries === undefined) return
    if (--budget.jars < 0 || found.length > MAX_PACKAGES) return onCut()
    for (const each of ownPackages(archive, entries, path, unpacked)) found.push(each)
    for (const entry of entries) {
      if (!isJar(entry.name) || entry.name.endsWith("/")) continue
      if (depth >= MAX_DEPTH || entry.sizeBytes > MAX_INNER || budget.bytes <= 0) {
        onCut()
        continue
      }
      const bytes = unpacked(archive, entry, MAX_INNER)
      if (bytes === undefined) {
        onCut()
        continue
      }
      read({ file: inMemory(bytes), path: `${path}/${entry.name.replaceAll(/[^\x20-\x7e]/g, "?")}`, depth: depth + 1 })
    }
  }
}

type Unpack = (file: RandomFile, entry: ZipEntry, maxBytes: number) => Buffer | undefined

function inMemory(bytes: Buffer): RandomFile {
  return { sizeBytes: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

function ownPackages(file: RandomFile, entries: readonly ZipEntry[], path: string, unpack: Unpack): Package[] {
  const found = new Gathered("maven", "jar", path)
  for (const entry of entries) {
    if (!/^META-INF\/maven\/.*\/pom\.properties$/.test(entry.name)) continue
    const fields = properties(unpack(file, entry, MAX_PROPERTIES), "=")
    const [group, artifact] = [fields.get("groupId"), fields.get("artifactId")]
    if (group !== undefined && artifact !== undefined) found.add(`${group}:${artifact}`, fields.get("version"))
  }
  const own = byName(path)
  // what was merged into it is no word on itself
  if (own !== undefined && found.packages.some(({ name }) => name.endsWith(`:${own.artifact}`))) return found.packages
  const manifest = entries.find(({ name }) => name === "META-INF/MANIFEST.MF")
  const fields = properties(manifest && unpack(file, manifest, MAX_TEXT), ":")
  const group =
    fields.get("Implementation-Vendor-Id") ?? groupOf(fields.get("Bundle-SymbolicName"), own?.artifact) ?? ""
  const artifact = own?.artifact ?? fields.get("Implementation-Title") ?? fields.get("Bundle-Name")
  const version = own?.version ?? fields.get("Implementation-Version") ?? fields.get("Bundle-Version")
  if (artifact !== undefined && /^[\w.-]+$/.test(artifact) && (own !== undefined || group !== ""))
    found.add(group === "" ? artifact : `${group}:${artifact}`, version)
  return found.packages
}

/** `log4j-core-2.14.1.jar` */
function byName(path: string): { artifact: string; version: string } | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(ARCHIVE, "")
  const [, artifact, version] = /^([\w.]+?(?:-[A-Za-z_][\w.]*)*?)-(\d[\w.+-]*)$/.exec(name.slice(0, 256)) ?? []
  return artifact === undefined || version === undefined ? undefined : { artifact, version }
}

/** `org.apache.commons.codec` of `codec`. */
function groupOf(symbolicName: string | undefined, artifact: string | undefined): string | undefined {
  const name = symbolicName?.split(";")[0]?.trim()
  if (name === undefined || !/^[\w.-]+$/.test(name) || !name.includes(".")) return undefined
  return artifact !== undefined && name.endsWith(`.${artifact}`) ? name.slice(0, -artifact.length - 1) : name
}

/** `key=value` or `Key: value` a line; the first counts. */
function properties(bytes: Buffer | undefined, separator: "=" | ":"): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const line of linesOf(bytes?.toString("utf8") ?? "")) {
    const at = line.indexOf(separator)
    const key = line.slice(0, Math.max(at, 0)).trim()
    const value = line.slice(at + 1).trim()
    if (key !== "" && value !== "" && !key.startsWith("#") && !fields.has(key)) fields.set(key, value.slice(0, 256))
  }
  return fields
}
