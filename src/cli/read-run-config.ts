import { InvalidArgument } from "../base/errors.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { readText } from "./container-options.ts"

/** Fields that are lists of texts, texts, and maps: what else a file says is another tool's. */
const LISTS = ["Env", "Cmd", "Entrypoint"] as const
const TEXTS = ["User", "WorkingDir", "StopSignal"] as const
const MAPS = ["Labels", "ExposedPorts", "Volumes"] as const

/** The run parameters of a JSON file, by the image specification's names. Throws UsageError, InvalidArgument with the field. */
export function readRunConfig(path: string): ImageRunConfig {
  const document = parse(readText(path, "configuration"), path)
  const config: Record<string, unknown> = {}
  const take = (names: readonly string[], isRight: (value: unknown) => boolean, wanted: string): void => {
    for (const name of names) {
      const value = document[name]
      if (value === undefined || value === null) continue
      if (!isRight(value)) throw new InvalidArgument(`${path}: ${name} is not ${wanted}`)
      config[name] = value
    }
  }
  take(LISTS, (value) => Array.isArray(value) && value.every((one) => typeof one === "string"), "a list of texts")
  take(TEXTS, (value) => typeof value === "string", "a text")
  take(MAPS, (value) => typeof value === "object" && !Array.isArray(value), "an object")
  return config as ImageRunConfig
}

function parse(text: string, path: string): Record<string, unknown> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    throw new InvalidArgument(`${path} is no JSON`, { cause })
  }
  if (typeof document !== "object" || document === null || Array.isArray(document))
    throw new InvalidArgument(`${path}: expected an object`)
  return document as Record<string, unknown>
}
