import { close, pipe } from "../libc.ts"
import { spawnProcess } from "./process.ts"

const SIGKILL = 9

/**
 * Starts who removes the directory at `path`, with all that is in it, when this process ends without having disposed of this, however that
 * is: then the pipe ends that it reads. A terminal's Ctrl-C does not reach it. On a host without a shell nobody does.
 */
export function removeWhenKilled(path: string): Disposable {
  const { readEnd, writeEnd } = pipe()
  try {
    const child = spawnProcess(["/bin/sh", "-c", 'read -r _; exec rm -rf -- "$1"', "sh", path], {
      stdio: [readEnd, "ignore", "ignore"],
      cwd: "/",
      detached: true,
    })
    child.unref()
    return {
      [Symbol.dispose]() {
        child.kill(SIGKILL)
        close(writeEnd)
      },
    }
  } catch {
    return { [Symbol.dispose]: () => close(writeEnd) }
  } finally {
    close(readEnd)
  }
}
