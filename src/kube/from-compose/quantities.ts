/** Go's duration text (`1m30s`) in whole seconds, at least 1; undefined stays so. Pure. */
export function secondsOf(duration: string | undefined): number | undefined {
  if (duration === undefined) return undefined
  let seconds = 0
  for (const [, count = "0", unit = ""] of duration.matchAll(/([\d.]+)(ns|us|µs|ms|h|m|s)/g))
    seconds += Number(count) * (UNIT_SECONDS[unit] ?? 0)
  return Math.max(1, Math.round(seconds))
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3_600,
}

/** Cores as Kubernetes writes them: `500m`, `2`. Pure. */
export function cpuQuantity(cores: number | string | undefined): string | undefined {
  const value = Number(cores)
  if (cores === undefined || !(value > 0)) return undefined
  return Number.isInteger(value) ? String(value) : `${Math.round(value * 1_000)}m`
}

const BINARY = [
  ["Gi", 1024 ** 3],
  ["Mi", 1024 ** 2],
  ["Ki", 1024],
] as const

/** A text of bytes as Kubernetes writes it: `64Mi`. Pure. */
export function byteQuantity(bytes: string | number | undefined): string | undefined {
  const value = Number(bytes)
  if (bytes === undefined || !(value > 0)) return undefined
  const [unit, size] = BINARY.find(([, one]) => value % one === 0) ?? ["", 1]
  return `${value / size}${unit}`
}

/** Undefined for an object or list that says nothing. Pure. */
export function ifAny<T extends object>(value: T): T | undefined {
  const has = Array.isArray(value) ? value.length > 0 : Object.values(value).some((one) => one !== undefined)
  return has ? value : undefined
}
