import { InvalidArgument } from "../../base/errors.ts"
import { PROPAGATIONS, type ShownFiles } from "./mount-request.ts"

/** What the words after the second colon of `-v` say; `--mount` has most of them as keys of their own. */
export interface MountWords extends ShownFiles {
  readOnly: boolean
  propagation?: string
  copyUp: boolean
}

/** SELinux labels and docker desktop's consistency: without meaning here, and no mistake. */
const WITHOUT_EFFECT = ["z", "Z", "cached", "delegated", "consistent", "bind", "rbind"]
/** Of each line one may be said. */
const PAIRS = [
  ["exec", "noexec"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["atime", "noatime", "relatime", "strictatime"],
  ["diratime", "nodiratime"],
]

/** Words of mount(8) that any mount of files takes. */
export const FILE_WORDS: ReadonlySet<string> = new Set(PAIRS.flat())

const EXCLUSIVE = [["ro", "rro", "rw"], ["copy", "nocopy"], ["z", "Z"], ["bind", "rbind"], [...PROPAGATIONS], ...PAIRS]
const FLAGS = new Set([
  "ro",
  "rro",
  "rw",
  "copy",
  "nocopy",
  "O",
  "U",
  ...WITHOUT_EFFECT,
  ...PROPAGATIONS,
  ...FILE_WORDS,
])
const PLAIN = ["ro", "rw", "rro", "copy", "nocopy", "z", "Z", "O", "U", "idmap", ...PROPAGATIONS, ...PAIRS.flat()]

/**
 * Reads docker's and podman's `ro,rshared,U,idmap=…`. Throws InvalidArgument for an unknown word, and for two that contradict
 * each other.
 */
export function parseMountWords(mode: string): MountWords {
  const words = mode === "" ? [] : mode.split(",")
  const values = new Map<string, string>()
  for (const word of words) {
    const equals = word.indexOf("=")
    const key = equals < 0 ? word : word.slice(0, equals)
    if (/^(?:idmap|upperdir|workdir)$/.test(key)) values.set(key, equals < 0 ? "" : word.slice(equals + 1))
    else if (!FLAGS.has(word)) throw new InvalidArgument(`invalid mode: ${mode}`, { hint: { valid: PLAIN } })
  }
  const has = (word: string): boolean => words.includes(word)
  if (EXCLUSIVE.some((group) => group.filter(has).length > 1) || new Set(words).size < words.length)
    throw new InvalidArgument(`invalid mode: ${mode}`, { hint: "two of its words contradict each other" })
  const options = words.filter((word) => FILE_WORDS.has(word))
  const propagation = words.find((word) => PROPAGATIONS.includes(word))
  const idMap = values.get("idmap")
  const overlay = overlayOf(has("O"), values, mode)
  return {
    readOnly: has("ro") || has("rro"),
    copyUp: !has("nocopy"),
    ...(propagation === undefined ? {} : { propagation }),
    ...(options.length === 0 ? {} : { options }),
    ...(has("rro") ? { recursion: "readonly" as const } : has("bind") ? { recursion: "none" as const } : {}),
    ...(overlay === undefined ? {} : { overlay }),
    ...(has("U") ? { chown: true } : {}),
    ...(idMap === undefined ? {} : { idMap }),
  }
}

function overlayOf(isAsked: boolean, values: ReadonlyMap<string, string>, mode: string): ShownFiles["overlay"] {
  const [upper, work] = [values.get("upperdir"), values.get("workdir")]
  if (!isAsked && upper === undefined && work === undefined) return undefined
  if (!isAsked) throw new InvalidArgument(`invalid mode: ${mode}: upperdir and workdir are of an overlay, O`)
  if ((upper === undefined) !== (work === undefined))
    throw new InvalidArgument("cannot specify only one of upperdir and workdir: an overlay needs both")
  if (upper === undefined || work === undefined) return {}
  for (const path of [upper, work])
    if (!path.startsWith("/"))
      throw new InvalidArgument(`invalid directory of an overlay '${path}': it must be absolute`)
  return { upper, work }
}

/** The same as words, in podman's order; "" when nothing was said. Pure. */
export function formatMountWords(
  shown: ShownFiles & { readOnly: boolean; propagation?: string; copyUp?: boolean },
): string {
  const { readOnly, recursion, propagation, options = [], overlay, chown, idMap, copyUp = true } = shown
  const readOnlyWord = readOnly ? [recursion === "readonly" ? "rro" : "ro"] : []
  return [
    ...readOnlyWord,
    ...(recursion === "none" ? ["bind"] : []),
    ...(propagation === undefined ? [] : [propagation]),
    ...options,
    ...(copyUp ? [] : ["nocopy"]),
    ...(overlay === undefined ? [] : ["O"]),
    ...(overlay?.upper === undefined ? [] : [`upperdir=${overlay.upper}`, `workdir=${overlay.work ?? ""}`]),
    ...(chown === true ? ["U"] : []),
    ...(idMap === undefined ? [] : [idMap === "" ? "idmap" : `idmap=${idMap}`]),
  ].join(",")
}
