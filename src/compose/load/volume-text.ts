import { posix } from "node:path"
import { fault } from "./fault.ts"
import type { Origin, TreeMap } from "./tree.ts"

/** A mount's short form in parts. */
export interface ShortVolume {
  type: "bind" | "volume"
  source?: string
  target: string
  readOnly?: boolean
  propagation?: string
  selinux?: string
  nocopy?: boolean
}

const PROPAGATION = new Set(["rprivate", "private", "rshared", "shared", "rslave", "slave"])

/** `[source:]target[:options]`. Options that are not known are passed over, as docker does. Throws InvalidArgument. */
export function parseShortVolume(text: string, origin?: Origin): ShortVolume {
  if (text === "") throw fault("invalid empty volume spec", origin)
  const sections = splitSections(text)
  if (sections.some((section) => section === ""))
    throw fault(`invalid spec: ${text}: empty section between colons`, origin)
  const [first = "", second, ...more] = sections
  if (second === undefined) return { type: "volume", target: cleanTarget(first) }
  const volume: ShortVolume = {
    type: isPath(first) ? "bind" : "volume",
    source: first,
    target: cleanTarget(second),
  }
  for (const option of more.join(":").split(",")) applyOption(volume, option)
  return volume
}

function applyOption(volume: ShortVolume, option: string): void {
  if (option === "ro") volume.readOnly = true
  else if (option === "rw") volume.readOnly = false
  else if (option === "nocopy") volume.nocopy = true
  else if (option === "z" || option === "Z") volume.selinux = option
  else if (PROPAGATION.has(option)) volume.propagation = option
}

/** The long form of it. */
export function longVolume(text: string, origin?: Origin): TreeMap {
  const { type, source, target, readOnly, propagation, selinux, nocopy } = parseShortVolume(text, origin)
  // docker reads a text so short without looking into it
  if (text.length <= 2) return { type: "volume", target: text }
  const volume = { ...(nocopy === true && { nocopy }) }
  const bind = {
    ...(type === "bind" && { create_host_path: true }),
    ...(propagation !== undefined && { propagation }),
    ...(selinux !== undefined && { selinux }),
  }
  return {
    type,
    ...(source !== undefined && { source }),
    target,
    ...(readOnly === true && { read_only: true }),
    // an option of binds makes such a part of a volume, too
    ...(Object.keys(bind).length > 0 && { bind }),
    ...((type === "volume" || nocopy === true) && { volume }),
  }
}

/** A colon behind one letter belongs to a Windows drive where a backslash follows: `c:\data`. One letter before `:/` names a volume. */
function splitSections(text: string): string[] {
  const sections: string[] = []
  for (const part of text.split(":")) {
    const drive = sections.at(-1)
    if (drive !== undefined && /^[a-zA-Z]$/.test(drive) && part.startsWith("\\"))
      sections[sections.length - 1] = `${drive}:${part}`
    else sections.push(part)
  }
  return sections
}

function isPath(source: string): boolean {
  return /^[./~]|^[a-zA-Z]:\\/.test(source)
}

/** As Go's `path.Clean`. */
export function cleanTarget(target: string): string {
  if (target === "") return "."
  const clean = posix.normalize(target)
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean
}
