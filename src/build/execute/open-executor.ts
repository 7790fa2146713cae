import { CacheMounts } from "./cache-mounts.ts"
import { fileFailure } from "./file-failure.ts"
import { NetworkSlots } from "./network-slots.ts"
import type { SourceDigests } from "./source-digest.ts"
import type { Executor } from "./executor.ts"
import type { ExecutorDeps } from "./deps.ts"
import { ExecutionDirectory } from "./execution-directory.ts"

function explain(error: unknown): never {
  throw fileFailure(error)
}

/** The executor of one build. Opens nothing before it is asked; its first step takes back what killed builds left. */
export function openExecutor(deps: ExecutorDeps): Executor {
  let opened: Promise<{ place: ExecutionDirectory; slots: NetworkSlots }> | undefined
  const open = () =>
    (opened ??= ExecutionDirectory.open(deps).then((place) => ({ place, slots: new NetworkSlots(deps, place) })))
  let digests: SourceDigests | undefined
  const caches = new CacheMounts(deps.root)
  const told = new Set<string>()
  return {
    async run(operation, root, sources, settings, context) {
      const [{ runStep }, { place, slots }] = await Promise.all([import("./run-step.ts"), open()])
      await runStep({ deps, place, slots, caches, told }, { operation, root, sources, settings }, context)
    },
    async files(operation, root, sources, context) {
      const { copyFiles } = await import("./copy-files.ts")
      await copyFiles(operation, root, sources, context).catch(explain)
    },
    async sourceDigest(operation, input, source) {
      const { SourceDigests } = await import("./source-digest.ts")
      digests ??= new SourceDigests(deps.root)
      return await digests.digest(operation, input, source).catch(explain)
    },
    async download(url, directory, checksum, context) {
      const { download } = await import("./download.ts")
      return await download(url, directory, checksum, context)
    },
    async clone(url, directory, options, context) {
      const { clone } = await import("./git-clone.ts")
      return await clone(url, directory, options, context)
    },
    async [Symbol.asyncDispose]() {
      const wasOpened = opened
      opened = undefined
      if (wasOpened === undefined) return
      const { place, slots } = await wasOpened
      await slots[Symbol.asyncDispose]()
      await place[Symbol.asyncDispose]()
    },
  }
}
