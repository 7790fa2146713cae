import type { FileTree } from "./file-tree.ts"
import type { Package } from "./package.ts"
import { linesOf } from "./stanza.ts"

const MAX_LIST_BYTES = 16 * 1024 ** 2
const MAX_DATABASE_BYTES = 64 * 1024 ** 2
const MAX_LISTS = 20_000

/**
 * The same packages of languages, those marked that a package of the system brought: by the lists of files that dpkg and apk keep. Where
 * there are none to mark, no list is read.
 */
export function markOwned(tree: FileTree, system: readonly Package[], packages: readonly Package[]): Package[] {
  const wanted = new Set(packages.map(({ foundIn }) => foundIn))
  const owners = new Map<string, string>()
  if (wanted.size > 0 && system.some(({ type }) => type === "deb")) ofDpkg(tree, wanted, owners)
  const apk = system.find(({ type }) => type === "apk")
  if (wanted.size > 0 && apk !== undefined) ofApk(tree, apk.foundIn, wanted, owners)
  return packages.map((each) => {
    const ownedBy = owners.get(each.foundIn)
    return ownedBy === undefined ? each : Object.assign({}, each, { ownedBy })
  })
}

/** `info/NAME[:ARCH].list`, a path a line (dpkg-query(1)). */
function ofDpkg(tree: FileTree, wanted: ReadonlySet<string>, owners: Map<string, string>): void {
  const directory = "var/lib/dpkg/info"
  const lists = tree.names(directory).filter((name) => name.endsWith(".list"))
  for (const name of lists.slice(0, MAX_LISTS)) {
    const text = tree.read(`${directory}/${name}`, MAX_LIST_BYTES)?.toString("utf8")
    if (text === undefined) continue
    const owner = name.replace(/(?::[^:.]+)?\.list$/, "")
    for (const line of linesOf(text)) if (wanted.has(line)) owners.set(line, owner)
  }
}

/** `F:` a directory, `R:` a file in it. */
function ofApk(tree: FileTree, database: string, wanted: ReadonlySet<string>, owners: Map<string, string>): void {
  const text = tree.read(database, MAX_DATABASE_BYTES)?.toString("utf8") ?? ""
  let [owner, directory] = ["", ""]
  for (const line of linesOf(text)) {
    if (line.startsWith("P:")) owner = line.slice(2, 258)
    else if (line.startsWith("F:")) directory = line.slice(2)
    else if (line.startsWith("R:")) {
      const path = `/${directory === "" ? "" : `${directory}/`}${line.slice(2)}`
      if (wanted.has(path)) owners.set(path, owner)
    }
  }
}
