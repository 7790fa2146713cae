import { readFileSync } from "node:fs"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { close, O_NONBLOCK } from "../../sys/libc.ts"

const ZONES = "/usr/share/zoneinfo"

/** The host's tzfile(5) of a zone, which is bound over /etc/localtime; `local` is the host's own. Throws InvalidArgument. */
export function timeZoneFile(zone: string): Uint8Array {
  if (zone === "local") return readFileSync("/etc/localtime")
  const root = openRoot(ZONES)
  try {
    const fd = openInRoot(root, zone, O_NONBLOCK, 0, "beneath")
    try {
      const bytes = readFileSync(fd)
      if (bytes.subarray(0, 4).toString("latin1") === "TZif") return bytes
    } finally {
      close(fd)
    }
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTDIR", "EXDEV", "EISDIR", "ELOOP")) throw error
  } finally {
    close(root)
  }
  throw new InvalidArgument(`unknown time zone "${zone}"`, {
    field: "etc.timeZone",
    hint: `a name below ${ZONES} of the host, such as Europe/Paris, or local`,
  })
}
