import { entriesOf, jsonFields, textOf } from "../json.ts"
import type { Package, PackageKind } from "../package.ts"
import { Gathered } from "../reading.ts"
import { linesOf } from "../stanza.ts"
import { tomlTables } from "./toml-lists.ts"

/** requirements.txt (pip docs): of what is pinned by `==`; what else it asks for has no version yet. */
export function parseRequirements(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("pypi", "pip", foundIn)
  for (const raw of linesOf(textOfFile(bytes))) {
    const line = raw.slice(0, 1024).split("#")[0]?.split(";")[0] ?? ""
    const [, name, version] = /^\s*([\w.-]+)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([\w.!+-]+)/.exec(line) ?? []
    if (version?.includes("*") !== true) found.add(name, version)
  }
  return found.packages
}

/** Some are written in Windows' two bytes a letter. */
function textOfFile(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le", 2) : bytes.toString("utf8")
}

/** Pipfile.lock. */
export function parsePipfileLock(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("pypi", "pipenv", foundIn)
  const document = jsonFields(bytes)
  for (const section of ["default", "develop"])
    for (const [name, each] of entriesOf(document?.[section]))
      found.add(name, textOf(each.version)?.replace(/^==/, ""), { isDevelopment: section === "develop" })
  return found.packages
}

/** poetry.lock, uv.lock, pdm.lock and pylock.toml: a table a package. */
export function pythonTomlParser(kind: PackageKind) {
  return (bytes: Buffer, foundIn: string): Package[] => {
    const found = new Gathered("pypi", kind, foundIn)
    for (const { list, values, needs } of tomlTables(bytes.toString("utf8"))) {
      if (list !== "package" && list !== "packages") continue
      // the project itself
      if (/^\{\s*(?:virtual|editable|directory)\s*=/.test(values.get("source") ?? "")) continue
      const groups = values.get("groups")
      const isDevelopment =
        values.get("category") === "dev" || (groups !== undefined && /^\[\s*"dev"\s*,?\s*\]$/.test(groups))
      found.add(values.get("name"), values.get("version"), { isDevelopment, needs })
    }
    return found.packages
  }
}
