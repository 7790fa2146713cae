/** Where this host's apt fetches from: sources.list(5), in both its forms. */
import { readdirSync } from "node:fs"
import { readText } from "../../sys/host.ts"

/** One source of this host's apt. */
export interface AptSource {
  uri: string
  suite: string
  components: readonly string[]
}

/** The binary sources of this host, in apt's order. */
export function aptSources(directory = "/etc/apt"): AptSource[] {
  const parts = partsOf(`${directory}/sources.list.d`)
  return [
    ...parseSourcesList(readText(`${directory}/sources.list`) ?? ""),
    ...parts.flatMap((path) => {
      const text = readText(path) ?? ""
      return path.endsWith(".sources") ? parseDeb822Sources(text) : parseSourcesList(text)
    }),
  ]
}

function partsOf(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => /\.(list|sources)$/.test(name))
    return names.toSorted().map((name) => `${directory}/${name}`)
  } catch {
    return []
  }
}

/** `deb [options] URI suite component…`, one a line. */
export function parseSourcesList(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const [, rest = ""] = /^\s*deb\s+(?:\[[^\]]*\]\s*)?([^#]+)/.exec(line) ?? []
    const [uri = "", suite = "", ...components] = rest.trim().split(/\s+/)
    return suite === "" ? [] : [{ uri, suite, components }]
  })
}

/** Paragraphs of fields; a field goes on in lines that begin with a space. */
export function parseDeb822Sources(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const lines = paragraph.split("\n").filter((line) => !line.startsWith("#"))
    const fields = new Map<string, string>()
    let name = ""
    for (const line of lines) {
      const [, key, value = ""] = /^([A-Za-z-]+):(.*)$/.exec(line) ?? []
      if (key !== undefined) fields.set((name = key.toLowerCase()), value.trim())
      else if (/^\s/.test(line)) fields.set(name, `${fields.get(name) ?? ""} ${line.trim()}`)
    }
    const words = (field: string) => (fields.get(field) ?? "").split(/\s+/).filter((word) => word !== "")
    if (fields.get("enabled")?.toLowerCase() === "no" || !words("types").includes("deb")) return []
    return words("uris").flatMap((uri) =>
      words("suites").map((suite) => ({ uri, suite, components: words("components") })),
    )
  })
}

/**
 * The lines that mmdebstrap takes for `suite`: the host's own mirror of it with its updates and security suites. Empty when
 * the host has none: then mmdebstrap's own defaults hold.
 */
export function mirrorsOf(suite: string, sources: readonly AptSource[]): string[] {
  const wanted = new Set([suite, `${suite}-updates`, `${suite}-security`])
  const main = sources.filter((source) => wanted.has(source.suite) && source.components.includes("main"))
  if (!main.some((source) => source.suite === suite)) return []
  return [...new Set(main.map((source) => `deb ${source.uri} ${source.suite} main`))]
}
