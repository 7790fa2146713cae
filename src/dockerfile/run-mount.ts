import { InvalidArgument } from "../base/errors.ts"
import { parseSize } from "../base/sizes.ts"
import { didYouMean } from "../base/suggest.ts"

/** `RUN --mount`, its variables expanded, its keys checked against its type. */
export interface MountFlag {
  type: "bind" | "cache" | "tmpfs" | "secret" | "ssh"
  from?: string
  source?: string
  target?: string
  readOnly: boolean
  id?: string
  sharing?: "shared" | "private" | "locked"
  required: boolean
  env?: string
  mode?: number
  uid?: number
  gid?: number
  sizeBytes?: number
}

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const
const SHARING = ["shared", "private", "locked"] as const
const KEYS = [
  ..."type from source src target dst destination readonly ro readwrite rw id sharing required env".split(" "),
  ..."mode uid gid size".split(" "),
]

/** The stage or image of `from=`, which must be known before variables are: it may hold none. Throws InvalidArgument. */
export function mountSource(text: string): string | undefined {
  const value = parseFields(text).findLast(([key]) => key === "from")?.[1]
  if (value !== undefined && /\$./.test(value))
    throw new InvalidArgument("'from' doesn't support variable expansion, define alias stage instead", {
      hint: "FROM $NAME AS alias, then from=alias",
    })
  return value
}

/** Parses one `--mount`. Throws InvalidArgument for an unknown key (among them bind-propagation), or one of another type. */
export function parseRunMount(text: string, expandValue: (value: string) => string): MountFlag {
  const mount: MountFlag = { type: "bind", readOnly: true, required: false }
  let readOnly: boolean | undefined
  for (const [key, written] of parseFields(text)) {
    const value = written === undefined ? undefined : expandValue(written)
    if (key === "readonly" || key === "ro") readOnly = booleanOf(key, value)
    else if (key === "readwrite" || key === "rw") readOnly = !booleanOf(key, value)
    else if (key === "required") mount.required = requiredOf(mount, value)
    else if (value !== undefined) setKey(mount, key, value)
    else throw new InvalidArgument(`invalid field '${key}' must be a key=value pair`)
  }
  mount.readOnly = readOnly ?? (mount.type !== "cache" && mount.type !== "tmpfs")
  checkMount(mount)
  return mount
}

function setKey(mount: MountFlag, key: string, value: string): void {
  switch (key) {
    case "type":
      mount.type = oneOf(TYPES, value, "mount type")
      break
    case "from":
      mount.from = value
      break
    case "source":
    case "src":
      mount.source = value
      break
    case "target":
    case "dst":
    case "destination":
      mount.target = value
      break
    case "id":
      mount.id = value
      break
    case "sharing":
      mount.sharing = oneOf(SHARING, value, "sharing value")
      break
    case "env":
      mount.env = value
      break
    case "mode":
      mount.mode = numberOf(key, value, /^[0-7]{1,10}$/, 8)
      break
    case "uid":
    case "gid":
      mount[key] = numberOf(key, value, /^\d{1,10}$/, 10)
      break
    case "size":
      if (mount.type !== "tmpfs") throw unexpected(key, mount)
      mount.sizeBytes = parseSize(value, "size of the mount")
      break
    default:
      throw new InvalidArgument(`unexpected key '${key}' in '${key}=${value}'${didYouMean(key, KEYS)}`, {
        hint: `keys of a mount: ${KEYS.join(", ")}`,
      })
  }
}

function checkMount(mount: MountFlag): void {
  const { type } = mount
  const hasOwner = type === "secret" || type === "ssh" || type === "cache"
  for (const key of ["mode", "uid", "gid"] as const)
    if (!hasOwner && mount[key] !== undefined) throw new InvalidArgument(`${key} not allowed for "${type}" type mounts`)
  if (mount.sharing !== undefined && type !== "cache")
    throw new InvalidArgument(`invalid cache sharing set for ${type} mount`)
  if (mount.env !== undefined && type !== "secret") throw unexpected("env", mount)
  if (type === "ssh" && mount.source) throw new InvalidArgument("ssh does not support source")
  if (type !== "secret") return
  if (mount.from) throw new InvalidArgument("secret mount should not have a from")
  if (!mount.source && !mount.target && !mount.id)
    throw new InvalidArgument("invalid secret mount. one of source, target required", { hint: "write id=NAME" })
  if (mount.source && mount.id) throw new InvalidArgument("both source and id can't be set")
}

function unexpected(key: string, { type }: MountFlag): InvalidArgument {
  return new InvalidArgument(`unexpected key '${key}' for mount type '${type}'`)
}

function requiredOf(mount: MountFlag, value: string | undefined): boolean {
  if (mount.type !== "secret" && mount.type !== "ssh") throw unexpected("required", mount)
  return booleanOf("required", value)
}

function booleanOf(key: string, value = "true"): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new InvalidArgument(`invalid value for ${key}: ${value}`)
}

function numberOf(key: string, value: string, pattern: RegExp, base: number): number {
  const number = pattern.test(value) ? Number.parseInt(value, base) : NaN
  if (!(number < 2 ** 32)) throw new InvalidArgument(`invalid value ${value} for ${key}`)
  return number
}

function oneOf<T extends string>(allowed: readonly T[], value: string, what: string): T {
  const found = allowed.find((name) => name === value.toLowerCase())
  if (found !== undefined) return found
  throw new InvalidArgument(`unsupported ${what} ${JSON.stringify(value)}${didYouMean(value, allowed)}`, {
    hint: `it is one of ${allowed.join(", ")}`,
  })
}

/** Fields of one line of comma-separated values (RFC 4180), each a key and maybe a value. */
function parseFields(text: string): [key: string, value: string | undefined][] {
  return splitCommas(text).map((field) => {
    const equals = field.indexOf("=")
    return equals < 0
      ? [field.toLowerCase(), undefined]
      : [field.slice(0, equals).toLowerCase(), field.slice(equals + 1)]
  })
}

function splitCommas(text: string): string[] {
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/y
  const fields: string[] = []
  // a comma at the end begins one more, empty field
  while (field.lastIndex < text.length || fields.length === 0 || text[field.lastIndex - 1] === ",") {
    const match = field.exec(text)
    if (match === null) throw new InvalidArgument(`failed to parse csv mounts: a bare quote in ${JSON.stringify(text)}`)
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "")
    if (match[0] === "" || (field.lastIndex === text.length && !match[0].endsWith(","))) break
  }
  return fields
}
