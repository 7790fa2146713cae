import { existsSync, readFileSync } from "node:fs"
import { InvalidArgument } from "./errors.ts"

/** The tables of skiff's own settings. */
const TABLES = ["image", "network", "scan", "storage"] as const

/** `$SKIFF_CONFIG`, else `/etc/skiff/skiff.toml`. */
export function settingsFile(env: Record<string, string | undefined> = process.env): string {
  return env.SKIFF_CONFIG || "/etc/skiff/skiff.toml"
}

/** One table of the file; empty where there is no file. Throws InvalidArgument with the file's name for what is none, or has unknown tables. */
export async function readSettings(table: (typeof TABLES)[number], path: string): Promise<Record<string, unknown>> {
  if (!existsSync(path)) return {}
  const { parse } = await import("smol-toml")
  let settings: Record<string, unknown>
  try {
    settings = parse(readFileSync(path, "utf8"))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
    throw new InvalidArgument(`"${path}" is not TOML: ${why}`, { cause })
  }
  const unknown = Object.keys(settings).find((key) => !TABLES.some((known) => known === key))
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "${unknown}"`, { hint: { valid: TABLES } })
  return (settings[table] ?? {}) as Record<string, unknown>
}
