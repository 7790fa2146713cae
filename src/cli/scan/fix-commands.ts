import type { ScanReport, Vulnerability } from "../../scan/scan.ts"

/** What each manager is told, of what has a fix. */
const COMMANDS: Readonly<Record<string, (names: readonly Fixed[]) => string[]>> = {
  deb: (names) => [`RUN apt-get update && apt-get install -y --only-upgrade ${list(names)}`],
  apk: (names) => [`RUN apk upgrade --no-cache ${list(names)}`],
  rpm: (names) => [`RUN dnf upgrade -y ${list(names)}`],
  npm: (names) => [`npm install ${list(names, "@")}`],
  pypi: (names) => [`pip install --upgrade ${names.map(({ name, fixed }) => `'${name}>=${fixed}'`).join(" ")}`],
  golang: (names) =>
    names
      .filter(({ name }) => name !== "stdlib")
      .map(({ name, fixed }) => `go get ${name}@${fixed.startsWith("v") ? "" : "v"}${fixed}`),
  cargo: (names) => names.map(({ name, fixed }) => `cargo update -p ${name} --precise ${fixed}`),
  gem: (names) => [`bundle update ${list(names)}`],
  composer: (names) => [`composer update ${list(names)}`],
}

interface Fixed {
  name: string
  fixed: string
}

/** A name that a shell takes as it is: what others are called is not put on anybody's command line. */
const PLAIN = /^[\w@./+-][\w@./+:~-]*$/

/** The commands that mend what can be mended, one a manager; only names that a shell takes as they are stand in them. */
export function fixCommands({ vulnerabilities }: ScanReport): string[] {
  const byType = new Map<string, Map<string, string>>()
  for (const each of vulnerabilities) {
    const fixed = fixOf(each)
    const { type, name } = each.package
    if (fixed === undefined || !PLAIN.test(name) || name.startsWith("-") || !PLAIN.test(fixed)) continue
    const names = byType.get(type) ?? new Map<string, string>()
    if (!names.has(name)) names.set(name, fixed)
    byType.set(type, names)
  }
  return [...byType].flatMap(([type, names]) =>
    (COMMANDS[type] ?? (() => []))([...names].map(([name, fixed]) => ({ name, fixed }))),
  )
}

/** The newest version that fixes: of several, the last in the list. */
function fixOf({ fixedVersions }: Vulnerability): string | undefined {
  return fixedVersions.at(-1)
}

function list(names: readonly Fixed[], versionAfter?: string): string {
  return names
    .map(({ name, fixed }) => (versionAfter === undefined ? name : `${name}${versionAfter}${fixed}`))
    .toSorted()
    .join(" ")
}
