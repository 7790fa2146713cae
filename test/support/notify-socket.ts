/** A service manager's socket, as sd_notify(3) writes to it. */
import { chmodSync } from "node:fs"
import { ptr } from "bun:ffi"
import { check, close, libc, O_CLOEXEC } from "../../src/sys/libc.ts"

const AF_UNIX = 1
const SOCK_DGRAM = 2
const MSG_DONTWAIT = 0x40

export class NotifySocket implements Disposable {
  readonly #fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0), "socket")

  constructor(readonly path: string) {
    const address = Buffer.alloc(2 + path.length)
    address.writeUInt16LE(AF_UNIX)
    address.write(path, 2)
    check(libc.bind(this.#fd, ptr(address), address.length), "bind", path)
    chmodSync(path, 0o777)
  }

  /** All that has come, oldest first. */
  messages(): string[] {
    const all: string[] = []
    const buffer = Buffer.alloc(4096)
    for (;;) {
      const length = Number(libc.recv(this.#fd, ptr(buffer), buffer.length, MSG_DONTWAIT))
      if (length <= 0) return all
      all.push(buffer.toString("utf8", 0, length))
    }
  }

  [Symbol.dispose](): void {
    close(this.#fd)
  }
}
