import type { Package } from "./package.ts"
import { present, stanzas } from "./stanza.ts"

/** The installed packages of dpkg's status file, or of a part of it (dpkg-query(1), deb-control(5)). */
export function parseDpkgStatus(text: string, foundIn: string): Package[] {
  return [...stanzas(text)].flatMap((fields): Package[] => {
    const [name, version] = [fields.get("package"), fields.get("version")]
    const status = fields.get("status")
    if (!name || !version || (status !== undefined && !/\binstalled$/.test(status))) return []
    const source = fields.get("source")?.split(" ")[0]
    const architecture = fields.get("architecture")
    const [supplier, homepage] = [fields.get("maintainer"), fields.get("homepage")]
    return [
      {
        type: "deb",
        name,
        version,
        ...present({ architecture, supplier, homepage, source: source === name ? undefined : source }),
        foundIn,
      },
    ]
  })
}
