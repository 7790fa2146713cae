/** `kube cp` with pods of another cluster: tar(1) in the container makes and takes the archive, and what it makes is trusted with nothing. */
import { lstatSync, mkdtempSync, rmSync } from "node:fs"
import { basename, dirname, join, posix } from "node:path"
import { applyLayer, treeTar } from "../../archive/archive.ts"
import type { Bytes } from "../../base/bytes.ts"
import { FailedPrecondition, hasErrno, isSkiffError, NotFound } from "../../base/errors.ts"
import { podSessions, type KubeClient, type Tree } from "../../kube/kube.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { copyContents, copyName } from "../../sys/fs/copy-tree.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { close } from "../../sys/libc.ts"

/** A container of another cluster. */
export interface RemotePlace {
  client: KubeClient
  pod: Tree
  container: string
  path: string
}

const MAX_TEXT = 4096
const RUN_AS = { dropPrivilege: true, kindChange: "refuse" } as const

/**
 * Copies a file or directory to this host: into a directory that is there, else as the name. The archive is extracted aside, where no name of it leads out, and belongs
 * to the caller, without set-id bits. Throws what tar says.
 */
export async function copyFromPod(place: RemotePlace, hostPath: string): Promise<void> {
  const path = posix.normalize(`/${place.path}`)
  const isContents = /(?:^|\/)\.$/.test(place.path) || path === "/"
  const base = isContents ? "." : posix.basename(path)
  const parent = isContents ? path : posix.dirname(path)
  const isInto = isDirectory(hostPath)
  const aside = mkdtempSync(join(isInto ? hostPath : dirname(hostPath), ".skiff-cp-"))
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
  using stack = new DisposableStack()
  stack.defer(() => rmSync(aside, { recursive: true, force: true }))
  const run = await tarInside(place, ["cf", "-", "-C", parent, "--", base], false)
  try {
    await applyLayer(run.output, aside, { plain: true, owner })
  } catch (error) {
    await run.ended
    if (isSkiffError(error, "DataLoss")) throw error.restated(`the container's tar gave no archive: ${error.message}`)
    throw error
  }
  await run.ended
  const from = stack.adopt(openRoot(aside), close)
  const to = stack.adopt(openRoot(isInto ? hostPath : dirname(hostPath)), close)
  const options = { owner, ...RUN_AS }
  if (isContents && isInto) return copyContents(from, to, { ...options, keepTop: true })
  if (isContents) throw new NotFound(`"${hostPath}" is no directory to copy into`)
  if (!isThere(join(aside, base))) throw new NotFound(`the container's tar gave no "${base}"`)
  await copyName(
    { directory: from, name: rawName(base) },
    { directory: to, name: rawName(isInto ? base : basename(hostPath)) },
    options,
  )
}

/** Copies a file or directory of this host into a container: into a directory that is there, else as the name. Throws what tar says. */
export async function copyToPod(hostPath: string, place: RemotePlace, { keepsOwners = true } = {}): Promise<void> {
  if (!isThere(hostPath)) throw new NotFound(`"${hostPath}" does not exist`)
  const path = posix.normalize(`/${place.path}`)
  const isInto = place.path.endsWith("/") || (await isDirectoryInside(place, path))
  const [parent, name] = isInto ? [path, basename(hostPath)] : [posix.dirname(path), posix.basename(path)]
  const flags = keepsOwners ? ["xmf"] : ["--no-same-permissions", "--no-same-owner", "-xmf"]
  using directory = new DisposableStack()
  const from = directory.adopt(openRoot(dirname(hostPath)), close)
  const run = await tarInside(place, [...flags, "-", "-C", parent], true)
  for await (const chunk of treeTar({ directory: from, name: rawName(basename(hostPath)) }, { as: rawName(name) }))
    await run.write(chunk)
  run.endInput()
  for await (const _ of run.output);
  await run.ended
}

function isDirectory(path: string): boolean {
  return lstatSync(`${path}/.`, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    if (hasErrno(error, "ENOTDIR")) return false
    throw error
  }
}

async function isDirectoryInside({ client, pod, container }: RemotePlace, path: string): Promise<boolean> {
  const { openSession } = await podSessions()
  using session = await openSession(client, pod, { container, command: ["test", "-d", path], stdin: false, tty: false })
  session.attachment.onOutput(() => {})
  return (await session.exited) === 0
}

interface TarRun {
  output: Bytes
  write(chunk: Uint8Array): Promise<void>
  endInput(): void
  /** Rejects with what tar said where it failed. */
  ended: Promise<void>
}

async function tarInside(
  { client, pod, container }: RemotePlace,
  words: readonly string[],
  stdin: boolean,
): Promise<TarRun> {
  const { openSession } = await podSessions()
  const session = await openSession(client, pod, { container, command: ["tar", ...words], stdin, tty: false })
  const { attachment, exited } = session
  let said = ""
  const output = pieces()
  attachment.onOutput((stream, chunk) => {
    if (stream === "stdout") return output.put(chunk)
    said = (said + Buffer.from(chunk).toString()).slice(0, MAX_TEXT)
    return undefined
  })
  const ended = exited
    .then(async (code) => {
      await attachment.closed
      if (code !== 0) throw new FailedPrecondition(`tar in the container ended with ${code}: ${said.trim()}`)
    })
    .finally(() => {
      output.end()
      session[Symbol.dispose]()
    })
  ended.catch(() => {})
  return {
    output: output.bytes(),
    write: (chunk) => attachment.write(chunk),
    endInput: () => attachment.endInput(),
    ended,
  }
}

/** One piece waits at a time: who sends is held back until it is taken. */
function pieces(): { put(chunk: Uint8Array): Promise<void>; end(): void; bytes(): Bytes } {
  let waiting: { chunk: Uint8Array; taken: () => void } | undefined
  let isOver = false
  let wake: (() => void) | undefined
  return {
    put: (chunk) =>
      new Promise((taken) => {
        if (isOver) return taken()
        waiting = { chunk: chunk.slice(), taken }
        wake?.()
      }),
    end() {
      isOver = true
      wake?.()
    },
    async *bytes() {
      try {
        for (;;) {
          if (waiting !== undefined) {
            const { chunk, taken } = waiting
            waiting = undefined
            yield chunk
            taken()
          } else if (isOver) return
          else await new Promise<void>((resolve) => (wake = resolve))
        }
      } finally {
        // nobody takes any more: what comes is dropped
        isOver = true
        waiting?.taken()
      }
    },
  }
}
