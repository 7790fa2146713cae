import { InvalidArgument } from "../../base/errors.ts"

/** What `--volumes-from` asks for: the volumes and binds of another container, at the same places. */
export interface VolumesFrom {
  /** Name or id. */
  container: string
  /** Undefined: each as it is there. */
  readOnly?: boolean
}

/** SELinux labels have no meaning here, and are no mistake. */
const MODES = new Set(["ro", "rw", "z", "Z"])

/** Parses docker's `NAME`, `NAME:ro`, `NAME:rw,z`. Throws InvalidArgument. */
export function parseVolumesFrom(text: string): VolumesFrom {
  const [container = "", mode, ...rest] = text.split(":")
  const words = mode?.split(",") ?? []
  if (container === "" || rest.length > 0) throw new InvalidArgument(`invalid volumes-from specification: '${text}'`)
  const wrong = words.find((word) => !MODES.has(word))
  if (wrong !== undefined || (words.includes("ro") && words.includes("rw")))
    throw new InvalidArgument(`invalid mode: ${mode}`, { hint: { valid: [...MODES] } })
  const access = words.find((word) => word === "ro" || word === "rw")
  return { container, ...(access === undefined ? {} : { readOnly: access === "ro" }) }
}
