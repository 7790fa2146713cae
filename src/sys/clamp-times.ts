import { setTimesAt } from "./attributes.ts"
import { openRoot } from "./confined.ts"
import { readDirectory, statAt } from "./directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "./libc.ts"
import { checkNamed, rawCString } from "./raw-name.ts"

/** Brings every file of a hostile tree that is younger than `epoch` (seconds) to that time. Nothing is followed. */
export function clampTimes(path: string, epoch: number): void {
  const limit = BigInt(epoch)
  const clamp = (folder: number, name: string): void => {
    const mtime = statAt(folder, name)?.mtime
    if (mtime !== undefined && (mtime.seconds > limit || (mtime.seconds === limit && mtime.nanoseconds > 0)))
      setTimesAt(folder, name, { seconds: limit, nanoseconds: 0 })
  }
  const walk = (folder: number): void => {
    for (const { name, isDirectory } of readDirectory(folder)) {
      if (isDirectory) {
        const flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        const child = checkNamed(libc.openat(folder, rawCString(name), flags, 0), "open", name)
        try {
          walk(child)
        } finally {
          close(child)
        }
      }
      clamp(folder, name)
    }
  }
  const root = openRoot(path)
  try {
    const folder = checkNamed(libc.openat(root, rawCString("."), O_DIRECTORY | O_CLOEXEC, 0), "open", ".")
    try {
      walk(folder)
      clamp(root, ".")
    } finally {
      close(folder)
    }
  } finally {
    close(root)
  }
}
