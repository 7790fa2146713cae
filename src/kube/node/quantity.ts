import { quantityValue } from "../quantity.ts"
import { fieldFault } from "./field-fault.ts"

/** A number as Kubernetes writes amounts: `500m`, `1.5Gi`, `2e3`. Throws InvalidArgument; none may be negative. Pure. */
export function parseQuantity(text: string, path: string): number {
  const value = quantityValue(text)
  if (Number.isNaN(value))
    throw fieldFault(path, `"${text.slice(0, 60)}" is no quantity`, "expected such as 500m, 64Mi, 1.5")
  if (value < 0) throw fieldFault(path, `"${text}" is negative`)
  return value
}

/** The same in whole units, rounded up: bytes. */
export function parseWhole(text: string, path: string): number {
  const value = Math.ceil(parseQuantity(text, path))
  if (!Number.isSafeInteger(value)) throw fieldFault(path, `"${text}" is too large`)
  return value
}

/** In thousandths, rounded up: `0.0001` is 1. */
export function parseMilli(text: string, path: string): number {
  // 0.1 * 1000 is a little more than 100 for some
  const value = Math.ceil(Number((parseQuantity(text, path) * 1000).toFixed(3)))
  if (!Number.isSafeInteger(value)) throw fieldFault(path, `"${text}" is too large`)
  return value
}
