/** The runtime's `restore` in place of its `create`: the network is made while CRIU waits, before any socket comes back. */
import { closeSync, constants, existsSync, openSync, readFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { watchDirectory } from "../../base/directory-watch.ts"
import { FailedPrecondition, isSkiffError } from "../../base/errors.ts"
import type { BundlePaths, Monitor, PendingMonitor, Runtimes } from "../../runtime/runtime.ts"
import type { OciConfig, OciHook } from "../../spec/oci-runtime.ts"
import { AT_FDCWD, check, cString, libc } from "../../sys/libc.ts"
import type { Pid } from "../../sys/process/process.ts"

const S_IFIFO = 0o010000
/** What a hook may take, or wait for us: after it CRIU gives up. */
const HOOK_SECONDS = 30

/** What a restore is made of. */
export interface RestoreCreate {
  runtimes: Runtimes
  bundle: BundlePaths
  config: OciConfig
  pending: PendingMonitor
  /** Fills the network namespace of this process, which does not run yet. */
  joinNetworks(pid: Pid): Promise<void>
}

/**
 * Has the monitor restore the container. config.md#createRuntime-hooks: one of ours tells of the first process as soon as its
 * namespaces are there, and waits. Throws FailedPrecondition with CRIU's words.
 */
export async function restoreContainer({
  runtimes,
  bundle,
  config,
  pending,
  joinNetworks,
}: RestoreCreate): Promise<Monitor> {
  const state = join(bundle.directory, "restore-state")
  const go = join(bundle.directory, "restore-go")
  check(libc.mknodat(AT_FDCWD, cString(go), S_IFIFO | 0o600, 0), "mkfifo", go)
  const hooks = { ...config.hooks, createRuntime: [...(config.hooks?.createRuntime ?? []), hookOf(state, go)] }
  const creation = pending.create({ ...config, hooks })
  const said = fileAppears(bundle.directory, state)
  try {
    // it may fail before it comes to the hook, and a container without network namespace has none
    const first = await Promise.race([creation, said.appeared])
    if (first === undefined) {
      const { pid } = JSON.parse(readFileSync(state, "utf8")) as { pid: number }
      await joinNetworks(pid as Pid)
      letGo(go)
    }
    return await creation
  } catch (error) {
    letGo(go)
    await creation.catch(() => {})
    const { restoreFailure } = await runtimes.checkpoints()
    const words = restoreFailure(bundle.directory)
    if (words === undefined || isSkiffError(error, "AlreadyExists")) throw error
    throw new FailedPrecondition(`the container could not be restored: ${words}`, { cause: error })
  } finally {
    said[Symbol.dispose]()
  }
}

/** Writes the state by rename, so that it is there whole; then waits for a line. */
function hookOf(state: string, go: string): OciHook {
  const script = 'cat > "$1.part" && mv "$1.part" "$1" && read -r _ < "$2"'
  return {
    path: "/bin/sh",
    args: ["sh", "-c", script, "sh", state, go],
    env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    timeout: HOOK_SECONDS,
  }
}

function letGo(go: string): void {
  try {
    // both ways: it must not wait for a hook that never comes
    const fd = openSync(go, constants.O_RDWR | constants.O_NONBLOCK)
    writeSync(fd, "\n")
    // the line stays in the pipe as long as somebody has it open
    setTimeout(() => closeSync(fd), 1_000).unref()
  } catch {
    // it is gone with the bundle
  }
}

function fileAppears(directory: string, path: string): Disposable & { appeared: Promise<undefined> } {
  const watch = new DisposableStack()
  const appeared = new Promise<undefined>((resolve) => {
    const look = (): void => {
      if (existsSync(path)) resolve(undefined)
    }
    watch.use(watchDirectory(directory, look))
    look()
  })
  return { appeared, [Symbol.dispose]: () => watch.dispose() }
}
