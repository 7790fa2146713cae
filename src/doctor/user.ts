/** What an ordinary user needs beyond the kernel: ids, their mapper, a place for run state. */
import { existsSync, lstatSync, statSync } from "node:fs"
import { release } from "node:os"
import { accountName } from "../sys/account.ts"
import { findProgram, readText } from "../sys/host.ts"
import { asRoot, installCommand } from "../sys/install-command.ts"
import { runtimeDirectory } from "../sys/fs/paths.ts"
import { subordinateIds, type IdRange } from "../sys/rootless/id-map.ts"
import { canOpen } from "./can-open.ts"
import { missing, notNeeded, ok, warning, type Check, type Finding, type HostProbe } from "./check.ts"

const SETUID = 0o4000
const PACKAGES = { debian: "uidmap", fedora: "shadow-utils", alpine: "shadow-uidmap", arch: "shadow", suse: "shadow" }
/** Images have files of 65,536 ids: nobody is 65534. */
const USUAL_COUNT = 65_536
/** login.defs(5), SUB_UID_MIN. */
const FIRST_SUBORDINATE = 100_000

/** What only an ordinary user needs. */
export const userChecks: readonly Check[] = [
  { name: "subuid", purpose: "files of other users in images", look: lookAtSubordinateIds },
  { name: "newuidmap", purpose: "maps the ids of /etc/subuid", look: lookAtMappers },
  { name: "run directory", purpose: "state that does not survive a reboot", look: lookAtRunDirectory },
  { name: "other ids", purpose: "containers with ids of their own", look: lookAtMappedFiles },
  { name: "linger", purpose: "containers keep running after logout", look: lookAtLinger },
]

function lookAtSubordinateIds({ uid }: HostProbe): Finding {
  if (uid === undefined) return notNeeded("root has all ids")
  const name = accountName(uid) ?? String(uid)
  const ids = subordinateIds(uid)
  // without them skiff runs with the user's one id: most images then cannot be extracted whole
  if (ids === undefined) {
    const range = freeRange(`${readText("/etc/subuid") ?? ""}\n${readText("/etc/subgid") ?? ""}`)
    const repair = asRoot(`usermod --add-subuids ${range} --add-subgids ${range} ${name}`)
    return warning(`no range for ${name} in /etc/subuid and /etc/subgid`, repair)
  }
  const [uids, gids] = [total(ids.uids), total(ids.gids)]
  const detail = `${uids} uids, ${gids} gids for ${name}`
  return Math.min(uids, gids) < USUAL_COUNT - 1 ? warning(`${detail}; images use ${USUAL_COUNT}`) : ok(detail)
}

function total(ranges: readonly IdRange[]): number {
  return ranges.reduce((sum, range) => sum + range.count, 0)
}

/** `FIRST-LAST` above all ranges that somebody has: two users of one range could touch each other's files. */
export function freeRange(text: string): string {
  const ends = [...text.matchAll(/^[^:#\n]+:(\d+):(\d+)\s*$/gm)].map(
    ([, first, count]) => Number(first) + Number(count),
  )
  const first = Math.max(FIRST_SUBORDINATE, ...ends)
  return `${first}-${first + USUAL_COUNT - 1}`
}

async function lookAtMappers({ uid }: HostProbe): Promise<Finding> {
  if (uid === undefined) return notNeeded("root maps ids itself")
  const paths = ["newuidmap", "newgidmap"].map((name) => ({ name, path: findProgram(name) }))
  const absent = paths.filter(({ path }) => path === undefined).map(({ name }) => name)
  if (absent.length > 0) return missing(`no ${absent.join(", ")}`, installCommand(PACKAGES))
  const found = paths.map(({ path }) => path ?? "")
  for (const path of found)
    if ((statSync(path).mode & SETUID) === 0 && !(await hasFileCapability(path)))
      return missing(`${path} is neither setuid nor has the capability`, asRoot(`chmod u+s ${found.join(" ")}`))
  return ok(found.join(", "))
}

/** Fedora and Arch give the mappers a file capability in place of setuid. */
async function hasFileCapability(path: string): Promise<boolean> {
  const { getAttribute } = await import("../sys/fs/xattr.ts")
  return getAttribute(path, "security.capability") !== undefined
}

/** overlayfs takes id-mapped layers from here on. */
const MAPPED_LAYERS = [5, 19] as const

/** The owners of an image's files are mapped by the kernel for root, and by fuse-overlayfs for an ordinary user. */
function lookAtMappedFiles({ uid }: HostProbe): Finding {
  if (uid === undefined) {
    const [major = 0, minor = 0] = release().split(".").map(Number)
    const [wantedMajor, wantedMinor] = MAPPED_LAYERS
    const isThere = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
    const detail = `overlayfs of Linux ${release()}`
    return isThere ? ok(`${detail} takes id-mapped layers`) : warning(`${detail} takes no id-mapped layers`)
  }
  const fuse = findProgram("fuse-overlayfs")
  if (fuse === undefined) return warning("no fuse-overlayfs", installCommand({ debian: "fuse-overlayfs" }))
  return canOpen("/dev/fuse") ? ok(fuse) : warning("/dev/fuse cannot be opened", asRoot("chmod 0666 /dev/fuse"))
}

function lookAtRunDirectory({ uid, paths }: HostProbe): Finding {
  if (uid === undefined) return ok(paths.runRoot)
  const directory = runtimeDirectory(uid)
  const stat = lstatSync(directory, { throwIfNoEntry: false })
  if (stat === undefined && directory.startsWith("/tmp/")) return ok(`${directory}, made when needed`)
  if (stat === undefined || !stat.isDirectory() || stat.uid !== process.getuid?.())
    return missing(`XDG_RUNTIME_DIR "${directory}" is not a directory of yours`, "unset XDG_RUNTIME_DIR")
  return ok(directory)
}

function lookAtLinger({ uid }: HostProbe): Finding {
  if (uid === undefined) return notNeeded("root's containers do not depend on a session")
  if (!existsSync("/run/systemd/system")) return notNeeded("no systemd that would end the processes of a session")
  const name = accountName(uid) ?? String(uid)
  if (existsSync(`/var/lib/systemd/linger/${name}`)) return ok("on")
  return warning(`off: systemd may end the containers of ${name} at logout`, `loginctl enable-linger ${name}`)
}
