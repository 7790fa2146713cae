import { parseDockerfile } from "../dockerfile/parse-dockerfile.ts"
import type { Instruction } from "../dockerfile/dockerfile.ts"
import type { Edit } from "./advice.ts"

const RECOMMENDS = "--no-install-recommends"
const NO_CACHE = "--no-cache"
const APT_LISTS = "/var/lib/apt/lists"

/** What clears the cache of a package manager, by the rule that asks for it. */
const CLEANERS: readonly { id: string; installs: RegExp; cleans: RegExp; command: string }[] = [
  { id: "DS015", installs: /\byum\b[^&|;]{0,400}\binstall\b/, cleans: /\byum clean all\b/, command: "yum clean all" },
  {
    id: "DS019",
    installs: /(?<!micro)\bdnf\b[^&|;]{0,400}\binstall\b/,
    cleans: /(?<!micro)\bdnf clean all\b/,
    command: "dnf clean all",
  },
  {
    id: "DS020",
    installs: /\bzypper\b[^&|;]{0,400}\b(?:install|in)\b/,
    cleans: /\bzypper (?:clean|cc)\b/,
    command: "zypper clean",
  },
  {
    id: "DS027",
    installs: /\bmicrodnf\b[^&|;]{0,400}\binstall\b/,
    cleans: /\bmicrodnf clean all\b/,
    command: "microdnf clean all",
  },
  {
    id: "apt-lists",
    installs: /\bapt-get\b[^&|;]{0,400}\binstall\b/,
    cleans: /\/var\/lib\/apt\/lists/,
    command: `rm -rf ${APT_LISTS}/*`,
  },
]

/**
 * The edits that a Dockerfile's own words decide: `-y` and no recommended packages for apt-get, no cache for apk, caches cleared in the RUN that
 * makes them, COPY for ADD, a label for MAINTAINER. Here-documents and JSON forms stay. Throws as `parseDockerfile`.
 */
export function dockerfileEdits(text: string): Edit[] {
  const { stages, escape } = parseDockerfile(text)
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""))
  return stages.flatMap(({ instructions }) =>
    instructions.flatMap((instruction) => ofInstruction(instruction, lines, escape)),
  )
}

function ofInstruction(instruction: Instruction, lines: readonly string[], escape: string): Edit[] {
  const { start, end } = instruction.source
  const own = lines.slice(start - 1, end)
  if (instruction.kind === "add" && isPlain(instruction.sources))
    return changed(start, own, [own[0]?.replace(/^(\s*)ADD\b/i, "$1COPY") ?? "", ...own.slice(1)], ["DS005"])
  if (instruction.kind === "maintainer" && start === end) {
    const label = `LABEL org.opencontainers.image.authors=${JSON.stringify(instruction.value)}`
    return changed(start, own, [label], ["DS022"])
  }
  if (instruction.kind !== "run" || !instruction.command.shell || instruction.documents.length > 0) return []
  const ids: string[] = []
  const note = (id: string) => ids.push(id)
  const mended = own.map((line) => mendedLine(line, note))
  const isCached = instruction.mounts.some((mount) => mount.includes("type=cache"))
  const whole = own.join(" ").replaceAll(escape, " ")
  for (const { id, installs, cleans, command } of isCached ? [] : CLEANERS) {
    if (!installs.test(whole) || cleans.test(whole)) continue
    const last = mended.length - 1
    mended[last] = `${(mended[last] ?? "").trimEnd()} && ${command}`
    note(id)
  }
  return changed(start, own, mended, ids)
}

function isPlain(sources: readonly string[]): boolean {
  return (
    sources.length > 0 &&
    !sources.some((source) => /:\/\/|^git@|\.git(?:#|$)|\.t(?:ar|gz|bz2|xz)(?:\.|$)|\$/.test(source))
  )
}

function mendedLine(line: string, note: (id: string) => void): string {
  if (line.trimStart().startsWith("#")) return line
  return line
    .replaceAll(/\bapt-get\b([^&|;]{0,100}?)\sinstall\b([^&|;]*)/g, (all: string, before: string, after: string) => {
      const words = `${before} ${after}`.split(/\s+/)
      const flags: string[] = []
      if (
        !words.some((word) => word === "--yes" || word === "--assume-yes" || /^-[A-Za-z]*y[A-Za-z]*$|^-qq+$/.test(word))
      ) {
        flags.push("-y")
        note("DS021")
      }
      // what follows on the next line may have it
      if (!words.includes(RECOMMENDS)) {
        flags.push(RECOMMENDS)
        note("DS029")
      }
      return flags.length === 0 ? all : `apt-get${before} install ${flags.join(" ")}${after}`
    })
    .replaceAll(/\bapk\b([^&|;]{0,100}?)\sadd\b([^&|;]*)/g, (all: string, before: string, after: string) => {
      if (`${before} ${after}`.includes(NO_CACHE)) return all
      note("DS025")
      return `apk${before} add ${NO_CACHE}${after}`
    })
}

function changed(start: number, before: readonly string[], after: readonly string[], ids: readonly string[]): Edit[] {
  return before.flatMap((line, index) => {
    const now = after[index] ?? ""
    return now === line ? [] : [{ line: start + index, before: line, after: [now], ids }]
  })
}
