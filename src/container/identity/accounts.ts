/** passwd(5) and group(5) over the image's own, with what is added for this container. */
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import { readFileInRoot } from "../../sys/fs/confined.ts"
import type { ResolvedUser } from "../../sys/fs/image-users.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { readText } from "../../sys/host.ts"
import type { AccountOptions } from "../identity-options.ts"

/** The files lie on the tmpfs of the container's /etc, of which they may take the half. */
const MAX_BYTES = 256 * 1024

/** Who the program is, and whose account of the host that is. */
export interface AccountInput {
  rootfs: string
  user: ResolvedUser
  options: AccountOptions
  /** Home of a user that the image does not know. */
  workdir: string
  /** `keep-id`: the number of the caller on the host, whose name and lines are used. */
  keptUid?: number | undefined
}

/** Bytes of the files, a char for each (`latin1`); undefined: the image's own is seen. */
export interface AccountFiles {
  passwd?: string
  group?: string
}

/** The image's files and what is added. Throws InvalidArgument for an entry of more than a line, FailedPrecondition. */
export function accountFiles({ rootfs, user, options, workdir, keptUid }: AccountInput): AccountFiles {
  const { passwd, passwdEntry, groupEntry, hostUsers = [] } = options
  if (passwd === false) return {}
  const isAsked = passwd === true || keptUid !== undefined || passwdEntry !== undefined
  const own = isAsked ? userLine(rootfs, { user, passwdEntry, workdir, keptUid }) : undefined
  const lines = [...(own === undefined ? [] : [own]), ...hostUsers.map(hostUserLine)]
  const group =
    groupEntry ?? (lines.length > 0 && own !== undefined && passwdEntry === undefined ? DEFAULT_GROUP : undefined)
  const groups = group === undefined ? [] : groupLines(rootfs, group, { user, keptUid })
  return {
    ...(lines.length > 0 && { passwd: withLines(rootfs, "/etc/passwd", lines) }),
    ...(groups.length > 0 && { group: withLines(rootfs, "/etc/group", groups) }),
  }
}

const DEFAULT_PASSWD = "$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/sh"
const DEFAULT_GROUP = "$GROUPNAME:x:$GID:$USERLIST"

function userLine(
  rootfs: string,
  {
    user,
    passwdEntry,
    workdir,
    keptUid,
  }: Pick<AccountInput, "user" | "workdir" | "keptUid"> & { passwdEntry?: string },
): string | undefined {
  if (has(rootfs, "/etc/passwd", user.uid)) return undefined
  const host = keptUid === undefined ? undefined : hostAccount(([, , uid]) => uid === `${keptUid}`)
  const [name = `${user.uid}`, , , , gecos = "container user"] = host ?? []
  return filled(passwdEntry ?? DEFAULT_PASSWD, {
    USERNAME: name,
    UID: `${user.uid}`,
    GID: `${user.gid}`,
    NAME: gecos,
    HOME: workdir,
  })
}

function groupLines(
  rootfs: string,
  entry: string,
  { user, keptUid }: Pick<AccountInput, "user" | "keptUid">,
): string[] {
  if (has(rootfs, "/etc/group", user.gid)) return []
  const host = keptUid === undefined ? undefined : hostAccount(([, , uid]) => uid === `${keptUid}`)
  const name = host?.[0] ?? `${user.gid}`
  return [filled(entry, { GROUPNAME: name, GID: `${user.gid}`, USERLIST: host?.[0] ?? "" })]
}

/** podman's words; anything else with a `$` stays as it is. */
function filled(entry: string, words: Record<string, string>): string {
  if (/[\n\r\0]/.test(entry)) throw new InvalidArgument("an entry of passwd or group is one line")
  return entry.replace(/\$([A-Z]+)/g, (whole, word: string) => plain(words[word] ?? whole))
}

/** What a colon or the end of a line would make another field or another user of (CVE-2022-4318). */
function plain(text: string): string {
  return text.replace(/[:\n\r\0]/g, "_")
}

function hostUserLine(name: string): string {
  const found = hostAccount(([one, , uid]) => one === name || uid === name)
  if (found === undefined)
    throw new FailedPrecondition(`no such user on the host: "${name}"`, { field: "accounts.hostUsers" })
  const [account = "", , uid = "", gid = "", gecos = "", home = "/", shell = "/bin/sh"] = found
  return [account, "*", uid, gid, gecos, home, shell].map(plain).join(":")
}

function hostAccount(fits: (fields: string[]) => boolean): string[] | undefined {
  return (readText("/etc/passwd") ?? "")
    .split("\n")
    .map((line) => line.split(":"))
    .find(fits)
}

function has(rootfs: string, path: string, id: number): boolean {
  return textOf(rootfs, path)
    .split("\n")
    .some((line) => line.split(":")[2] === `${id}`)
}

function withLines(rootfs: string, path: string, lines: readonly string[]): string {
  const text = textOf(rootfs, path)
  // as UTF-8: of a char beyond U+00FF one byte would be left, which may be a line's end (CVE-2022-4318)
  const added = rawName(`${lines.join("\n")}\n`)
  const whole = `${text === "" || text.endsWith("\n") ? text : `${text}\n`}${added}`
  if (whole.length > MAX_BYTES)
    throw new FailedPrecondition(`"${path}" of the image is too long to add lines to it`, {
      hint: { do: "set", field: "accounts.passwd", value: "false" },
    })
  return whole
}

/** A file of the image, which may be hostile: beside its own bytes nothing is believed of it. */
function textOf(rootfs: string, path: string): string {
  const bytes = readFileInRoot(rootfs, path, MAX_BYTES)
  return bytes === undefined ? "" : Buffer.from(bytes).toString("latin1")
}
