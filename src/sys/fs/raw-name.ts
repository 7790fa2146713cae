/**
 * File names are bytes, not text. Here they are held as strings of one char a byte ("latin1"): they compare, split and
 * serve as map keys like text, and no byte is lost. Only what is shown to people is decoded.
 */
import { lastErrno, SystemError } from "../libc.ts"

const SCRATCH_BYTES = 8192
const scratches = [Buffer.alloc(SCRATCH_BYTES), Buffer.alloc(SCRATCH_BYTES)] as const

/**
 * The C string of a raw name, for the next FFI call only: the buffer is used again. `slot` 1 is for calls with two names.
 * The name must be free of NUL and shorter than 8 KiB, which all that comes from the kernel or `archive/` is.
 */
export function rawCString(name: string, slot: 0 | 1 = 0): Uint8Array {
  const scratch = scratches[slot]
  if (name.length >= SCRATCH_BYTES) return Buffer.from(`${name}\0`, "latin1")
  scratch[scratch.write(name, 0, "latin1")] = 0
  return scratch
}

/** A raw name from text: what UTF-8 makes of it. */
export function rawName(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1")
}

/** A raw name for people, in quotes. */
export function shownName(name: string): string {
  return JSON.stringify(Buffer.from(name, "latin1").toString("utf8"))
}

/** `check` of a call on a raw name, which is made readable only for an error. */
export function checkNamed(result: number | bigint, call: string, name: string): number {
  if (result >= 0) return Number(result)
  const errno = lastErrno() // first: nothing may come between the call and this
  throw new SystemError(call, errno, shownName(name))
}
