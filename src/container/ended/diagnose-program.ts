import { closeSync, fstatSync, readdirSync, readSync } from "node:fs"
import { posix } from "node:path"
import { nearest } from "../../base/nearest.ts"
import { formatPlatform, hostPlatform } from "../../spec/platform.ts"
import { runsPlatform } from "../../sys/binfmt.ts"
import { openInRoot, openRoot } from "../../sys/fs/confined.ts"
import { O_DIRECTORY, O_NONBLOCK } from "../../sys/libc.ts"
import { readElf } from "./elf.ts"
import type { CLibrary, ProgramFault } from "./ending.ts"

/** The program of a container, in the words that it was asked for by. */
export interface AskedProgram {
  /** The first word: a path, or a name to look for in `path`. */
  name: string
  /** `$PATH`. */
  path: string
  workdir: string
}

const MAX_NAMES = 20_000
/** An image's `$PATH` may name millions of directories: so many are looked into for the program, and so many for names like its. */
const MAX_DIRECTORIES = 4096
const MAX_LISTED = 32
const MAX_FIRST_LINE = 256

/**
 * Looks at the file that execve(2) was given, in the mounted root at the host path `rootfs`; undefined when nothing is wrong with
 * it. The tree is hostile: it is opened by file descriptors only, and nothing of it is run.
 */
export function diagnoseProgram(rootfs: string, asked: AskedProgram): ProgramFault | undefined {
  const rootFd = openRoot(rootfs)
  try {
    return diagnose(new Tree(rootFd), asked)
  } finally {
    closeSync(rootFd)
  }
}

function diagnose(tree: Tree, asked: AskedProgram): ProgramFault | undefined {
  const { name, path, workdir } = asked
  const isPath = name.includes("/")
  const directories = [...new Set(path.split(":", MAX_DIRECTORIES))].filter((one) => one.startsWith("/"))
  const candidates = isPath ? [posix.resolve(workdir, name)] : directories.map((one) => posix.join(one, name))
  // execvp(3): one that may not be executed is passed over
  const found = candidates.map((one) => ({ path: one, mode: tree.mode(one) })).filter(({ mode }) => mode !== undefined)
  const best = found.find(({ mode = 0 }) => (mode & 0o111) !== 0 && (mode & 0o170000) === 0o100000) ?? found[0]
  if (best?.mode === undefined) {
    const near = isPath
      ? tree.nearestPath(candidates[0] ?? name)
      : nearest(name, tree.namesIn(directories.slice(0, MAX_LISTED)))
    return { kind: "missing", program: name, ...(near === undefined ? {} : { nearest: near }) }
  }
  if ((best.mode & 0o170000) === 0o040000) return { kind: "directory", program: best.path }
  if ((best.mode & 0o111) === 0)
    return { kind: "notExecutable", program: best.path, mode: (best.mode & 0o7777).toString(8).padStart(4, "0") }
  return diagnoseFormat(tree, best.path)
}

function diagnoseFormat(tree: Tree, program: string): ProgramFault | undefined {
  const elf = tree.readWith(program, readElf)
  if (elf === undefined) return diagnoseScript(tree, program)
  if (!runsPlatform({ os: "linux", architecture: elf.architecture }))
    return {
      kind: "architecture",
      program,
      programIs: `linux/${elf.architecture}`,
      hostIs: formatPlatform(hostPlatform()),
    }
  const { interpreter } = elf
  if (interpreter === undefined || tree.mode(interpreter) !== undefined) return undefined
  const builtFor = libraryOf(interpreter)
  const imageHas = tree.library()
  return {
    kind: "interpreter",
    program,
    interpreter,
    of: "elf",
    ...(builtFor === undefined ? {} : { builtFor }),
    ...(imageHas === undefined ? {} : { imageHas }),
  }
}

function diagnoseScript(tree: Tree, program: string): ProgramFault | undefined {
  const head = tree.readWith(program, (read) => read(0, MAX_FIRST_LINE).toString("latin1")) ?? ""
  // execve(2): the interpreter is the first word after `#!`
  const [, line] = /^#![ \t]*([^\n]*)/.exec(head) ?? []
  if (line === undefined) return { kind: "format", program }
  const usesCrLf = line.endsWith("\r")
  const [interpreter = ""] = line.split(/[ \t]/)
  if (tree.mode(posix.resolve("/", interpreter)) !== undefined) return undefined
  return {
    kind: "interpreter",
    program,
    interpreter: interpreter.replace(/\r$/, ""),
    of: "script",
    ...(usesCrLf ? { usesCrLf } : {}),
  }
}

function libraryOf(interpreter: string): CLibrary | undefined {
  if (interpreter.includes("ld-musl")) return "musl"
  return interpreter.includes("ld-linux") || interpreter.includes("ld64.so") ? "glibc" : undefined
}

/** A hostile tree: what cannot be opened in it is not there. */
class Tree {
  readonly #rootFd: number

  constructor(rootFd: number) {
    this.#rootFd = rootFd
  }

  /** `st_mode`, links followed inside the tree. */
  mode(path: string): number | undefined {
    return this.#with(path, O_NONBLOCK, (fd) => fstatSync(fd).mode)
  }

  /** Hands `use` a reader of the regular file. */
  readWith<T>(path: string, use: (read: (offset: number, size: number) => Buffer) => T): T | undefined {
    return this.#with(path, O_NONBLOCK, (fd) =>
      fstatSync(fd).isFile()
        ? use((offset, size) => {
            const bytes = Buffer.alloc(size)
            return bytes.subarray(0, Number.isSafeInteger(offset) ? readSync(fd, bytes, 0, size, offset) : 0)
          })
        : undefined,
    )
  }

  names(directory: string): string[] {
    return (
      this.#with(directory, O_DIRECTORY, (fd) => readdirSync(`/proc/self/fd/${fd}`).slice(0, MAX_NAMES)) ?? []
    ).filter((name) => /^[\x21-\x7e]+$/.test(name))
  }

  namesIn(directories: readonly string[]): Set<string> {
    return new Set(directories.flatMap((directory) => this.names(directory)))
  }

  /** The nearest name in the deepest directory of `path` that is there. */
  nearestPath(path: string): string | undefined {
    const directory = posix.dirname(path)
    const near = nearest(posix.basename(path), this.names(directory))
    if (near !== undefined) return posix.join(directory, near)
    if (directory === "/" || this.mode(directory) !== undefined) return this.#elsewhere(posix.basename(path))
    const parent = this.nearestPath(directory)
    const moved = parent === undefined ? undefined : posix.join(parent, posix.basename(path))
    return moved !== undefined && this.mode(moved) !== undefined ? moved : this.#elsewhere(posix.basename(path))
  }

  /** The same name where programs usually lie. */
  #elsewhere(name: string): string | undefined {
    const usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    return usual.map((directory) => posix.join(directory, name)).find((path) => this.mode(path) !== undefined)
  }

  library(): CLibrary | undefined {
    const names = this.namesIn(["/lib", "/lib64", "/usr/lib"])
    if ([...names].some((name) => name.startsWith("ld-musl-"))) return "musl"
    return [...names].some((name) => name.startsWith("ld-linux")) ? "glibc" : undefined
  }

  #with<T>(path: string, flags: number, use: (fd: number) => T): T | undefined {
    let fd: number
    try {
      fd = openInRoot(this.#rootFd, path, flags)
    } catch {
      return undefined
    }
    try {
      return use(fd)
    } finally {
      closeSync(fd)
    }
  }
}
