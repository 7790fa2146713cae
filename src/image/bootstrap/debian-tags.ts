import { InvalidArgument } from "../../base/errors.ts"

/** debian.org/releases: what numbers mean. */
const RELEASES: Readonly<Record<string, string>> = {
  "10": "buster",
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
  "14": "forky",
}

/**
 * The suite of a tag as Docker Hub's `debian` has them: `12`, `bookworm-slim`, `stable`, `sid`. Undefined for `latest`. All
 * are slim: documentation and locales are left out. Throws InvalidArgument.
 */
export function suiteOfTag(tag: string): string | undefined {
  const name = tag.replace(/-slim$/, "")
  if (name === "latest" || name === "slim") return undefined
  const suite = RELEASES[name] ?? name
  // it becomes a word of mmdebstrap's command line
  if (/^[a-z][a-z-]*$/.test(suite)) return suite
  const [, release = "", point] = /^(\d+)(\.\d+)?$/.exec(name) ?? []
  if (RELEASES[release] !== undefined && point !== undefined)
    throw new InvalidArgument(`Debian's mirrors have the newest ${release} only, not ${name}`, {
      hint: { valid: [release, `${RELEASES[release]}-slim`] },
    })
  throw new InvalidArgument(`unknown Debian release "${tag}"`, {
    hint: "expected a release as 12, 12-slim, bookworm, trixie-slim, stable or sid",
  })
}
