import { ptr } from "bun:ffi"
import { check, close, libc, O_CLOEXEC } from "../libc.ts"

const AF_UNIX = 1
const SOCK_DGRAM = 2
/** unix(7): `sun_path`, with its NUL. */
const MAX_PATH_BYTES = 108

/** Sends one message to the socket of a service manager (sd_notify(3)); `@` begins an abstract name. Throws SystemError. */
export function notifyServiceManager(path: string, message: string): void {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : path)
  if (name.length >= MAX_PATH_BYTES) throw new RangeError(`the path of the notify socket is too long: ${path}`)
  const address = Buffer.alloc(2 + name.length)
  address.writeUInt16LE(AF_UNIX)
  name.copy(address, 2)
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0), "socket")
  try {
    check(libc.connect(fd, ptr(address), address.length), "connect", path)
    const bytes = Buffer.from(message)
    check(Number(libc.send(fd, ptr(bytes), bytes.length, 0)), "send", path)
  } finally {
    close(fd)
  }
}
