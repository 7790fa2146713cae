import { withDependencies, wordsOf, type Needing } from "./dependencies.ts"
import type { Package } from "./package.ts"
import { MAX_PACKAGES, present, stanzas } from "./stanza.ts"

const LISTS: ReadonlySet<string> = new Set(["depends", "pre-depends", "provides"])

/** The installed packages of dpkg's status file, or of a part of it (dpkg-query(1), deb-control(5)). */
export function parseDpkgStatus(text: string, foundIn: string): Package[] {
  const packages: Needing[] = []
  for (const fields of stanzas(text, LISTS)) {
    const [name, version] = [fields.get("package"), fields.get("version")]
    const status = fields.get("status")
    if (!name || !version || (status !== undefined && !/\binstalled$/.test(status))) continue
    // deb-control(5): `glibc (2.36-9)` where the source's version is another
    const [, source, sourceVersion] = /^(\S+)(?: \(([^)]*)\))?/.exec(fields.get("source") ?? "") ?? []
    const details = {
      architecture: fields.get("architecture"),
      supplier: fields.get("maintainer"),
      homepage: fields.get("homepage"),
      source: source === name ? undefined : source,
      sourceVersion: sourceVersion === version ? undefined : sourceVersion,
    }
    packages.push({
      found: { type: "deb", kind: "dpkg", name, version, ...present(details), foundIn },
      words: {
        // of alternatives all that are there count: dpkg does not say which one was meant
        needs: ["depends", "pre-depends"]
          .flatMap((field) => wordsOf(fields.get(field), /[,|]/))
          // `python3:any`: of whichever architecture
          .map((word) => word.replace(/:.*$/, "")),
        gives: wordsOf(fields.get("provides"), /,/),
      },
    })
    if (packages.length >= MAX_PACKAGES) break
  }
  return withDependencies(packages)
}
