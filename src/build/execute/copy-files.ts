import { resolveInRoot } from "../../sys/fs/confined-path.ts"
import { openRawInRoot, openRoot } from "../../sys/fs/confined.ts"
import { resolveOwner, type Owner } from "../../sys/fs/image-users.ts"
import { close, O_DIRECTORY } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import type { FileAction, FilesOperation } from "../plan/definition.ts"
import { CopyIn } from "./copy-tree-in.ts"
import { isOctal, parseChmod } from "./file-mode.ts"
import {
  findSources,
  hasWildcards,
  notFound,
  splitPivot,
  type FoundSource,
  type SourcePattern,
} from "./find-sources.ts"
import { inTurns } from "./in-turns.ts"
import { makeDirectories } from "./make-directories.ts"
import { sourceFilter } from "./source-filter.ts"
import { unpackArchive } from "./unpack-archive.ts"
import type { Source, WorkContext } from "./executor.ts"

type CopyAction = Extract<FileAction, { do: "copy" }>
type MkdirAction = Extract<FileAction, { do: "mkdir" }>
type FilesContext = WorkContext & { epoch?: number }

const ROOT_OWNER: Owner = { uid: 0, gid: 0 }

/** See `Executor.files`. */
export async function copyFiles(
  { actions }: FilesOperation,
  root: string,
  sources: readonly Source[],
  context: FilesContext,
): Promise<void> {
  for (const action of actions) {
    const owner = ownerOf(root, action.do === "copy" ? action.chown : action.owner, context)
    if (action.do === "mkdir") makeWorkdir(root, action, owner, context)
    else await new CopyStep(root, sourceOf(sources, action.from), action, owner, context).run()
  }
}

function sourceOf(sources: readonly Source[], index: number): Source {
  const source = sources[index]
  if (source === undefined) throw new RangeError(`the step has no input ${index}`)
  return source
}

function ownerOf(root: string, text: string | undefined, { onLog }: FilesContext): Owner | undefined {
  if (text === undefined || text === "") return undefined
  // buildkit: a number alone is the group's too, `1000:` has the group 0
  return resolveOwner(root, text.replace(/^(\d+):$/, "$1:0"), (name) => {
    onLog("stderr", Buffer.from(`warning: the image has no user or group "${name}": the files are root's\n`))
  })
}

function makeWorkdir(
  root: string,
  { path, mode }: MkdirAction,
  owner: Owner = ROOT_OWNER,
  { epoch }: FilesContext,
): void {
  const rootFd = openRoot(root)
  try {
    makeDirectories(rootFd, rawName(path), { mode, owner, epoch })
  } finally {
    close(rootFd)
  }
}

/** One COPY or ADD. */
class CopyStep {
  readonly #root: string
  readonly #source: Source
  readonly #action: CopyAction
  readonly #owner: Owner | undefined
  readonly #context: FilesContext

  constructor(root: string, source: Source, action: CopyAction, owner: Owner | undefined, context: FilesContext) {
    this.#root = root
    this.#source = source
    this.#action = action
    this.#owner = owner
    this.#context = context
  }

  async run(): Promise<void> {
    using fds = new DisposableStack()
    const rootFd = fds.adopt(openRoot(this.#root), close)
    const sourceFd = fds.adopt(openRoot(this.#source.path), close)
    for (const text of this.#action.sources) {
      const pattern = this.#action.parents ? splitPivot(text) : { pattern: text }
      const found = findSources(this.#source, sourceFd, pattern)
      if (found.length === 0 && !this.#action.allowEmpty && hasWildcards(text)) throw notFound(text)
      for (const one of found) await this.#copy(rootFd, sourceFd, one, pattern)
    }
  }

  async #copy(rootFd: number, sourceFd: number, found: FoundSource, { include }: SourcePattern): Promise<void> {
    if (this.#action.unpack && found.stat.type === "file" && (await this.#unpack(rootFd, sourceFd, found))) return
    const { target, exclude } = this.#action
    const { epoch } = this.#context
    const chmod = this.#action.chmod === undefined ? undefined : parseChmod(this.#action.chmod)
    const { keepsOwners, keepsAttributes = keepsOwners } = this.#source
    const copier = new CopyIn(rootFd, { owner: this.#copiedOwner, chmod, epoch, plain: !keepsAttributes })
    if (found.stat.type === "directory") {
      const directory = this.#makeDirectory(rootFd, target)
      const filter = sourceFilter(this.#source, { base: found.path, exclude, include })
      const from = openRawInRoot(sourceFd, found.path, O_DIRECTORY)
      try {
        await inTurns(copier.directory(from, directory, filter), this.#context.signal)
      } finally {
        close(from)
      }
    } else this.#copyFile(rootFd, sourceFd, found, copier)
  }

  /** A context's files are root's (as those that a client sends), others keep their owners. */
  get #copiedOwner(): Owner | undefined {
    return this.#owner ?? (this.#source.keepsOwners ? undefined : ROOT_OWNER)
  }

  #copyFile(rootFd: number, sourceFd: number, found: FoundSource, copier: CopyIn): void {
    const [sourceDirectory, sourceName] = splitPath(found.path)
    const [directory, name] = this.#place(rootFd, found)
    const from = openRawInRoot(sourceFd, sourceDirectory, O_DIRECTORY)
    try {
      copier.file(from, sourceName, found.stat, directory, name)
    } finally {
      close(from)
    }
  }

  /** Where a file goes: into the target when that is, or must be, a directory; else it takes the target's name. */
  #place(rootFd: number, found: FoundSource): [directory: string, name: string] {
    const { target } = this.#action
    const ownName = rawName(found.named.slice(found.named.lastIndexOf("/") + 1))
    if (target.endsWith("/")) return [this.#makeDirectory(rootFd, target), ownName]
    this.#makeDirectory(rootFd, target.slice(0, target.lastIndexOf("/")))
    const { path, stat, missing } = resolveInRoot(rootFd, rawName(target))
    if (stat?.type === "directory") return [path, ownName]
    const [directory, name] = splitPath(path)
    // a link of the root that leads to what is not there
    if (missing > 1) this.#makeDirectory(rootFd, directory)
    return [directory, name]
  }

  /** An octal `--chmod` is also for the directories above, through mkdir(2): cut by the umask, without set-id bits. */
  #makeDirectory(rootFd: number, path: string, chmod = this.#action.chmod): string {
    const { epoch } = this.#context
    const mode = chmod !== undefined && isOctal(chmod) ? Number.parseInt(chmod, 8) & 0o755 : 0o755
    return makeDirectories(rootFd, rawName(path), { mode, owner: this.#owner ?? ROOT_OWNER, epoch })
  }

  async #unpack(rootFd: number, sourceFd: number, found: FoundSource): Promise<boolean> {
    const { signal } = this.#context
    return await unpackArchive(sourceFd, found.path, {
      open: () => openRawInRoot(rootFd, this.#makeDirectory(rootFd, this.#action.target, ""), O_DIRECTORY),
      owner: this.#owner,
      signal,
    })
  }
}

function splitPath(path: string): [directory: string, name: string] {
  const cut = path.lastIndexOf("/")
  return [path.slice(0, Math.max(cut, 0)), path.slice(cut + 1)]
}
