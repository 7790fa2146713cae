import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import { splitCsv } from "./csv.ts"

/** What `-v`, `--mount` and `--tmpfs` ask for. */
export type MountRequest =
  | { type: "bind"; source: string; target: string; readOnly: boolean; propagation?: string; createSource: boolean }
  | { type: "volume"; source?: string; target: string; readOnly: boolean; copyUp: boolean }
  | { type: "tmpfs"; target: string; readOnly: boolean; sizeBytes?: number; mode?: number; options?: readonly string[] }

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]
/** SELinux labels and docker desktop's consistency: without meaning here, and no mistake. */
const WITHOUT_EFFECT = ["z", "Z", "cached", "delegated", "consistent"]
const MODES = new Set(["ro", "rw", "nocopy", ...PROPAGATIONS, ...WITHOUT_EFFECT])

/**
 * Parses docker's `-v`: `/in`, `name:/in`, `/host:/in:ro,rshared`, `./directory:/in`. A relative source starts at `cwd`.
 * Throws InvalidArgument in docker's words.
 */
export function parseVolume(text: string, cwd: string): MountRequest {
  const parts = text.split(":")
  if (parts.some((part) => part === "")) throw invalid(`invalid spec: ${text}: empty section between colons`)
  if (parts.length > 3) throw invalid(`invalid volume specification: '${text}'`)
  const [first = "", second, mode = ""] = parts
  if (second === undefined) return { type: "volume", target: checkTarget(first), readOnly: false, copyUp: true }
  const target = checkTarget(second)
  const { readOnly, propagation, copyUp } = parseMode(mode)
  if (isPath(first)) {
    const bind = { type: "bind", source: absolute(first, cwd), target, readOnly, createSource: true } as const
    return propagation === undefined ? bind : { ...bind, propagation }
  }
  if (propagation !== undefined) throw invalid(`invalid mode: ${mode}: propagation is for bind mounts`)
  return { type: "volume", source: checkVolumeName(first), target, readOnly, copyUp }
}

function parseMode(mode: string): { readOnly: boolean; propagation?: string; copyUp: boolean } {
  const words = mode === "" ? [] : mode.split(",")
  const propagations = words.filter((word) => PROPAGATIONS.includes(word))
  if (words.some((word) => !MODES.has(word)) || propagations.length > 1)
    throw new InvalidArgument(`invalid mode: ${mode}`, { hint: { valid: [...MODES] } })
  if (words.includes("ro") && words.includes("rw")) throw invalid(`invalid mode: ${mode}`)
  const [propagation] = propagations
  return {
    readOnly: words.includes("ro"),
    copyUp: !words.includes("nocopy"),
    ...(propagation === undefined ? {} : { propagation }),
  }
}

/** Keys of `--mount`; each reads its value into the draft. */
interface Draft {
  type: string
  source?: string
  target?: string
  readOnly: boolean
  propagation?: string
  copyUp: boolean
  sizeBytes?: number
  mode?: number
  createSource: boolean
  /** Keys given that only one type knows: type → key. */
  special: [type: string, key: string][]
}

/** Parses docker's `--mount type=bind,source=/host,target=/in,readonly`. Throws InvalidArgument in docker's words. */
export function parseMount(text: string, cwd: string): MountRequest {
  const draft: Draft = { type: "volume", readOnly: false, copyUp: true, createSource: false, special: [] }
  for (const field of splitCsv(text, "mount")) {
    const equals = field.indexOf("=")
    const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase()
    readField(draft, key, equals < 0 ? undefined : field.slice(equals + 1), field)
  }
  const { type, source, readOnly } = draft
  if (draft.target === undefined) throw invalid("target is required")
  const target = checkTarget(draft.target)
  for (const [owner, key] of draft.special)
    if (owner !== type) throw invalid(`cannot mix '${key}' with mount type '${type}'`)
  if (type === "tmpfs") {
    if (source !== undefined) throw invalid("source is not for mount type 'tmpfs'")
    const { sizeBytes, mode } = draft
    return {
      type,
      target,
      readOnly,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(mode === undefined ? {} : { mode }),
    }
  }
  if (type === "bind") {
    if (source === undefined) throw invalid("source is required for mount type 'bind'")
    const { propagation, createSource } = draft
    const bind = { type, source: absolute(source, cwd), target, readOnly, createSource } as const
    return propagation === undefined ? bind : { ...bind, propagation }
  }
  return {
    type: "volume",
    target,
    readOnly,
    copyUp: draft.copyUp,
    ...(source ? { source: checkVolumeName(source) } : {}),
  }
}

function readField(draft: Draft, key: string, value: string | undefined, field: string): void {
  const needed = () => {
    if (value === undefined || value === "") throw invalid(`invalid field '${field}' must be a key=value pair`)
    return value
  }
  const special = (type: string) => void draft.special.push([type, key])
  switch (key) {
    case "type":
      draft.type = needed().toLowerCase()
      if (!["bind", "volume", "tmpfs"].includes(draft.type)) throw invalid(`mount type unknown: "${draft.type}"`)
      return
    case "source":
    case "src":
      draft.source = needed()
      return
    case "target":
    case "dst":
    case "destination":
      draft.target = needed()
      return
    case "readonly":
    case "ro":
      draft.readOnly = readBoolean(key, value)
      return
    case "bind-propagation":
      special("bind")
      draft.propagation = needed()
      if (!PROPAGATIONS.includes(draft.propagation)) throw invalid(`invalid propagation: ${draft.propagation}`)
      return
    case "bind-create-src":
      special("bind")
      draft.createSource = readBoolean(key, value)
      return
    case "volume-nocopy":
      special("volume")
      draft.copyUp = !readBoolean(key, value)
      return
    case "tmpfs-size":
      special("tmpfs")
      draft.sizeBytes = parseSize(needed(), "value for tmpfs-size")
      return
    case "tmpfs-mode":
      special("tmpfs")
      draft.mode = parseMode8(needed())
      return
    case "consistency":
      return
    default:
      throw invalid(
        value === undefined
          ? `invalid field '${field}' must be a key=value pair`
          : `unexpected key '${key}' in '${field}'`,
      )
  }
}

/** Parses docker's `--tmpfs /run:rw,size=64m,mode=1777`. Throws InvalidArgument. */
export function parseTmpfs(text: string): MountRequest {
  const colon = text.indexOf(":")
  const target = checkTarget(colon < 0 ? text : text.slice(0, colon))
  const request: Extract<MountRequest, { type: "tmpfs" }> = { type: "tmpfs", target, readOnly: false }
  const options: string[] = []
  for (const word of colon < 0 ? [] : text.slice(colon + 1).split(",")) {
    const [key = "", value = ""] = word.split("=", 2)
    if (word === "ro") request.readOnly = true
    else if (key === "size") request.sizeBytes = parseSize(value, "size of tmpfs")
    else if (key === "mode") request.mode = parseMode8(value)
    else if (TMPFS_OPTIONS.has(key)) options.push(word)
    else if (word !== "rw") throw invalid(`invalid tmpfs option: ${word}`)
  }
  return options.length === 0 ? request : { ...request, options }
}

const TMPFS_OPTIONS = new Set(
  "exec noexec dev nodev suid nosuid sync async dirsync atime noatime diratime nodiratime relatime norelatime strictatime nostrictatime uid gid nr_inodes nr_blocks mpol private rprivate shared rshared slave rslave".split(
    " ",
  ),
)

function readBoolean(key: string, value: string | undefined): boolean {
  if (value === undefined || /^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw invalid(`invalid value for ${key}: ${value}`)
}

function parseMode8(text: string): number {
  if (!/^[0-7]{1,5}$/.test(text)) throw invalid(`invalid value for tmpfs-mode: ${text}`)
  return Number.parseInt(text, 8)
}

function isPath(source: string): boolean {
  return source.startsWith("/") || source === "." || source === ".." || /^\.\.?\//.test(source)
}

/** Joins and tidies `.` and `..`, without a look at the disk. */
function absolute(path: string, cwd: string): string {
  const kept: string[] = []
  for (const part of (path.startsWith("/") ? path : `${cwd}/${path}`).split("/")) {
    if (part === "..") kept.pop()
    else if (part !== "" && part !== ".") kept.push(part)
  }
  return `/${kept.join("/")}`
}

function checkTarget(target: string): string {
  if (!target.startsWith("/")) throw invalid(`invalid mount path: '${target}' mount path must be absolute`)
  const tidy = absolute(target, "/")
  if (tidy === "/") throw invalid("invalid specification: destination can't be '/'")
  return tidy
}

function checkVolumeName(name: string): string {
  if (!VOLUME_NAME.test(name))
    throw new InvalidArgument(
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`,
      { hint: `for a directory of the host, give an absolute path or ./${name}` },
    )
  return name
}

function invalid(message: string): InvalidArgument {
  return new InvalidArgument(message)
}
