import { CacheMounts } from "./cache-mounts.ts"
import { fileFailure } from "./file-failure.ts"
import { NetworkSlots } from "./network-slots.ts"
import type { SourceDigests } from "./source-digest.ts"
import type { Executor } from "./executor.ts"
import type { ExecutorDeps } from "./deps.ts"
import type { BuildDirectory } from "../build-directory.ts"

function explain(error: unknown): never {
  throw fileFailure(error)
}

/** The executor of the build in the directory `build`, which outlives it. Opens nothing before it is asked. */
export function openExecutor(deps: ExecutorDeps, build: BuildDirectory): Executor {
  const slots = new NetworkSlots(deps, build)
  let digests: SourceDigests | undefined
  const caches = new CacheMounts(deps.root)
  const told = new Set<string>()
  return {
    async run(operation, root, sources, settings, context) {
      const { runStep } = await import("./run-step.ts")
      await runStep({ deps, build, slots, caches, told }, { operation, root, sources, settings }, context)
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
      await slots[Symbol.asyncDispose]()
    },
  }
}
