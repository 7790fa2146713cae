import { statSync } from "node:fs"
import { isAbsolute } from "node:path"
import { InvalidArgument } from "../base/errors.ts"
import { parseSize } from "../base/sizes.ts"
import type { Volume, VolumeOptions } from "./volume.ts"

/** What the options of a `local` volume make of it. */
export type VolumePlace = VolumeOwner & {
  /** False: a new one is not filled with what the image has at its place. */
  copyUp?: boolean
} & (OwnDirectory | HostDirectory | MountedVolume)

/** One of the store's. */
interface OwnDirectory {
  kind: "own"
  quota?: VolumeQuota
  device?: undefined
}

/** A directory of the host, as it is. */
interface HostDirectory {
  kind: "host"
  device: string
}

/** What is mounted at the store's directory while somebody uses it. */
export interface MountedVolume {
  kind: "mounted"
  type: string
  device: string
  /** Words of mount(8)'s `-o`. */
  words: readonly string[]
}

/** Whose the store's directory is. */
export interface VolumeOwner {
  uid?: number
  gid?: number
}

/** How much there may be in one of the store's. */
export interface VolumeQuota {
  sizeBytes?: number
  inodes?: number
}

const KNOWN = ["type", "device", "o", "size", "inodes", "uid", "gid", "copy", "nocopy", "noquota"]
/** Words of mount(8) that change nothing of a bind. */
const PLAIN_BIND = new Set(["bind", "rbind", "rw"])
/** File systems that are of no device. */
const WITHOUT_DEVICE: ReadonlySet<string> = new Set(["tmpfs", "overlay"])

/**
 * Reads docker's `type=…,device=…,o=…` and podman's `o=uid=…,size=…`, `nocopy`, which are options by themselves, too. Throws
 * InvalidArgument. Pure.
 */
export function parseVolumeOptions(options: VolumeOptions): VolumePlace {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name))
  if (unknown !== undefined)
    throw new InvalidArgument(`unknown volume option "${unknown}"`, { field: "options", hint: { valid: KNOWN } })
  const { type = "none", device, o = "", ...own } = options
  const words = [
    ...o.split(","),
    ...Object.entries(own).map(([key, value]) => (value === "" ? key : `${key}=${value}`)),
  ]
    .map((word) => word.trim())
    .filter(Boolean)
  const copying = words.includes("nocopy") ? { copyUp: false } : {}
  const rest = words.filter((word) => !["copy", "nocopy", "noquota"].includes(word))
  const isBind = rest.some((word) => word === "bind" || word === "rbind") || type === "bind"
  if (isBind) return { ...copying, ...bound(rest, device) }
  if (type === "none" && device === undefined) return { ...copying, ...ownDirectory(rest) }
  if (device === undefined && !WITHOUT_DEVICE.has(type)) throw wrong("missing device in volume options")
  if (type === "none") throw wrong("missing required option: a device needs a type, or o=bind")
  return { ...copying, kind: "mounted", type, device: device ?? type, words: rest }
}

function bound(words: readonly string[], device: string | undefined): VolumePlace {
  if (device === undefined || !isAbsolute(device))
    throw wrong("a volume that binds a directory needs its absolute path as device")
  const { owner, others } = splitOwner(words)
  if (others.every((word) => PLAIN_BIND.has(word))) return { ...owner, kind: "host", device }
  return { ...owner, kind: "mounted", type: "none", device, words: others }
}

function ownDirectory(words: readonly string[]): VolumePlace {
  const { owner, others } = splitOwner(words)
  const quota: VolumeQuota = {}
  for (const word of others) {
    const [key = "", value = ""] = word.split("=", 2)
    if (key === "size") quota.sizeBytes = parseSize(value, "size of a volume")
    else if (key === "inodes" && /^\d{1,15}$/.test(value)) quota.inodes = Number(value)
    else if (word !== "rw") throw wrong(`invalid mount option "${word}" of a volume that nothing is mounted for`)
  }
  return { ...owner, kind: "own", ...(Object.keys(quota).length === 0 ? {} : { quota }) }
}

/** Whether its data are a directory of the store, which nothing is mounted at. */
export function isOwnDirectory({ driver, options }: Pick<Volume, "driver" | "options">): boolean {
  return driver === "local" && parseVolumeOptions(options).kind === "own"
}

/** Whether its files are to be seen only while somebody holds it. */
export function isMounted({ driver, options }: Pick<Volume, "driver" | "options">): boolean {
  return driver !== "local" || parseVolumeOptions(options).kind === "mounted"
}

/** Whether a new one gets what the image has at its place. */
export function copiesUp({ driver, options }: Pick<Volume, "driver" | "options">): boolean {
  return driver !== "local" || parseVolumeOptions(options).copyUp !== false
}

/** Throws InvalidArgument when there is no such directory: the volume would never be of use. */
export function checkDevice(device: string): void {
  if (statSync(device, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new InvalidArgument(`no such directory: "${device}"`, { field: "options", hint: "make it first" })
}

function splitOwner(words: readonly string[]): { owner: VolumeOwner; others: string[] } {
  const owner: VolumeOwner = {}
  const others: string[] = []
  for (const word of words) {
    const [, kind, id = ""] = /^([ug])id=(.*)$/.exec(word) ?? []
    if (kind === undefined) others.push(word)
    else if (!/^\d{1,10}$/.test(id)) throw wrong(`invalid id in volume option "${word}"`)
    else owner[kind === "u" ? "uid" : "gid"] = Number(id)
  }
  return { owner, others }
}

function wrong(message: string): InvalidArgument {
  return new InvalidArgument(message, { field: "options" })
}
