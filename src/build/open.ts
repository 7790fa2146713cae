import type { BuildDeps } from "./deps.ts"
import type { Builds } from "./build.ts"

/** Builds on the stores of `host`. What runs, parses and plans is loaded when a build asks for it. */
export function openBuilds(host: BuildDeps): Builds {
  return {
    async build(request, onEvent) {
      const { runBuild } = await import("./run-build.ts")
      return await runBuild(host, request, onEvent)
    },
    async check(request) {
      const { checkRequest } = await import("./run-build.ts")
      return await checkRequest(host, request)
    },
    sweepExecutor: (executor) => host.sweepExecutor(executor),
    async diskUsage() {
      const { cacheUse } = await import("./solve/prune-cache.ts")
      return await cacheUse(host)
    },
    async prune(options) {
      const { pruneCache } = await import("./solve/prune-cache.ts")
      return await pruneCache(host, options)
    },
  }
}
