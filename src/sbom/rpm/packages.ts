import { withDependencies, type Needing } from "../dependencies.ts"
import type { Package } from "../package.ts"
import { MAX_PACKAGES, MAX_VALUE, present } from "../stanza.ts"
import type { RpmDatabase } from "./database.ts"
import { RPM_TAGS, type RpmHeader } from "./header.ts"

/** Of one package. */
const MAX_WORDS = 4000

/** The packages of rpm's database; what of it could not be read stands in its `leftOut` then. */
export function rpmPackages(database: RpmDatabase): Package[] {
  const packages: Needing[] = []
  for (const header of database.headers) {
    if (packages.length >= MAX_PACKAGES) {
      database.leftOut.push(`all but the first ${MAX_PACKAGES} packages of /${database.path}`)
      break
    }
    const found = packageOf(header, `/${database.path}`)
    if (found) packages.push(found)
  }
  return withDependencies(packages)
}

function packageOf(header: RpmHeader, foundIn: string): Needing | undefined {
  const [name, version, release] = [text(RPM_TAGS.name), text(RPM_TAGS.version), text(RPM_TAGS.release)]
  // the keys that packages are signed by are kept as packages, too
  if (!name || !version || name === "gpg-pubkey") return undefined
  const epoch = header.number(RPM_TAGS.epoch)
  const details = {
    architecture: text(RPM_TAGS.arch),
    license: text(RPM_TAGS.license),
    supplier: text(RPM_TAGS.vendor),
    homepage: text(RPM_TAGS.url),
    source: text(RPM_TAGS.source),
    module: text(RPM_TAGS.module),
    epoch: epoch === undefined ? undefined : String(epoch),
  }
  const found: Package = {
    type: "rpm",
    kind: "rpm",
    name,
    version: release ? `${version}-${release}` : version,
    ...present(details),
    foundIn,
  }
  return { found, words: { needs: words(RPM_TAGS.requires), gives: words(RPM_TAGS.provides) } }

  function words(tag: number): string[] {
    return header.texts(tag, MAX_WORDS).map((word) => word.slice(0, MAX_VALUE))
  }

  function text(tag: number): string | undefined {
    return header.text(tag, MAX_VALUE)
  }
}
