import { writeSync } from "node:fs"
import { log } from "../base/log.ts"
import { close, pipe } from "../sys/libc.ts"
import { spawnProcess } from "../sys/process/process.ts"

/** A shell that sees the end of our process, and has a new skiff end what a killed build was running. */
export interface Watcher {
  /** All is in order: it ends, and does nothing. */
  dismiss(): void
}

/** `read` fails at the end of the pipe: we have died. A shell costs a millisecond and next to no memory. */
const WATCH = 'read -r _ || exec "$@"'

/** Runs `sweepCommand` as soon as this process dies undismissed. */
export function watchBuild(sweepCommand: readonly string[]): Watcher {
  const { readEnd, writeEnd } = pipe()
  try {
    spawnProcess(["/bin/sh", "-c", WATCH, "sh", ...sweepCommand], {
      cwd: "/",
      stdio: [readEnd, "ignore", "ignore"],
      detached: true,
    }).unref()
  } finally {
    close(readEnd)
  }
  return {
    dismiss: () => {
      try {
        writeSync(writeEnd, "\n")
      } catch (error) {
        log.debug("the shell that watched the build has gone", { error: String(error) })
      }
      close(writeEnd)
    },
  }
}
