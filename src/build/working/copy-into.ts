import { lstatSync, realpathSync, statSync } from "node:fs"
import { basename, dirname, posix, resolve } from "node:path"
import { hasErrno, NotFound } from "../../base/errors.ts"
import { ignoreMatcher, parseIgnoreFile } from "../dockerfile/ignore-file.ts"
import type { FileAction, FilesOperation } from "../graph/definition.ts"
import type { WorkFolder } from "../solve/work-folder.ts"
import type { Source, WorkContext, Worker } from "../work/worker.ts"
import { filesOf, openFolder, type FilesTools } from "./files-of.ts"
import type { WorkingCopy } from "./working.ts"

export interface CopyTools extends FilesTools {
  worker: Worker
}

/** See `WorkingContainers.copy`. */
export async function copyInto(
  root: string,
  workdir: string,
  copy: WorkingCopy,
  tools: CopyTools,
): Promise<Copied | undefined> {
  const { worker } = tools
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await openFolder(tools))
  const work: WorkContext = { onLog: () => {}, onStatus: () => {}, ...(copy.signal ? { signal: copy.signal } : {}) }
  const found =
    copy.from === undefined
      ? await Promise.all(copy.sources.map((source) => fromHost(source, copy, { worker, folder, work })))
      : await fromRoot(copy.from, copy.sources, tools, folder, stack)

  const target = targetOf(workdir, copy)
  const actions = found.map(({ pattern, unpack }, index): FileAction => ({
    do: "copy",
    from: index + 1,
    sources: [pattern],
    target,
    ...(copy.chown === undefined ? {} : { chown: copy.chown }),
    ...(copy.chmod === undefined ? {} : { chmod: copy.chmod }),
    parents: false,
    exclude: copy.exclude,
    unpack,
    allowEmpty: false,
    contentsOnly: true,
  }))
  const sources = [{ path: root, keepsOwners: true }, ...found.map(({ source }) => source)]
  const operation: FilesOperation = { kind: "files", actions }
  await worker.files(operation, root, sources, work)
  return copy.digest ? await digestOf(found, operation, worker) : undefined
}

export interface Copied {
  /** Hexadecimal, of names, modes and contents; no times. */
  digest: string
  kind: "file" | "dir" | "multi"
}

async function digestOf(found: readonly FoundSource[], operation: FilesOperation, worker: Worker): Promise<Copied> {
  const digests = await Promise.all(found.map(({ source }, index) => worker.sourceDigest(operation, index + 1, source)))
  const [first = "", ...others] = digests.map((digest) => digest?.replace("sha256:", "") ?? "")
  if (others.length === 0) return { digest: first, kind: found[0]?.isFolder ? "dir" : "file" }
  const { createHash } = await import("node:crypto")
  return {
    digest: createHash("sha256")
      .update([first, ...others].join())
      .digest("hex"),
    kind: "multi",
  }
}

interface FoundSource {
  source: Source
  /** Below it. */
  pattern: string
  unpack: boolean
  isFolder?: boolean
}

interface HostTools {
  worker: Worker
  folder: WorkFolder
  work: WorkContext
}

/** A path of the caller's, whose links he may follow himself; or, for `add`, what a URL gives. */
async function fromHost(text: string, copy: WorkingCopy, { worker, folder, work }: HostTools): Promise<FoundSource> {
  const { unpack, ignore } = copy
  if (unpack && /^https?:\/\//.test(text)) {
    const path = folder.make("download")
    const name = await worker.download(text, path, undefined, work)
    return { source: { path, keepsOwners: false }, pattern: literal(name), unpack: false }
  }
  const path = realPath(resolve(text))
  const isFolder = statSync(path).isDirectory()
  const context = ignore && realpathSync(ignore.folder)
  if (context === undefined || !`${path}/`.startsWith(`${context}/`))
    return { source: { path: dirname(path), keepsOwners: false }, pattern: literal(basename(path)), unpack, isFolder }
  const { excludes, mayHoldIncluded } = ignoreMatcher(parseIgnoreFile(ignore?.text ?? ""))
  const source = { path: context, keepsOwners: false, keepsAttributes: true, excludes, mayHoldIncluded }
  return { source, pattern: literal(path.slice(context.length + 1)), unpack, isFolder }
}

function realPath(path: string): string {
  try {
    // the last name is kept unless it is a link: a file is called so at its target
    return lstatSync(path).isSymbolicLink() ? realpathSync(path) : resolve(realpathSync(dirname(path)), basename(path))
  } catch (cause) {
    if (!hasErrno(cause, "ENOENT", "ENOTDIR")) throw cause
    throw new NotFound(`no such file or folder: "${path}"`, { cause })
  }
}

/** Names that look like patterns are names here: the Dockerfile reference writes them as classes, `arr[[]0].txt`. */
function literal(name: string): string {
  return `/${name.replaceAll(/[*?[]/g, "[$&]").replaceAll("\\", "[\\\\]")}`
}

async function fromRoot(
  from: string,
  sources: readonly string[],
  tools: FilesTools,
  folder: WorkFolder,
  stack: AsyncDisposableStack,
): Promise<FoundSource[]> {
  const source = await filesOf(from, tools, folder, stack)
  return sources.map((text) => ({
    source,
    pattern: posix.resolve("/", text),
    unpack: false,
  }))
}

/** Absolute; with a slash at its end where it must be a folder. */
function targetOf(workdir: string, { target = "", sources }: WorkingCopy): string {
  const path = posix.resolve("/", workdir, target)
  const isFolder = sources.length > 1 || target === "" || /(?:^|\/)\.{0,2}$/.test(target)
  return isFolder && path !== "/" ? `${path}/` : path
}
