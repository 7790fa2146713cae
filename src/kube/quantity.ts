/** Amounts as Kubernetes writes them: `250m`, `1.5Gi`, `2e3` (apimachinery, resource/quantity.go). Pure. */

const QUANTITY = /^([+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18}))(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}
const BINARY = ["Ei", "Pi", "Ti", "Gi", "Mi", "Ki"]
const DECIMAL = ["E", "P", "T", "G", "M", "k"]

/** `250m` → 0.25, `1Gi` → 1073741824. NaN for what is none. */
export function quantityValue(text: string): number {
  const found = QUANTITY.exec(text)
  if (found === null) return Number.NaN
  const [, number, suffix, exponent] = found
  return Number(number) * (suffix === undefined ? 10 ** Number(exponent ?? 0) : (FACTORS[suffix] ?? 1))
}

/** A number as a quantity of `like`'s sort: thousandths for small ones, the largest power that leaves a whole number. */
export function quantityText(value: number, like = ""): string {
  if (like.endsWith("i")) return wholeIn(BINARY, value) ?? `${Math.ceil(value)}`
  if (!Number.isInteger(value)) return `${Math.round(value * 1000)}m`
  const units = DECIMAL.filter((unit) => like.endsWith(unit))
  return wholeIn(units, value) ?? `${value}`
}

function wholeIn(units: readonly string[], value: number): string | undefined {
  const unit = units.find((one) => value !== 0 && value % (FACTORS[one] ?? 1) === 0)
  return unit && `${value / (FACTORS[unit] ?? 1)}${unit}`
}
