import { posix } from "node:path"
import { NotFound } from "../base/errors.ts"
import { openRoot } from "../sys/fs/confined.ts"
import { resolveInRoot } from "../sys/fs/confined-path.ts"
import { close } from "../sys/libc.ts"
import { rawName } from "../sys/fs/raw-name.ts"
import { resolveOwner } from "../sys/fs/image-users.ts"
import type { FileAction, FilesOperation } from "../build/plan/definition.ts"
import type { BuildDirectory } from "../build/build-directory.ts"
import type { Source, WorkContext, Executor } from "../build/execute/executor.ts"
import { hostSources, literal } from "./host-sources.ts"
import { filesOf, openDirectory, type FilesTools } from "./files-of.ts"
import type { WorkingCopy } from "./builder.ts"

/** See `WorkingContainers.copy`. */
export async function copyInto(
  root: string,
  workdir: string,
  copy: WorkingCopy,
  tools: FilesTools,
): Promise<Copied | undefined> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await openDirectory(tools))
  const executor = stack.use(tools.deps.openExecutor(directory))
  const work: WorkContext = { onLog: () => {}, onProgress: () => {}, ...(copy.signal ? { signal: copy.signal } : {}) }
  const found =
    copy.from === undefined
      ? (await Promise.all(copy.sources.map((source) => fromHost(source, copy, { executor, directory, work })))).flat()
      : await fromRoot(copy.from, copy, tools, directory, stack)

  if (copy.chown !== undefined) resolveOwner(root, copy.chown, refuseUnknown)
  const target = targetOf(workdir, copy, found.length)
  const isInDirectory = target.endsWith("/") || isDirectoryIn(root, target)
  const actions = found.map(({ pattern, unpack, name }, index): FileAction => ({
    do: "copy",
    from: index + 1,
    sources: [pattern],
    target: isInDirectory && name !== undefined ? posix.join(target, name) : target,
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
  await executor.files(operation, root, sources, work)
  return copy.digest ? await digestOf(found, operation, executor) : undefined
}

/** What was copied, for the line of history. */
export interface Copied {
  /** Hexadecimal, of names, modes and contents; no times. */
  digest: string
  kind: "file" | "dir" | "multi"
}

async function digestOf(found: readonly FoundSource[], operation: FilesOperation, executor: Executor): Promise<Copied> {
  const digests = await Promise.all(
    found.map(({ source }, index) => executor.sourceDigest(operation, index + 1, source)),
  )
  const [first = "", ...others] = digests.map((digest) => digest?.replace("sha256:", "") ?? "")
  if (others.length === 0) return { digest: first, kind: found[0]?.isDirectory ? "dir" : "file" }
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
  isDirectory?: boolean
  name?: string
}

interface HostTools {
  executor: Executor
  directory: BuildDirectory
  work: WorkContext
}

/** Paths of the caller's; or, for `add`, what a URL gives. */
async function fromHost(
  text: string,
  copy: WorkingCopy,
  { executor, directory, work }: HostTools,
): Promise<FoundSource[]> {
  const { unpack, context } = copy
  if (!unpack || !/^https?:\/\//.test(text))
    return hostSources(text, context).map((found) => Object.assign(found, { unpack }))
  const path = directory.make("download")
  const name = await executor.download(text, path, undefined, work)
  return [{ source: { path, keepsOwners: false }, pattern: `/${literal(name)}`, unpack: false }]
}

async function fromRoot(
  from: string,
  { sources, access }: WorkingCopy,
  tools: FilesTools,
  directory: BuildDirectory,
  stack: AsyncDisposableStack,
): Promise<FoundSource[]> {
  const source = await filesOf(from, tools, directory, stack, access)
  return sources.map((text) => ({
    source,
    pattern: posix.resolve("/", text),
    unpack: false,
  }))
}

/** Absolute; with a slash at its end where it must be a directory. */
function targetOf(workdir: string, { target = "" }: WorkingCopy, count: number): string {
  const path = posix.resolve("/", workdir, target)
  const isDirectory = count > 1 || target === "" || /(?:^|\/)\.{0,2}$/.test(target)
  return isDirectory && path !== "/" ? `${path}/` : path
}

function isDirectoryIn(root: string, path: string): boolean {
  const fd = openRoot(root)
  try {
    return resolveInRoot(fd, rawName(path)).stat?.type === "directory"
  } finally {
    close(fd)
  }
}

function refuseUnknown(name: string): never {
  throw new NotFound(`the container has no user or group "${name}"`, { hint: "give its number, or create it first" })
}
