import { existsSync } from "node:fs"
import { hasErrno } from "../base/errors.ts"
import { openRoot } from "../sys/fs/confined.ts"
import { readDirectory, statAt } from "../sys/fs/directory.ts"
import { rawCString } from "../sys/fs/raw-name.ts"
import { close, libc, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } from "../sys/libc.ts"
import type { LayerContents } from "./snapshot.ts"

/** Of the files in `directory`: by their tar-split where that is there, which costs a tenth of a walk. */
export function openLayerContents(directory: string, tarSplit: string): LayerContents {
  const root = openRoot(directory)
  return {
    async list() {
      if (!existsSync(tarSplit)) return walk(root, "")
      // loaded here: every `run` opens the snapshots, and none reads an archive
      const { listTarSplit } = await import("../archive/archive.ts")
      return listTarSplit(tarSplit)
    },
    open(path) {
      const parts = path.split("/")
      const name = parts.pop() ?? ""
      let parent = root
      for (const part of parts) {
        const next = libc.openat(parent, rawCString(part), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
        if (parent !== root) close(parent)
        if (next < 0) return undefined
        parent = next
      }
      const fd = libc.openat(parent, rawCString(name), O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0)
      if (parent !== root) close(parent)
      return fd < 0 ? undefined : fd
    },
    [Symbol.dispose]: () => close(root),
  }
}

function* walk(directory: number, above: string): Generator<{ path: string; sizeBytes: number }> {
  for (const { name } of readDirectory(directory)) {
    const stat = statAt(directory, name)
    const path = above === "" ? name : `${above}/${name}`
    if (stat?.type === "file" && stat.sizeBytes > 0) yield { path, sizeBytes: stat.sizeBytes }
    if (stat?.type !== "directory") continue
    const fd = libc.openat(directory, rawCString(name), O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    if (fd < 0) continue
    try {
      yield* walk(fd, path)
    } catch (error) {
      if (!hasErrno(error, "ENOENT")) throw error // it was removed meanwhile
    } finally {
      close(fd)
    }
  }
}
