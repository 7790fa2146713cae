import type { Dockerfile } from "../../../dockerfile/dockerfile.ts"

/** ARG before the first FROM, by name; without a default undefined. */
export function globalArguments({ args }: Dockerfile): ReadonlyMap<string, string | undefined> {
  return new Map(args.flatMap(({ args: pairs }) => pairs.map(({ key, value }) => [key, value] as const)))
}

/** A FROM's image with the defaults of its arguments; undefined where one has none, and nobody knows. */
export function withArguments(base: string, args: ReadonlyMap<string, string | undefined>): string | undefined {
  let isKnown = true
  const name = base.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|([A-Za-z_]\w*))/g,
    (_all, braced, fallback, bare) => {
      const value = args.get(String(braced ?? bare)) ?? (fallback as string | undefined)
      if (value === undefined) isKnown = false
      return value ?? ""
    },
  )
  return isKnown && !name.includes("$") ? name : undefined
}
