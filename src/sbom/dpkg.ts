import type { Package } from "./package.ts"
import { MAX_PACKAGES, present, stanzas } from "./stanza.ts"

/** The installed packages of dpkg's status file, or of a part of it (dpkg-query(1), deb-control(5)). */
export function parseDpkgStatus(text: string, foundIn: string): Package[] {
  const packages: Package[] = []
  for (const fields of stanzas(text)) {
    const [name, version] = [fields.get("package"), fields.get("version")]
    const status = fields.get("status")
    if (!name || !version || (status !== undefined && !/\binstalled$/.test(status))) continue
    const source = fields.get("source")?.split(" ")[0]
    const details = {
      architecture: fields.get("architecture"),
      supplier: fields.get("maintainer"),
      homepage: fields.get("homepage"),
      source: source === name ? undefined : source,
    }
    packages.push({ type: "deb", name, version, ...present(details), foundIn })
    if (packages.length >= MAX_PACKAGES) break
  }
  return packages
}
