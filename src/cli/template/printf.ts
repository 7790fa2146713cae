import { DurationField } from "../../docker/duration-field.ts"

/** A value as Go's `%v` prints it: `[a b]`, `map[k:v]`, `<no value>`, `<nil>`. */
export function show(value: unknown): string {
  if (value === undefined) return "<no value>"
  if (value === null) return "<nil>"
  if (value instanceof Date) return value.toISOString()
  if (value instanceof DurationField) return value.toString()
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`
  if (value instanceof Map)
    return `map[${[...value]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${show(key)}:${show(item)}`)
      .join(" ")}]`
  if (typeof value === "object") return show(new Map(Object.entries(value)))
  return String(value)
}

const VERB = /%(?<flags>[-+#0 ]*)(?<width>\d{1,4})?(?:\.(?<precision>\d{1,3}))?(?<verb>[a-zA-Z%]|$)/g

/** Go's fmt.Sprintf for `%s %d %v %q %t %x %f %%`, with width, `-`, `0` and precision. Bad ones show as Go shows them. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0
  const line = format.replace(VERB, (...match) => {
    const { flags = "", width, precision, verb = "" } = match.at(-1) as Record<string, string | undefined>
    if (verb === "%") return "%"
    if (verb === "") return "%!(NOVERB)"
    if (next >= values.length) return `%!${verb}(MISSING)`
    const text = formatOne(verb, values[next++], precision === undefined ? undefined : Number(precision), flags)
    const size = Number(width ?? 0)
    if (flags.includes("-")) return text.padEnd(size)
    return flags.includes("0") && /^[-+]?\d/.test(text) ? zeros(text, size) : text.padStart(size)
  })
  return next < values.length
    ? `${line}%!(EXTRA ${values
        .slice(next)
        .map((value) => `${goType(value)}=${show(value)}`)
        .join(", ")})`
    : line
}

function formatOne(verb: string, value: unknown, precision: number | undefined, flags: string): string {
  const bad = () => `%!${verb}(${goType(value)}=${show(value)})`
  const signed = (text: string) => (flags.includes("+") && !text.startsWith("-") ? `+${text}` : text)
  switch (verb) {
    case "s":
      return typeof value === "number" || typeof value === "boolean" ? bad() : show(value).slice(0, precision)
    case "v":
      return show(value)
    case "q":
      return typeof value === "string" ? JSON.stringify(value) : bad()
    case "d":
      return typeof value === "number" ? signed(String(Math.trunc(value))) : bad()
    case "t":
      return typeof value === "boolean" ? String(value) : bad()
    case "x":
      if (typeof value === "number") return Math.trunc(value).toString(16)
      return typeof value === "string" ? Buffer.from(value).toString("hex") : bad()
    case "f":
      return typeof value === "number" ? signed(value.toFixed(precision ?? 6)) : bad()
    default:
      return bad()
  }
}

function zeros(text: string, width: number): string {
  const sign = /^[-+]/.exec(text)?.[0] ?? ""
  return sign + text.slice(sign.length).padStart(width - sign.length, "0")
}

function goType(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64"
  if (typeof value === "boolean") return "bool"
  return typeof value === "string" ? "string" : "interface {}"
}
