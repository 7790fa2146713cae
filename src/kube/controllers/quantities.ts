import { quantityText, quantityValue } from "../quantity.ts"

/** As a number. What is none is 0: it was checked as it was kept. */
export function quantity(text: string | number | undefined): number {
  const value = quantityValue(String(text ?? ""))
  return Number.isNaN(value) ? 0 : value
}

export function milliCpu(text: string | number | undefined): number {
  return Math.ceil(Number((quantity(text) * 1000).toFixed(6)))
}

/** As memory is shown: the largest unit that leaves a whole number. */
export function bytesText(bytes: number): string {
  return quantityText(bytes, "Gi")
}

export function milliText(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`
}
