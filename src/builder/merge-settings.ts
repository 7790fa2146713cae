import type { RunSettings } from "../build/execute/executor.ts"

/** Later ones over earlier ones; lists add up. */
export function mergeSettings(...all: readonly Partial<RunSettings>[]): Partial<RunSettings> {
  return all.reduce<Plain>((merged, each) => mergeTwo(merged, each as Plain), {})
}

type Plain = Readonly<Record<string, unknown>>

function mergeTwo(below: Plain, above: Plain): Plain {
  const given = Object.entries(above).filter(([, value]) => value !== undefined)
  return { ...below, ...Object.fromEntries(given.map(([key, value]) => [key, mergeValue(below[key], value)])) }
}

function mergeValue(below: unknown, above: unknown): unknown {
  if (Array.isArray(below) && Array.isArray(above)) return [...(below as unknown[]), ...(above as unknown[])]
  return isStepRuntime(below) && isStepRuntime(above) ? mergeTwo(below, above) : above
}

function isStepRuntime(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
