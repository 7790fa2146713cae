import { lastErrno, libc } from "../libc.ts"

/** ioctl_ficlonerange(2). */
const FICLONE = 0x40049409
const EINTR = 4
const ETXTBSY = 26

/** Copies whole files by reflink: both then share their blocks until one of them is written to. */
export class FileCloner {
  #isPossible = true

  /** False where this file system cannot; it is not asked again then. */
  clone(from: number, to: number): boolean {
    if (!this.#isPossible) return false
    // the third argument is the descriptor itself, in a pointer's place
    if (Number(libc.syscall(SYS_IOCTL, to, FICLONE, from, 0, 0)) === 0) return true
    const errno = lastErrno()
    if (errno !== EINTR && errno !== ETXTBSY) this.#isPossible = false
    return false
  }
}

/** x86-64, and arm64 (asm-generic/unistd.h). */
const SYS_IOCTL = process.arch === "x64" ? 16 : 29
