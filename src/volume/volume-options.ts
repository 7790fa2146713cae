import { statSync } from "node:fs"
import { isAbsolute } from "node:path"
import { InvalidArgument, Unsupported } from "../base/errors.ts"
import type { VolumeOptions } from "./volume.ts"

/** What the options of a volume make of it. */
export interface VolumePlace {
  /** A directory of the host that the volume is; undefined: one of the store's. */
  device?: string
  /** Owner of the store's directory. */
  uid?: number
  gid?: number
}

const KNOWN = ["type", "device", "o"]
/** Words of mount(8) that change nothing of a bind. */
const HARMLESS = new Set(["bind", "rbind", "rw", ""])

/**
 * Docker's `type=none,o=bind,device=DIR` makes a volume of a host's directory; podman's `o=uid=…,gid=…` says whose the volume is. What
 * would have to be mounted is refused: it can be mounted on the host, and bound. Throws InvalidArgument, Unsupported. Pure.
 */
export function parseVolumeOptions(options: VolumeOptions): VolumePlace {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgument(`unknown volume option "${unknown}"`, { field: "options", hint: { valid: KNOWN } })
  const { type = "none", device, o = "" } = options
  const words = o.split(",")
  const isBind = words.includes("bind") || words.includes("rbind")
  const owner = ownerOf(words)
  const other = words.find((word) => !HARMLESS.has(word) && !/^[ug]id=/.test(word))
  if (other !== undefined)
    throw new Unsupported(`the mount option "${other}" of a volume is not supported`, {
      field: "options",
      hint: "mount it on the host, and bind that directory",
    })
  if (!isBind && (device !== undefined || (type !== "none" && type !== "bind")))
    throw new Unsupported(`volumes of type "${type}" are not mounted`, {
      field: "options",
      hint: type === "tmpfs" ? "mount a tmpfs into the container" : "mount it on the host, and bind that directory",
    })
  if (!isBind) return owner
  if (device === undefined || !isAbsolute(device))
    throw new InvalidArgument("a volume that binds a directory needs its absolute path as device", { field: "options" })
  return { ...owner, device }
}

/** Throws InvalidArgument when there is no such directory: the volume would never be of use. */
export function checkDevice(device: string): void {
  if (statSync(device, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new InvalidArgument(`no such directory: "${device}"`, { field: "options", hint: "make it first" })
}

function ownerOf(words: readonly string[]): Pick<VolumePlace, "uid" | "gid"> {
  const owner: Pick<VolumePlace, "uid" | "gid"> = {}
  for (const word of words) {
    const [, kind, id = ""] = /^([ug])id=(.*)$/.exec(word) ?? []
    if (kind === undefined) continue
    if (!/^\d{1,10}$/.test(id)) throw new InvalidArgument(`invalid id in volume option "${word}"`, { field: "options" })
    owner[kind === "u" ? "uid" : "gid"] = Number(id)
  }
  return owner
}
