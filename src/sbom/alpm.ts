import type { FileTree } from "./file-tree.ts"
import { wordsOf, withDependencies, type Needing } from "./dependencies.ts"
import type { Package } from "./package.ts"
import { linesOf, MAX_PACKAGES, MAX_VALUE, present } from "./stanza.ts"

const DATABASE = "var/lib/pacman/local"
const MAX_DESC_BYTES = 1024 ** 2
const MAX_LINES = 4000

/** The packages of pacman: a directory each, whose `desc` has sections of lines (alpm's be_local.c). */
export function alpmPackages(tree: FileTree): Package[] {
  const packages: Needing[] = []
  for (const name of tree.names(DATABASE).toSorted()) {
    if (packages.length >= MAX_PACKAGES) break
    const bytes = tree.read(`${DATABASE}/${name}/desc`, MAX_DESC_BYTES)
    const found = bytes && packageOf(bytes.toString("utf8"), `/${DATABASE}/${name}/desc`)
    if (found !== undefined) packages.push(found)
  }
  return withDependencies(packages)
}

function packageOf(text: string, foundIn: string): Needing | undefined {
  const sections = new Map<string, string[]>()
  let [section, lines]: [string[] | undefined, number] = [undefined, 0]
  for (const line of linesOf(text)) {
    if (++lines > MAX_LINES) break
    const [, title] = /^%([A-Z0-9]+)%$/.exec(line) ?? []
    if (title !== undefined) sections.set(title, (section = []))
    else if (line !== "") section?.push(line.slice(0, MAX_VALUE))
  }
  const first = (title: string) => sections.get(title)?.[0]
  const [name, version] = [first("NAME"), first("VERSION")]
  if (name === undefined || version === undefined) return undefined
  const base = first("BASE")
  const details = {
    architecture: first("ARCH"),
    license: sections.get("LICENSE")?.join(" AND "),
    supplier: first("PACKAGER"),
    homepage: first("URL"),
    source: base === name ? undefined : base,
  }
  return {
    found: { type: "alpm", kind: "alpm", name, version, ...present(details), foundIn },
    words: {
      needs: wordsOf(sections.get("DEPENDS")?.join("\n"), /\n/),
      gives: wordsOf(sections.get("PROVIDES")?.join("\n"), /\n/),
    },
  }
}
