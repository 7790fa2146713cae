import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { parseLogEntry } from "../log-entry.ts"

const TAIL_BYTES = 8 * 1024
const NEWLINE = 0x0a

/** What a loader or a shell says last when it cannot go on. */
export type LastWords =
  | { library: string; neededBy?: string }
  /** `isThere`: it was found and may not be run. */
  | { command: string; isThere: boolean }

/** A name in a message: hostile text, so only what a library or a command is called by. */
const NAME = String.raw`([\w.+:/@-]{1,200})`
const LOADERS = [
  // glibc, ld.so(8)
  new RegExp(`(?:^|${NAME}: )error while loading shared libraries: ${NAME}: `),
  // musl: the library first
  new RegExp(`Error loading shared library ${NAME}: .*?(?:\\(needed by ${NAME}\\))?$`),
]
const SHELLS = [
  new RegExp(`^(?:.*: )?${NAME}: (?:command )?not found$`),
  new RegExp(`^(?:.*: )?${NAME}: (?:No such file or directory)$`),
]
const FORBIDDEN = new RegExp(`^(?:.*: )?${NAME}: (?:Permission denied|cannot execute.*)$`)

/** Reads the end of the log file at `path`, newest line first, for a reason; undefined when there is none. */
export function lastWords(path: string): LastWords | undefined {
  for (const line of tailLines(path).toReversed()) {
    const words = understand(line)
    if (words !== undefined) return words
  }
  return undefined
}

/** One line of a program's output. Pure. */
export function understand(line: string): LastWords | undefined {
  const glibc = LOADERS[0]?.exec(line)
  if (glibc?.[2] !== undefined) return { library: glibc[2], ...(glibc[1] === undefined ? {} : { neededBy: glibc[1] }) }
  const musl = LOADERS[1]?.exec(line)
  if (musl?.[1] !== undefined) return { library: musl[1], ...(musl[2] === undefined ? {} : { neededBy: musl[2] }) }
  const command = SHELLS.map((shell) => shell.exec(line)?.[1]).find((name) => name !== undefined)
  if (command !== undefined) return { command, isThere: false }
  const forbidden = FORBIDDEN.exec(line)?.[1]
  return forbidden === undefined ? undefined : { command: forbidden, isThere: true }
}

/** The newest lines of a log file, the last one last; none when it cannot be read. */
export function tailLines(path: string): string[] {
  let fd: number
  try {
    fd = openSync(path, "r")
  } catch {
    return []
  }
  try {
    const start = Math.max(0, fstatSync(fd).size - TAIL_BYTES)
    const bytes = Buffer.alloc(TAIL_BYTES)
    const tail = bytes.subarray(0, readSync(fd, bytes, 0, TAIL_BYTES, start))
    const lines: string[] = []
    for (let from = 0, end = tail.indexOf(NEWLINE); end >= 0; from = end + 1, end = tail.indexOf(NEWLINE, from)) {
      const entry = parseLogEntry(tail.subarray(from, end))
      if (entry) lines.push(Buffer.from(entry.content).toString().trimEnd())
    }
    return lines.slice(-20)
  } finally {
    closeSync(fd)
  }
}
