import { InvalidArgument, NotFound } from "../base/errors.ts"
import { isTargetKey, kindOfKey, mergeTargets, readKey, type BakeTarget } from "./target.ts"

/** `PATTERN.KEY[.NAME][+]=VALUE`, read. */
export interface Override {
  pattern: string
  key: keyof BakeTarget
  /** Of args, labels, contexts. */
  name: string | undefined
  value: string
  adds: boolean
}

const OTHER_NAMES: Readonly<Record<string, keyof BakeTarget>> = { platform: "platforms", secrets: "secret" }

/** Reads one `--set`. A build argument without a value takes the environment's; without that it is undefined. Throws InvalidArgument. */
export function readOverride(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Override | undefined {
  const equals = text.indexOf("=")
  const adds = text[equals - 1] === "+"
  const [pattern = "", word = "", ...names] = text
    .slice(0, equals < 0 ? undefined : adds ? equals - 1 : equals)
    .split(".")
  if (word === "") throw new InvalidArgument(`invalid override key ${text}, expected target.name`)
  const key = OTHER_NAMES[word] ?? word
  if (!isTargetKey(key)) throw new InvalidArgument(`unknown key: ${word}`)
  const isMap = kindOfKey(key) === "map"
  const name = names.join(".")
  if (isMap !== (name !== ""))
    throw new InvalidArgument(`invalid override key ${text}`, {
      hint: isMap ? `${key} needs a name: ${pattern}.${key}.NAME=VALUE` : `${key} has no parts`,
    })
  const given = equals < 0 ? (key === "args" ? environment[name] : undefined) : text.slice(equals + 1)
  if (given === undefined && key === "args") return undefined
  if (given === undefined) throw new InvalidArgument(`invalid override ${text}, expected target.name=value`)
  return { pattern, key, name: isMap ? name : undefined, value: given, adds }
}

/** Throws NotFound for a pattern that no target has. */
export function checkPatterns(overrides: readonly Override[], names: readonly string[]): void {
  for (const { pattern } of overrides)
    if (!names.some((name) => matches(pattern, name)))
      throw new NotFound(`could not find any target matching '${pattern}'`, { hint: { valid: [...names].toSorted() } })
}

/** The target with what is set of it: a list that is set is first emptied. Pure. */
export function withOverrides(name: string, target: BakeTarget, overrides: readonly Override[]): BakeTarget {
  let changed = target
  const begun = new Set<string>()
  for (const { pattern, key, name: part, value, adds } of overrides) {
    if (!matches(pattern, name)) continue
    const isList = kindOfKey(key) === "texts" || kindOfKey(key) === "fields"
    if (!isList) {
      const one = readKey(key, part === undefined ? value : { [part]: value })
      changed = mergeTargets(changed, { [key]: one })
      continue
    }
    const before = adds || begun.has(key) || key === "attest" ? changed[key] : undefined
    begun.add(key)
    const more = readKey(key, [value]) as readonly unknown[]
    changed =
      key === "attest"
        ? mergeTargets(changed, { attest: more as NonNullable<BakeTarget["attest"]> })
        : { ...changed, [key]: [...((before as readonly unknown[] | undefined) ?? []), ...more] }
  }
  return changed
}

/** `*` and `?` as in names of files. */
export function matches(pattern: string, name: string): boolean {
  // no expression is made of it: one with many stars would take for ever
  let rests = [name]
  for (const letter of pattern) {
    if (letter === "*") {
      const longest = rests.reduce((before, rest) => (rest.length > before.length ? rest : before), "")
      rests = rests.length === 0 ? [] : Array.from({ length: longest.length + 1 }, (_, at) => longest.slice(at))
    } else
      rests = rests.flatMap((rest) => (rest !== "" && (letter === "?" || rest[0] === letter) ? [rest.slice(1)] : []))
  }
  return rests.includes("")
}
