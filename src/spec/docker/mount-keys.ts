import { InvalidArgument } from "../../base/errors.ts"
import { checkSubpath, PROPAGATIONS, type ShownFiles } from "./mount-request.ts"
import { FILE_WORDS } from "./mount-words.ts"
import { isTmpfsWord } from "./parse-tmpfs.ts"

/** What was read of `--mount` so far. */
export interface MountDraft extends Omit<ShownFiles, "options"> {
  type: string
  source?: string
  target?: string
  readOnly?: boolean
  propagation?: string
  copyUp?: boolean
  createSource?: boolean
  subpath?: string
  driver?: string
  driverOptions?: Record<string, string>
  labels?: Record<string, string>
  options: string[]
  /** Of file systems that are made: `size`, `mode`, `uid`, `gid`, `max`. */
  values: Map<string, string>
  /** Keys given that only some types know. */
  special: { key: string; owners: readonly string[] }[]
}

interface Given {
  key: string
  value: string | undefined
  field: string
}

type Reader = (draft: MountDraft, given: Given) => void

const FILES = ["bind", "volume", "glob"]

const of =
  (owners: readonly string[], read: Reader): Reader =>
  (draft, given) => {
    draft.special.push({ key: given.key, owners })
    read(draft, given)
  }

const value =
  (name: string): Reader =>
  (draft, given) =>
    void draft.values.set(name, needed(given))
const word: Reader = (draft, { key, value: text }) => void (readBoolean(key, text) && draft.options.push(key))

const source: Reader = (draft, given) => void (draft.source = needed(given))
const target: Reader = (draft, given) => void (draft.target = needed(given))
const readOnly: Reader = (draft, { key, value: text }) => void (draft.readOnly = readBoolean(key, text))
const subpath: Reader = (draft, given) => void (draft.subpath = checkSubpath(needed(given)))
/** podman's begins at the root of the image */
const rootedSubpath: Reader = (draft, given) =>
  void (draft.subpath = checkSubpath(needed(given).replace(draft.type === "image" ? /^\/+(?=.)/ : /^$/, "")))
const chown: Reader = (draft, { key, value: text }) => void (draft.chown = readBoolean(key, text))
const tmpfsSize = of(["tmpfs"], value("size"))
const tmpfsMode = of(["tmpfs", "devpts"], value("mode"))

const READERS: Readonly<Record<string, Reader>> = {
  type: (draft, given) => void (draft.type = needed(given).toLowerCase()),
  source,
  src: source,
  target,
  dst: target,
  destination: target,
  readonly: readOnly,
  ro: readOnly,
  rw: (draft, { key, value: text }) => void (draft.readOnly = !readBoolean(key, text)),
  readwrite: (draft, { key, value: text }) => void (draft.readOnly = !readBoolean(key, text)),
  rro: of(FILES, (draft) => void Object.assign(draft, { readOnly: true, recursion: "readonly" })),
  consistency: () => {},
  relabel: of(FILES, (_, given) => void oneOf(given, ["shared", "private"])),
  z: of(FILES, () => {}),
  u: of(FILES, chown),
  chown: of(FILES, chown),
  idmap: of(FILES, (draft, { value: text = "" }) => void (draft.idMap = text === "true" ? "" : text)),
  o: of(FILES, (draft) => void (draft.overlay ??= {})),
  upperdir: of(FILES, (draft, given) => void (draft.overlay = { ...draft.overlay, upper: needed(given) })),
  workdir: of(FILES, (draft, given) => void (draft.overlay = { ...draft.overlay, work: needed(given) })),
  "bind-propagation": of(["bind"], (draft, given) => void (draft.propagation = propagationOf(given))),
  "bind-create-src": of(["bind"], (draft, { key, value: text }) => void (draft.createSource = readBoolean(key, text))),
  "bind-nonrecursive": of(["bind"], (draft, { key, value: text }) => {
    if (readBoolean(key, text)) draft.recursion = "none"
  }),
  "bind-recursive": of(["bind"], (draft, given) => {
    const mode = oneOf(given, ["enabled", "disabled", "writable", "readonly"])
    if (mode !== "enabled") draft.recursion = mode === "disabled" ? "none" : (mode as "writable" | "readonly")
  }),
  subpath: of(["volume", "image"], rootedSubpath),
  "volume-subpath": of(["volume"], subpath),
  "image-subpath": of(["image"], rootedSubpath),
  copy: of(["volume"], (draft, { key, value: text }) => void (draft.copyUp = readBoolean(key, text))),
  nocopy: of(["volume"], (draft, { key, value: text }) => void (draft.copyUp = !readBoolean(key, text))),
  "volume-nocopy": of(["volume"], (draft, { key, value: text }) => void (draft.copyUp = !readBoolean(key, text))),
  "volume-driver": of(["volume"], (draft, given) => void (draft.driver = needed(given))),
  "volume-opt": of(
    ["volume"],
    (draft, given) => void ((draft.driverOptions ??= {}), addPair(draft.driverOptions, given)),
  ),
  "volume-label": of(["volume"], (draft, given) => void ((draft.labels ??= {}), addPair(draft.labels, given))),
  "tmpfs-size": tmpfsSize,
  size: tmpfsSize,
  "tmpfs-mode": tmpfsMode,
  mode: tmpfsMode,
  uid: of(["devpts", "tmpfs"], numeric),
  gid: of(["devpts", "tmpfs"], numeric),
  max: of(["devpts"], numeric),
}

/** Reads one key of `--mount`. Throws InvalidArgument in docker's words. */
export function readMountKey(draft: MountDraft, key: string, text: string | undefined, field: string): void {
  const given = { key, value: text, field }
  const reader = Object.hasOwn(READERS, key) ? READERS[key] : undefined
  if (reader !== undefined) return reader(draft, given)
  if (PROPAGATIONS.includes(key)) return READERS["bind-propagation"]?.(draft, { ...given, value: key })
  if (FILE_WORDS.has(key)) return of([...FILES, "tmpfs", "devpts"], word)(draft, given)
  if (isTmpfsWord(key)) return of(["tmpfs"], word)(draft, given)
  throw new InvalidArgument(
    text === undefined ? `invalid field '${field}' must be a key=value pair` : `unexpected key '${key}' in '${field}'`,
  )
}

function needed({ value: text, field }: Given): string {
  if (text === undefined || text === "") throw new InvalidArgument(`invalid field '${field}' must be a key=value pair`)
  return text
}

function oneOf(given: Given, valid: readonly string[]): string {
  const text = needed(given)
  if (valid.includes(text)) return text
  throw new InvalidArgument(`invalid value for ${given.key}: ${text}`, { hint: { valid: [...valid] } })
}

function propagationOf(given: Given): string {
  const text = needed(given)
  if (PROPAGATIONS.includes(text)) return text
  throw new InvalidArgument(`invalid propagation: ${text}`)
}

function addPair(pairs: Record<string, string>, given: Given): void {
  const text = needed(given)
  const equals = text.indexOf("=")
  pairs[equals < 0 ? text : text.slice(0, equals)] = equals < 0 ? "" : text.slice(equals + 1)
}

function numeric(draft: MountDraft, given: Given): void {
  const text = needed(given)
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgument(`invalid value for ${given.key}: ${text}`)
  draft.values.set(given.key, text)
}

function readBoolean(key: string, text: string | undefined): boolean {
  if (text === undefined || /^(?:1|t|true)$/i.test(text)) return true
  if (/^(?:0|f|false)$/i.test(text)) return false
  throw new InvalidArgument(`invalid value for ${key}: ${text}`)
}
