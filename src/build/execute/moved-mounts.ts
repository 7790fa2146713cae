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
export class MovedMounts implements AsyncDisposable {
  readonly #root: string
  readonly #aside: string
  readonly #undo: (() => void)[] = []
  #count = 0

  /** `aside`: an empty directory on the file system of the root. */
  constructor(root: string, aside: string) {
    this.#root = root
    this.#aside = aside
  }

  /** Puts what is at the host path `source` (on the file system of the root) at `target`, over what is there. */
  put(target: string, source: string): void {
    const type = lstatSync(source).isDirectory() ? "directory" : "file"
    const point = makeMountPoints(this.#root, [{ target, type }])
    this.#undo.push(() => point[Symbol.dispose]())
    const { directory, name } = this.#find(target)
    const home = this.#open(dirname(source))
    const before = statOf(directory).mtime
    const bringBack = this.#layAside(directory, name)
    move(home, rawName(basename(source)), directory, name)
    const after = statOf(directory).mtime
    this.#undo.push(() => {
      const { mtime: now, links } = statOf(directory)
      // RUN has removed the directory itself, with all that was in it
      if (links === 0) return
      // who uses it next would follow a link that RUN has put in its place
      if (statAt(directory, name)?.type === "directory") move(directory, name, home, rawName(basename(source)))
      else removeAt(directory, name, name)
      bringBack()
      // a directory that RUN left alone has its old time again
      if (now.seconds === after.seconds && now.nanoseconds === after.nanoseconds) setTimes(directory, before)
    })
  }

  /** The devices that every program expects. */
  putDevices(): void {
    const directory = join(this.#aside, "dev")
    mkdirSync(directory, { mode: 0o755 })
    using fds = new DisposableStack()
    makeDevices(fds.adopt(openRoot(directory), close))
    this.put("/dev", directory)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runAll("taking out what was put into the root of a step", this.#undo.splice(0).toReversed())
  }

  #find(target: string): { directory: number; name: string } {
    using fds = new DisposableStack()
    const root = fds.adopt(openRoot(this.#root), close)
    const { path } = resolveInRoot(root, rawName(target))
    const cut = path.lastIndexOf("/")
    const directory = openRawInRoot(root, path.slice(0, Math.max(cut, 0)), O_DIRECTORY)
    this.#undo.push(() => close(directory))
    return { directory, name: path.slice(cut + 1) }
  }

  #open(path: string): number {
    const fd = openRoot(path)
    this.#undo.push(() => close(fd))
    return fd
  }

  #layAside(directory: number, name: string): () => void {
    if (statAt(directory, name) === undefined) return () => {}
    const slot = join(this.#aside, String(this.#count++))
    mkdirSync(slot, { mode: 0o700 })
    const aside = this.#open(slot)
    move(directory, name, aside, name)
    return () => move(aside, name, directory, name)
  }
}

function move(from: number, name: string, to: number, newName: string): void {
  checkNamed(libc.renameat2(from, rawCString(name, 0), to, rawCString(newName, 1), 0), "rename", name)
}
