import { InvalidArgument } from "../../base/errors.ts"
import { parseNamespaceMode } from "./namespace-mode.ts"

/** Ids of a user namespace: `count` ids from `inside` on are those from `outside` on of the namespace that the engine is in. */
export interface IdMapping {
  inside: number
  outside: number
  count: number
  /** `outside` is an id of the host, also where the engine has ids of its own. */
  ofHost?: boolean
}

/**
 * Whose ids a container has. Default and `host`: the engine's, which are an ordinary user's own and his subordinate ones.
 *
 *   auto       ids of its own, which no other container has, for as long as it exists
 *   keep-id    the caller is the same number inside, and the program's user
 *   nomap      the caller is nobody inside
 *   as-caller  the program's user is the caller on the host, and all others are who they are without; `isAutomatic`: nobody asked for it
 *   mapped     as given; `subordinate`: all ranges of that name in /etc/subuid and /etc/subgid
 */
export type UserNamespaceMode =
  | { kind: "host" }
  | { kind: "auto"; size?: number; uids?: readonly IdMapping[]; gids?: readonly IdMapping[] }
  | { kind: "keep-id"; uid?: number; gid?: number }
  | { kind: "nomap" }
  | { kind: "as-caller"; isAutomatic?: true }
  | { kind: "mapped"; uids: readonly IdMapping[]; gids: readonly IdMapping[] }
  | { kind: "subordinate"; uidName: string; gidName: string }
  | { kind: "container"; container: string }
  | { kind: "path"; path: string }

/** `CONTAINER:OUTSIDE[:COUNT]`; `@OUTSIDE` is an id of the host, as podman has it. Throws InvalidArgument. */
export function parseIdMapping(text: string): IdMapping {
  const [, inside, host, outside, count = "1"] = /^(\d{1,10}):(@?)(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? []
  if (inside === undefined || outside === undefined)
    throw new InvalidArgument(`invalid map of ids "${text}"`, {
      hint: "expected CONTAINER:OUTSIDE[:COUNT], all numbers",
    })
  const ofHost = host === "@"
  return { inside: Number(inside), outside: Number(outside), count: Number(count), ...(ofHost && { ofHost }) }
}

/** Parses `host`, `auto[:OPTIONS]`, `keep-id[:OPTIONS]`, `nomap`, `container:NAME`, `ns:PATH`; `private` is of its own ids, which somebody must name. Throws InvalidArgument. */
export function parseUserNamespace(text: string): UserNamespaceMode | { kind: "private" } | undefined {
  const [, kind = "", options] = /^(auto|keep-id|nomap)(?::(.*))?$/.exec(text) ?? []
  const words = options === undefined || options === "" ? [] : options.split(",")
  if (kind === "auto") return readAuto(words)
  if (kind === "keep-id") return readKeepId(words)
  if (kind === "nomap" && words.length === 0) return { kind: "nomap" }
  return parseNamespaceMode(text, "USER")
}

function readAuto(words: readonly string[]): UserNamespaceMode {
  const uids: IdMapping[] = []
  const gids: IdMapping[] = []
  let size: number | undefined
  for (const word of words) {
    const [, key, value = ""] = /^(size|uidmapping|gidmapping)=(.+)$/.exec(word) ?? []
    if (key === "size") size = readId(value, word)
    else if (key === "uidmapping") uids.push(parseIdMapping(value))
    else if (key === "gidmapping") gids.push(parseIdMapping(value))
    else throw unknownOption(word, ["size=N", "uidmapping=C:O:N", "gidmapping=C:O:N"])
  }
  if (size === 0) throw new InvalidArgument("a user namespace has at least one id")
  return { kind: "auto", ...(size === undefined ? {} : { size }), uids, gids }
}

function readKeepId(words: readonly string[]): UserNamespaceMode {
  const kept: { uid?: number; gid?: number } = {}
  for (const word of words) {
    const [, key, value = ""] = /^(uid|gid)=(.+)$/.exec(word) ?? []
    if (key !== "uid" && key !== "gid") throw unknownOption(word, ["uid=UID", "gid=GID"])
    kept[key] = readId(value, word)
  }
  return { kind: "keep-id", ...kept }
}

function readId(text: string, word: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgument(`"${word}" is no number`)
  return Number(text)
}

function unknownOption(word: string, valid: readonly string[]): InvalidArgument {
  return new InvalidArgument(`unknown option "${word}" of the user namespace`, { hint: { valid } })
}

/** The same where no map can be given beside it: `private` is `auto`. Throws InvalidArgument. */
export function parseWholeUserNamespace(text: string): UserNamespaceMode | undefined {
  const mode = parseUserNamespace(text)
  return mode?.kind === "private" ? { kind: "auto" } : mode
}
