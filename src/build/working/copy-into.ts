import { lstatSync, realpathSync } from "node:fs"
import { basename, dirname, posix, resolve } from "node:path"
import { hasErrno, isSkiffError, NotFound } from "../../base/errors.ts"
import type { BuildHost } from "../build-host.ts"
import type { FileAction } from "../graph/definition.ts"
import { openWorkFolder, sweepBuilds, type WorkFolder } from "../solve/work-folder.ts"
import type { Source, WorkContext, Worker } from "../work/worker.ts"
import type { WorkingCopy } from "./working.ts"

export interface CopyTools {
  host: BuildHost
  worker: Worker
  /** The files of another working container. Throws NotFound. */
  rootOf(name: string): AsyncDisposable & { path: string }
}

/** See `WorkingContainers.copy`. */
export async function copyInto(root: string, workdir: string, copy: WorkingCopy, tools: CopyTools): Promise<void> {
  const { host, worker } = tools
  await sweepBuilds(host.root, host.snapshots)
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(openWorkFolder(host.root))
  const work: WorkContext = { onLog: () => {}, onStatus: () => {}, ...(copy.signal ? { signal: copy.signal } : {}) }
  const found =
    copy.from === undefined
      ? await Promise.all(copy.sources.map((source) => fromHost(source, copy.unpack, { worker, folder, work })))
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
  await worker.files({ kind: "files", actions }, root, sources, work)
}

interface FoundSource {
  source: Source
  /** Below it. */
  pattern: string
  unpack: boolean
}

interface HostTools {
  worker: Worker
  folder: WorkFolder
  work: WorkContext
}

/** A path of the caller's, whose links he may follow himself; or, for `add`, what a URL gives. */
async function fromHost(text: string, unpack: boolean, { worker, folder, work }: HostTools): Promise<FoundSource> {
  if (unpack && /^https?:\/\//.test(text)) {
    const path = folder.make("download")
    const name = await worker.download(text, path, undefined, work)
    return { source: { path, keepsOwners: false }, pattern: literal(name), unpack: false }
  }
  const path = realPath(resolve(text))
  return { source: { path: dirname(path), keepsOwners: false }, pattern: literal(basename(path)), unpack }
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
  { host, rootOf }: CopyTools,
  folder: WorkFolder,
  stack: AsyncDisposableStack,
): Promise<FoundSource[]> {
  const path = await filesOf()
  return sources.map((text) => ({
    source: { path, keepsOwners: true },
    pattern: posix.resolve("/", text),
    unpack: false,
  }))

  async function filesOf(): Promise<string> {
    try {
      return stack.use(rootOf(from)).path
    } catch (error) {
      if (!isSkiffError(error, "NotFound")) throw error
    }
    const key = folder.snapshotKey()
    const mount = await host.snapshots.view(key, host.images.get(from).topLayer)
    stack.defer(() => host.snapshots.remove(key))
    const mounted = folder.mount("view", mount)
    stack.defer(() => folder.unmount(mounted))
    return mounted
  }
}

/** Absolute; with a slash at its end where it must be a folder. */
function targetOf(workdir: string, { target = "", sources }: WorkingCopy): string {
  const path = posix.resolve("/", workdir, target)
  const isFolder = sources.length > 1 || target === "" || /(?:^|\/)\.{0,2}$/.test(target)
  return isFolder && path !== "/" ? `${path}/` : path
}
