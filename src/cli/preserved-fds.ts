import { fstatSync } from "node:fs"
import { InvalidArgument } from "../base/errors.ts"
import { UsageError } from "./errors/usage-error.ts"
import { flag, type FlagValues } from "./flag.ts"

/** Of the descriptors of a process, those that it has without asking. */
const STANDARD = 3
/** More are a mistake. */
const MOST = 1024

/** Flags of `run` and `exec` for descriptors that whoever calls us has open. */
export const PRESERVE_FLAGS = {
  preserveFd: flag.list(readFds, "Pass these file descriptors on to the program", "fd"),
  preserveFds: flag.of(readCount, "Pass so many file descriptors, from 3 on, on to the program", "uint"),
}

/** The descriptors that are asked for, each of them open. Throws UsageError for one that is not. */
export function preservedFdsOf({ preserveFd, preserveFds = 0 }: FlagValues<typeof PRESERVE_FLAGS>): number[] {
  if (preserveFd.length > 0 && preserveFds > 0)
    throw new UsageError("--preserve-fd and --preserve-fds cannot be used together")
  const fds = [...preserveFd.flat(), ...Array.from({ length: preserveFds }, (_, index) => index + STANDARD)]
  for (const fd of fds) checkOpen(fd)
  return fds
}

function checkOpen(fd: number): void {
  try {
    fstatSync(fd)
  } catch (cause) {
    throw new UsageError(
      `file descriptor ${fd} is not available - the preserve-fds option requires that file descriptors must be passed`,
      { cause, hint: `open it first: skiff … ${fd}< FILE` },
    )
  }
}

function readFds(text: string): number[] {
  return text.split(",").map((word) => {
    const fd = readCount(word)
    if (fd < STANDARD)
      throw new InvalidArgument(`the program has descriptor ${fd} anyhow`, { hint: "expected 3 or more" })
    return fd
  })
}

function readCount(text: string): number {
  if (!/^\d{1,4}$/.test(text) || Number(text) > MOST) throw new InvalidArgument(`expected a number, at most ${MOST}`)
  return Number(text)
}
