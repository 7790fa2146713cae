import { inSlices } from "../../base/time-slice.ts"
import { openRoot } from "./confined.ts"
import { readDirectory, statAt, statOf } from "./directory.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW } from "../libc.ts"
import { rawCString } from "./raw-name.ts"

const MAX_DEPTH = 512

/**
 * What a tree takes on disk: allocated bytes, as du counts them, and files. Hard links count once.
 * Nothing is followed; what another process removes meanwhile, or lies deeper than 512 directories, is not counted.
 */
export async function treeUsage(path: string, signal?: AbortSignal): Promise<{ bytes: number; inodes: number }> {
  return await inSlices(usageOf(path), signal)
}

function* usageOf(path: string): Generator<void, { bytes: number; inodes: number }> {
  const seen = new Set<string>()
  const usage = { bytes: 0, inodes: 0 }
  const count = (stat: { allocatedBytes: number; links: number; identity: string; type: string }): void => {
    if (stat.links > 1 && stat.type !== "directory") {
      if (seen.has(stat.identity)) return
      seen.add(stat.identity)
    }
    usage.bytes += stat.allocatedBytes
    usage.inodes++
  }
  function* walk(fd: number, depth: number): Generator<void, void> {
    for (const { name, isDirectory } of readDirectory(fd)) {
      yield
      const stat = statAt(fd, name)
      if (stat === undefined) continue
      count(stat)
      if (!isDirectory || depth === MAX_DEPTH || stat.isMountRoot) continue
      const child = libc.openat(fd, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
      if (child < 0) continue
      try {
        yield* walk(child, depth + 1)
      } finally {
        close(child)
      }
    }
  }
  const rootFd = openRoot(path)
  try {
    count(statOf(rootFd))
    const fd = libc.openat(rootFd, rawCString("."), O_DIRECTORY | O_CLOEXEC, 0)
    try {
      yield* walk(fd, 0)
    } finally {
      close(fd)
    }
  } finally {
    close(rootFd)
  }
  return usage
}
