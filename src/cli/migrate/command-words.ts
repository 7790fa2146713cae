import type { Flags } from "../flag.ts"
import { flagName } from "../flag.ts"

/** Of podman's `run` and `create`: what says nothing of the container, is told better elsewhere, or cannot be had here. */
const DROPPED = new Set(
  [
    "authfile cidfile conmon-pidfile detach detach-keys env env-file label label-file name pidfile pod pod-id-file",
    "preserve-fds pull quiet replace restart rm rootfs runtime sig-proxy tls-verify volume volumes-from",
  ].flatMap((line) => line.split(" ")),
)
const DROPPED_SHORT = "delv"

/**
 * The flags that podman was given when it made the container (`Config.CreateCommand`), without those that the container's document tells
 * as well: what they named may be relative to a directory, an environment or a time that has gone. Undefined when it was not made by such a
 * command line, or by flags that are not known here. Pure.
 */
export function commandWords(command: readonly string[], flags: Flags): string[] | undefined {
  const verb = command.findIndex((word) => word === "run" || word === "create")
  if (verb < 1) return undefined
  const known = new Map(Object.entries(flags).flatMap(([key, one]) => namesOf(key, one).map((name) => [name, one])))
  const kept: string[] = []
  for (let at = verb + 1; at < command.length; at++) {
    const word = command[at] ?? ""
    if (word === "--" || !word.startsWith("-") || word === "-") return kept
    const isLong = word.startsWith("--")
    const [name = ""] = isLong ? word.slice(2).split("=") : [word[1] ?? ""]
    const found = known.get(isLong ? name : `-${name}`)
    if (found === undefined) return undefined
    const isWhole = isLong ? word.includes("=") : word.length > 2
    const own = isWhole || found.bare !== undefined ? [word] : [word, command[++at] ?? ""]
    const isDropped = isLong ? DROPPED.has(name) : DROPPED_SHORT.includes(name)
    // letters of switches that stand together: -dit
    if (!isLong && found.bare !== undefined && word.length > 2) kept.push(...lettersOf(word))
    else if (!isDropped) kept.push(...own)
  }
  return kept
}

function namesOf(key: string, one: Flags[string]): string[] {
  const { short, aliases = [] } = one
  return [flagName(key), ...aliases, ...(short === undefined ? [] : [`-${short}`])]
}

function lettersOf(word: string): string[] {
  return ["i", "t", "P"].filter((letter) => word.includes(letter)).map((letter) => `-${letter}`)
}
