import { InvalidArgument } from "./errors.ts"

const BINARY = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 }

/**
 * Parses a size as docker's flags write it (`512m`, `1.5g`, `64MiB`, `100`): units are binary, a bare number is bytes.
 * `-1` is not a size: the caller that allows it looks first. Throws InvalidArgument naming `what`.
 */
export function parseSize(text: string, what = "size"): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?) ?([bkmgtp]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  const bytes = Math.floor(Number(digits) * BINARY[(unit.toLowerCase() || "b") as keyof typeof BINARY])
  if (digits === "" || !Number.isSafeInteger(bytes))
    throw new InvalidArgument(`invalid ${what} "${text}"`, {
      hint: "expected a number with b, k, m or g, such as 512m",
    })
  return bytes
}

const DECIMAL_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"]
const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]

/** Bytes as docker's tables show them: `4.26MB`, `75.2kB`, `0B` (decimal units, three significant digits). */
export function formatSize(bytes: number): string {
  return scaled(bytes, 1000, DECIMAL_UNITS, 3)
}

/** Bytes as docker shows memory: `512MiB`, `1.904GiB` (binary units, four significant digits). */
export function formatBinarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY_UNITS, 4)
}

function scaled(bytes: number, base: number, units: readonly string[], digits: number): string {
  let value = bytes
  let unit = 0
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`
}
