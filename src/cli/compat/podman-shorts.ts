import type { Flags } from "../flag.ts"

/** Letters that mean another flag in podman than in docker: command, then letter to property. */
const SHORTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "container logs": { n: "names" },
  "container rm": { l: "latest" },
}

/** Flags of a command with podman's letters. Pure. */
export function withPodmanShorts(name: string, flags: Flags): Flags {
  const shorts = SHORTS[name]
  if (shorts === undefined) return flags
  return Object.fromEntries(
    Object.entries(flags).map(([property, one]) => {
      const letter = Object.keys(shorts).find((each) => shorts[each] === property)
      if (letter !== undefined) return [property, { ...one, short: letter }]
      return [property, one.short !== undefined && one.short in shorts ? { ...one, short: undefined } : one]
    }),
  )
}
