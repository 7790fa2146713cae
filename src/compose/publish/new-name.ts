import { sha256Hex } from "../../sys/sha256.ts"

/** The name of an extended or env file in the artifact: of where it was, as docker compose makes it. */
export function newName(path: string, ending: "yaml" | "env"): string {
  return `${sha256Hex(path)}.${ending}`
}
