/** Flags of `run` and `create` that say which ids a container has: podman's, and docker's `--userns host`. */
import { InvalidArgument } from "../../base/errors.ts"
import type { IdMapping, UserNamespaceMode } from "../../container/container.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import { readMode } from "./namespaces.ts"

export const USER_NAMESPACE_FLAGS = {
  gidmap: flag.list(readMapping, "GID map to use for the user namespace", "CONTAINER:OUTSIDE[:COUNT]"),
  subgidname: flag.string("Name of the range in /etc/subgid to map"),
  subuidname: flag.string("Name of the range in /etc/subuid to map"),
  uidmap: flag.list(readMapping, "UID map to use for the user namespace", "CONTAINER:OUTSIDE[:COUNT]"),
  userns: flag.of(
    readUserNamespace,
    "User namespace to use ('host', 'auto[:OPTIONS]', 'keep-id[:OPTIONS]', 'nomap', 'container:<name|id>', 'ns:<path>')",
    "string",
  ),
}

/** Undefined when nothing is asked for. Throws UsageError for flags that contradict each other. */
export function userNamespaceOption(flags: FlagValues<typeof USER_NAMESPACE_FLAGS>): UserNamespaceMode | undefined {
  const { uidmap, gidmap, subuidname, subgidname, userns } = flags
  const isMapped = uidmap.length + gidmap.length > 0
  const isNamed = subuidname !== undefined || subgidname !== undefined
  if (isMapped && isNamed) throw new UsageError("--uidmap, --gidmap and --subuidname, --subgidname cannot both be set")
  if ((isMapped || isNamed) && userns !== undefined && userns.kind !== "private")
    throw new UsageError("--userns and --uidmap, --gidmap, --subuidname, --subgidname cannot both be set")
  if (isNamed) {
    const uidName = subuidname ?? subgidname ?? ""
    return { kind: "subordinate", uidName, gidName: subgidname ?? uidName }
  }
  // podman: one of them alone is for both
  if (isMapped)
    return { kind: "mapped", uids: uidmap.length > 0 ? uidmap : gidmap, gids: gidmap.length > 0 ? gidmap : uidmap }
  if (userns?.kind === "private") throw new UsageError("--userns private needs a map: give --uidmap, or --userns auto")
  return userns
}

/** `CONTAINER:OUTSIDE[:COUNT]`; `@OUTSIDE` is an id of the host, as podman has it. */
function readMapping(text: string): IdMapping {
  const [, inside, host, outside, count = "1"] = /^(\d{1,10}):(@?)(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? []
  if (inside === undefined || outside === undefined)
    throw new InvalidArgument(`invalid map of ids "${text}"`, {
      hint: "expected CONTAINER:OUTSIDE[:COUNT], all numbers",
    })
  const ofHost = host === "@"
  return { inside: Number(inside), outside: Number(outside), count: Number(count), ...(ofHost && { ofHost }) }
}

function readUserNamespace(text: string): UserNamespaceMode | { kind: "private" } | undefined {
  const [, kind = "", options] = /^(auto|keep-id|nomap)(?::(.*))?$/.exec(text) ?? []
  const words = options === undefined || options === "" ? [] : options.split(",")
  if (kind === "auto") return readAuto(words)
  if (kind === "keep-id") return readKeepId(words)
  if (kind === "nomap" && words.length === 0) return { kind: "nomap" }
  return readMode(text, "USER")
}

function readAuto(words: readonly string[]): UserNamespaceMode {
  const uids: IdMapping[] = []
  const gids: IdMapping[] = []
  let size: number | undefined
  for (const word of words) {
    const [, key, value = ""] = /^(size|uidmapping|gidmapping)=(.+)$/.exec(word) ?? []
    if (key === "size") size = readId(value, word)
    else if (key === "uidmapping") uids.push(readMapping(value))
    else if (key === "gidmapping") gids.push(readMapping(value))
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
