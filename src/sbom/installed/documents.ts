import { fieldsOf, jsonFields, jsonValue, objectsOf, textOf } from "../json.ts"
import { addComposer } from "../lock/others.ts"
import type { Package } from "../package.ts"
import { parseSbom } from "../parse-sbom.ts"
import { Gathered } from "../reading.ts"

const MAX_GEMSPEC = 64 * 1024

/** An installed gem by its specification, which RubyGems writes: `s.name = "rake".freeze`. */
export function parseGemspec(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("gem", "gemspec", foundIn)
  const text = bytes.toString("utf8", 0, MAX_GEMSPEC)
  const value = (field: string): string | undefined =>
    new RegExp(
      `^[ \\t]{0,64}\\w{1,64}\\.${field}\\s*=\\s*(?:Gem::Version\\.new\\()?\\[?["']([^"'\\n]{1,256})["']`,
      "m",
    ).exec(text)?.[1]
  const license = value("licenses") ?? value("license")
  found.add(value("name"), value("version"), license === undefined ? {} : { license })
  return found.packages
}

/** Composer's vendor/composer/installed.json, of both versions. */
export function parseComposerInstalled(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("composer", "composer-vendor", foundIn)
  const document = jsonValue(bytes)
  for (const each of objectsOf(Array.isArray(document) ? document : fieldsOf(document)?.packages))
    addComposer(found, each, false)
  return found.packages
}

/** conda-meta/NAME-VERSION-BUILD.json. */
export function parseCondaMeta(bytes: Buffer, foundIn: string): Package[] {
  const found = new Gathered("conda", "conda-pkg", foundIn)
  const document = jsonFields(bytes)
  const license = textOf(document?.license)
  found.add(textOf(document?.name), textOf(document?.version), license === undefined ? {} : { license })
  return found.packages
}

/** The SBOM that Bitnami puts beside each of its programs: of that the program itself, what it stands on is found where it lies. */
export function parseBitnami(bytes: Buffer, foundIn: string): Package[] {
  try {
    const { packages } = parseSbom(bytes, foundIn).found
    return packages
      .filter(({ type, purl }) => type === "bitnami" || purl?.startsWith("pkg:bitnami/") === true)
      .map(({ name, version, license }) => {
        const more = license === undefined ? {} : { license }
        return Object.assign({ type: "bitnami", kind: "bitnami", name, version, foundIn } as Package, more)
      })
  } catch {
    return []
  }
}
