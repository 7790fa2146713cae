/** passwd(5) and group(5) of an image, which may be hostile: read inside its root only, and never by libc's look-up. */
import { InvalidArgument } from "../../base/errors.ts"
import { readFileInRoot } from "./confined.ts"

/** Image files may be anything: no more than this is read of passwd and group (CVE-2026-47262). */
const MAX_FILE_BYTES = 4 * 1024 * 1024
/** The kernel takes 32 bits, but half of the tools read a sign: docker refuses above (CVE-2024-40635). */
const MAX_ID = 2 ** 31 - 1

/** A user as the kernel knows it, and the home that the image names. */
export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: readonly number[]
  /** From passwd; `/` where it says none. */
  home: string
}

/**
 * Looks `user[:group]` up in the passwd and group of the tree at host path `rootfs`, which may be hostile.
 * Digits are always a number, never a name (CVE-2016-3697). `over`: a host directory whose `passwd` and `group` lie over the
 * tree's own. `listed`: whether groups count in which the tree lists the user; default: where no group is named. Throws InvalidArgument.
 */
export function resolveUser(
  rootfs: string,
  text: string,
  groupAdd: readonly string[] = [],
  { over, listed: wanted }: { over?: string | undefined; listed?: "always" | "never" | undefined } = {},
): ResolvedUser {
  if (/[\n\r\0]/.test(text)) throw new InvalidArgument(`invalid user ${JSON.stringify(text.slice(0, 100))}`)
  const [userText = "", groupText, ...rest] = text.split(":")
  if (rest.length > 0) throw new InvalidArgument(`invalid user "${text}"`, { hint: "expected USER[:GROUP]" })
  const passwd = entriesOver(over, rootfs, "passwd")
  const uidWanted = userText === "" ? 0 : parseId(userText, "user")
  const entry = passwd.find((fields) =>
    uidWanted === undefined ? fields[0] === userText : fields[2] !== undefined && fields[2] === `${uidWanted}`,
  )
  if (uidWanted === undefined && !entry)
    throw new InvalidArgument(`unable to find user "${userText}": no matching entries in the image's passwd file`, {
      data: { object: "user", name: userText },
      hint: "give the number of the user, or add the user to the image",
    })
  const uid = uidWanted ?? checkedId(entry?.[2], `user "${userText}"`)
  const needGroups = groupText !== undefined || groupAdd.length > 0 || entry !== undefined
  const groups = needGroups ? entriesOver(over, rootfs, "group") : []
  const gid = groupText
    ? groupId(groups, groupText)
    : entry
      ? checkedId(entry[3], `the group of user "${userText}"`)
      : 0
  const declared = groupAdd.map((name) => groupId(groups, name))
  // a group given by hand replaces those that /etc/group lists the user in
  const isListed = wanted === undefined ? !groupText : wanted === "always"
  const listed = !isListed || !entry ? [] : memberships(groups, entry[0] ?? "")
  return {
    uid,
    gid,
    // with the first group among them, a file's negative group permission holds for it too (CVE-2022-2989)
    additionalGids: [...new Set([gid, ...listed, ...declared])],
    home: entry?.[5]?.startsWith("/") ? entry[5] : "/",
  }
}

/** The highest ids below `limit` that the image's passwd and group name; `nobody` does not count, who is at the end of all ids. */
export function highestIds(rootfs: string, limit: number): Owner {
  const highest = (path: string, name: string): number =>
    entries(rootfs, path)
      .filter(([entry]) => entry !== name && entry !== "nobody")
      .map(([, , id = ""]) => (/^\d{1,10}$/.test(id) ? Number(id) : 0))
      .filter((id) => id < limit)
      .reduce((most, id) => Math.max(most, id), 0)
  return { uid: highest("/etc/passwd", "nobody"), gid: highest("/etc/group", "nogroup") }
}

/** Ids inside the container. */
export interface Owner {
  uid: number
  gid: number
}

/**
 * Looks up `USER[:GROUP]` for the owner of files (COPY --chown), as BuildKit does: a number alone is the group too, and a
 * name that is not there is root's, told by `onUnknown`. Throws InvalidArgument for what cannot be an owner.
 */
export function resolveOwner(rootfs: string, text: string, onUnknown: (name: string) => void): Owner {
  const [userText = "", groupText, ...rest] = text.split(":")
  if (rest.length > 0 || /[\n\r\0]/.test(text))
    throw new InvalidArgument(`invalid owner ${JSON.stringify(text.slice(0, 100))}`, { hint: "expected USER[:GROUP]" })
  const owner = ownerByUser(rootfs, userText, onUnknown)
  if (groupText === undefined || groupText === "") return owner
  const gid = parseId(groupText, "group")
  if (gid !== undefined) return { uid: owner.uid, gid }
  const entry = entries(rootfs, "/etc/group").find((fields) => fields[0] === groupText)
  if (entry === undefined) onUnknown(groupText)
  return { uid: owner.uid, gid: entry === undefined ? owner.gid : checkedId(entry[2], `group "${groupText}"`) }
}

function ownerByUser(rootfs: string, text: string, onUnknown: (name: string) => void): Owner {
  if (text === "") return { uid: 0, gid: 0 }
  const id = parseId(text, "user")
  if (id !== undefined) return { uid: id, gid: id }
  const entry = entries(rootfs, "/etc/passwd").find((fields) => fields[0] === text)
  if (entry === undefined) onUnknown(text)
  return entry === undefined
    ? { uid: 0, gid: 0 }
    : { uid: checkedId(entry[2], `user "${text}"`), gid: checkedId(entry[3], `the group of user "${text}"`) }
}

/** Names of ids, by the passwd and group of a tree; an id that has none is its own name. */
export interface UserNames {
  user(id: number): string
  group(id: number): string
}

/** Reads both files once, when first asked. */
export function userNames(rootfs: string): UserNames {
  const lookUp = (path: string): ((id: number) => string) => {
    let names: Map<string, string> | undefined
    return (id) => {
      // the first entry of an id is the one that counts, as libc's
      names ??= new Map(
        entries(rootfs, path)
          .map(([name = "", , number = ""]) => [number, name] as const)
          .toReversed(),
      )
      return names.get(String(id)) ?? String(id)
    }
  }
  return { user: lookUp("/etc/passwd"), group: lookUp("/etc/group") }
}

function memberships(groups: readonly string[][], name: string): number[] {
  return groups
    .filter((fields) => fields[3]?.split(",").includes(name))
    .map((fields) => checkedId(fields[2], `group "${fields[0]}"`))
}

function groupId(groups: readonly string[][], text: string): number {
  const id = parseId(text, "group")
  if (id !== undefined) return id
  const entry = groups.find((fields) => fields[0] === text)
  if (!entry)
    throw new InvalidArgument(`unable to find group "${text}": no matching entries in the image's group file`, {
      data: { object: "group", name: text },
      hint: "give the number of the group, or add the group to the image",
    })
  return checkedId(entry[2], `group "${text}"`)
}

/** A number in range, or undefined for a name. Throws InvalidArgument for numbers out of range. */
function parseId(text: string, what: string): number | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined
  return checkedId(text, `${what} "${text}"`)
}

function checkedId(text: string | undefined, what: string): number {
  const id = /^\d{1,10}$/.test(text ?? "") ? Number(text) : NaN
  if (!(id <= MAX_ID)) throw new InvalidArgument(`${what} is out of range`, { hint: `ids are from 0 to ${MAX_ID}` })
  return id
}

/** Those of the file in the directory `over`, where it is there; else of the tree's own. */
function entriesOver(over: string | undefined, rootfs: string, name: "passwd" | "group"): string[][] {
  const lines = over === undefined ? [] : entries(over, `/${name}`)
  return lines.length > 0 ? lines : entries(rootfs, `/etc/${name}`)
}

/** The lines of a colon-separated file; none when it is not there. */
function entries(rootfs: string, path: string): string[][] {
  const bytes = readFileInRoot(rootfs, path, MAX_FILE_BYTES)
  if (bytes === undefined) return []
  return Buffer.from(bytes)
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.trimEnd().split(":"))
}
