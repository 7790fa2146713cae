import { existsSync, readFileSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"

/** What `[network]` of skiff's own settings says; root's alone, for an ordinary user has no choice. */
export interface NetworkSettings {
  /**
   * How the containers of root reach the host and what lies behind it. `kernel`: by routes and address translation, the fastest;
   * the host's firewall sees it as forwarded. `pasta`: by a program of the host, as those of an ordinary user do; the host's
   * firewall sees what the program receives and sends.
   */
  uplink: "kernel" | "pasta"
}

const UPLINKS = ["kernel", "pasta"] as const

/** `$SKIFF_CONFIG`, else `/etc/skiff/skiff.toml`. */
function settingsFile(env: Record<string, string | undefined> = process.env): string {
  return env.SKIFF_CONFIG || "/etc/skiff/skiff.toml"
}

/** Reads it; without a file, the defaults, at no cost but a look. Throws InvalidArgument with the file's name and the key. */
export async function readNetworkSettings(path = settingsFile()): Promise<NetworkSettings> {
  if (!existsSync(path)) return { uplink: "kernel" }
  const { parse } = await import("smol-toml")
  let settings: Record<string, unknown>
  try {
    settings = parse(readFileSync(path, "utf8"))
  } catch (cause) {
    throw new InvalidArgument(
      `"${path}" is not TOML: ${cause instanceof Error ? cause.message.split("\n")[0] : cause}`,
      { cause },
    )
  }
  const { network = {}, ...others } = settings as { network?: Record<string, unknown> }
  const { uplink = "kernel", ...more } = network
  const [unknown] = [...Object.keys(others), ...Object.keys(more).map((key) => `network.${key}`)]
  if (unknown !== undefined)
    throw new InvalidArgument(`"${path}" has the unknown key "${unknown}"`, { hint: { valid: ["network.uplink"] } })
  const known = UPLINKS.find((word) => word === uplink)
  if (known === undefined)
    throw new InvalidArgument(`"${path}" says network.uplink = ${JSON.stringify(uplink)}`, { hint: { valid: UPLINKS } })
  return { uplink: known }
}
