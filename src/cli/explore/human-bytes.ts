const UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

/** Bytes as dive shows them: `13 kB`, `1.2 MB`. */
export function humanBytes(bytes: number): string {
  if (bytes < 10) return `${bytes} B`
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3 + 1e-12))
  const value = Math.floor((bytes / 1000 ** unit) * 10 + 0.5) / 10
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]}`
}
