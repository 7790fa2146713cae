import { closeSync, fstatSync } from "node:fs"
import { posix } from "node:path"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { O_NONBLOCK } from "../../sys/libc.ts"

/** Where execvp(3) finds the program `name` inside the root at the host path `root`; the name itself where it finds none. */
export function programPath(root: string, name: string, env: readonly string[], cwd: string): string {
  if (name.includes("/")) return posix.resolve(cwd, name)
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice("PATH=".length) ?? ""
  const rootFd = openRoot(root)
  try {
    const candidates = path.split(":").map((directory) => posix.join("/", directory, name))
    return candidates.find((candidate) => isProgram(rootFd, candidate)) ?? name
  } finally {
    closeSync(rootFd)
  }
}

/** The tree is the container's: hostile, so opened by descriptors below its root. */
function isProgram(rootFd: number, path: string): boolean {
  let fd: number
  try {
    fd = openInRoot(rootFd, path, O_NONBLOCK)
  } catch {
    return false
  }
  try {
    const stat = fstatSync(fd)
    return stat.isFile() && (stat.mode & 0o111) !== 0
  } finally {
    closeSync(fd)
  }
}
