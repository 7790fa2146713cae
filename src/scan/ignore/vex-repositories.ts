import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join, normalize } from "node:path"
import { NotFound } from "../../base/errors.ts"
import { purlOf, type FoundPackages } from "../../sbom/sbom.ts"
import type { IgnoreRule } from "./rules.ts"
import { parseVex } from "./vex.ts"

const MAX_INDEX_BYTES = 64 * 1024 ** 2
const MAX_DOCUMENT_BYTES = 16 * 1024 ** 2
const MAX_DOCUMENTS = 2_000

/**
 * VEX repositories (aquasecurity's vex-repo-spec) as Trivy keeps them in its cache: `NAME/VERSION/index.json` says which document
 * is about which package. Only those of packages that were found are read. Throws NotFound where there is no repository.
 */
export function vexOfRepositories(directory: string, found: FoundPackages): IgnoreRule[] {
  const indexes = subdirectories(directory).flatMap((name) =>
    ["", ...subdirectories(join(directory, name))].map((version) => join(directory, name, version)),
  )
  const roots = indexes.filter((root) => statSync(join(root, "index.json"), { throwIfNoEntry: false })?.isFile())
  if (roots.length === 0)
    throw new NotFound(`there is no VEX repository in "${directory}"`, {
      field: "vex",
      hint: "expected NAME/VERSION/index.json, as 'trivy vex repo download' leaves them",
    })
  const wanted = new Set(found.packages.map((each) => plainPurl(purlOf(each, found.distribution))))
  const rules: IgnoreRule[] = []
  let documents = 0
  for (const root of roots)
    for (const { id, location } of entriesOf(join(root, "index.json"))) {
      if (!wanted.has(plainPurl(id)) || ++documents > MAX_DOCUMENTS) continue
      const path = normalize(location)
      if (path.startsWith("..") || path.startsWith("/")) continue
      const text = read(join(root, path), MAX_DOCUMENT_BYTES)
      if (text !== undefined) rules.push(...parseVex(text, join(root, path)))
    }
  return rules
}

function subdirectories(directory: string): string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch {
    return []
  }
}

function entriesOf(path: string): { id: string; location: string }[] {
  try {
    const { packages } = JSON.parse(read(path, MAX_INDEX_BYTES) ?? "{}") as { packages?: unknown }
    if (!Array.isArray(packages)) return []
    return packages.filter(
      (each): each is { id: string; location: string } =>
        typeof each === "object" && each !== null && typeof each.id === "string" && typeof each.location === "string",
    )
  } catch {
    return []
  }
}

function read(path: string, maxBytes: number): string | undefined {
  try {
    // no link: a repository is somebody else's
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = fstatSync(fd)
      return stat.isFile() && stat.size <= maxBytes ? readFileSync(fd, "utf8") : undefined
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** Without version, qualifiers and part: what an index names packages by. */
function plainPurl(purl: string): string {
  const [path = ""] = purl.split(/[?#]/)
  const at = path.lastIndexOf("@")
  return (at > path.lastIndexOf("/") ? path.slice(0, at) : path).toLowerCase()
}
