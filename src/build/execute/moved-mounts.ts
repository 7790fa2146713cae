import { lstatSync, mkdirSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { runAll } from "../../base/run-all.ts"
import { setTimes } from "../../sys/fs/attributes.ts"
import { resolveInRoot } from "../../sys/fs/confined-path.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { makeDevices } from "../../sys/fs/device-nodes.ts"
import { statAt, statOf } from "../../sys/fs/directory.ts"
import { close, libc, O_DIRECTORY } from "../../sys/libc.ts"
import { checkNamed, rawCString, rawName } from "../../sys/fs/raw-name.ts"
import { removeAt } from "../../sys/fs/remove-tree.ts"
import { makeMountPoints } from "./mount-points.ts"

/**
 * What a RUN has in its root for its time alone, where nothing can be mounted: moved there, and back. What the root has at
 * that path is laid aside meanwhile. All by descriptors found inside the root: whatever RUN puts in the way of a path,
 * nothing else is touched.
 */
export class Places implements AsyncDisposable {
  readonly #root: string
  readonly #aside: string
  readonly #undo: (() => void)[] = []
  #count = 0

  /** `aside`: an empty folder on the file system of the root. */
  constructor(root: string, aside: string) {
    this.#root = root
    this.#aside = aside
  }

  /** Puts what is at the host path `source` (on the file system of the root) at `target`, over what is there. */
  put(target: string, source: string): void {
    const type = lstatSync(source).isDirectory() ? "directory" : "file"
    const point = makeMountPoints(this.#root, [{ target, type }])
    this.#undo.push(() => point[Symbol.dispose]())
    const { folder, name } = this.#find(target)
    const home = this.#open(dirname(source))
    const before = statOf(folder).mtime
    const bringBack = this.#layAside(folder, name)
    move(home, rawName(basename(source)), folder, name)
    const after = statOf(folder).mtime
    this.#undo.push(() => {
      const { mtime: now, links } = statOf(folder)
      // RUN has removed the folder itself, with all that was in it
      if (links === 0) return
      // who uses it next would follow a link that RUN has put in its place
      if (statAt(folder, name)?.type === "directory") move(folder, name, home, rawName(basename(source)))
      else removeAt(folder, name, name)
      bringBack()
      // a folder that RUN left alone has its old time again
      if (now.seconds === after.seconds && now.nanoseconds === after.nanoseconds) setTimes(folder, before)
    })
  }

  /** The devices that every program expects. */
  putDevices(): void {
    const folder = join(this.#aside, "dev")
    mkdirSync(folder, { mode: 0o755 })
    using fds = new DisposableStack()
    makeDevices(fds.adopt(openRoot(folder), close))
    this.put("/dev", folder)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runAll("taking out what was put into the root of a step", this.#undo.splice(0).toReversed())
  }

  #find(target: string): { folder: number; name: string } {
    using fds = new DisposableStack()
    const root = fds.adopt(openRoot(this.#root), close)
    const { path } = resolveInRoot(root, rawName(target))
    const cut = path.lastIndexOf("/")
    const folder = openRawInRoot(root, path.slice(0, Math.max(cut, 0)), O_DIRECTORY)
    this.#undo.push(() => close(folder))
    return { folder, name: path.slice(cut + 1) }
  }

  #open(path: string): number {
    const fd = openRoot(path)
    this.#undo.push(() => close(fd))
    return fd
  }

  #layAside(folder: number, name: string): () => void {
    if (statAt(folder, name) === undefined) return () => {}
    const place = join(this.#aside, String(this.#count++))
    mkdirSync(place, { mode: 0o700 })
    const aside = this.#open(place)
    move(folder, name, aside, name)
    return () => move(aside, name, folder, name)
  }
}

function move(from: number, name: string, to: number, newName: string): void {
  checkNamed(libc.renameat2(from, rawCString(name, 0), to, rawCString(newName, 1), 0), "rename", name)
}
