import type { BuildDeps } from "./deps.ts"
import { resolveBuild } from "./build-options.ts"
import type { Builds } from "./build.ts"

/** Builds on the stores of `deps`. What runs, parses and plans is loaded when a build asks for it. */
export function openBuilds(deps: BuildDeps): Builds {
  return {
    async applyChanges(config, changes) {
      const { applyChanges } = await import("./apply-changes.ts")
      return await applyChanges(config, changes)
    },
    async build(options, onEvent) {
      const [{ runBuild }, { remembered }] = await Promise.all([
        import("./run-build.ts"),
        import("./history/remembered.ts"),
      ])
      const request = resolveBuild(options)
      return await remembered(deps.db, request, onEvent, (tell) => runBuild(deps, request, tell))
    },
    async check(options) {
      const { checkRequest } = await import("./run-build.ts")
      return await checkRequest(deps, resolveBuild(options))
    },
    sweepKilled: (build, cancellable) => deps.directories.sweepKilled(build, cancellable),
    async diskUsage(cancellable) {
      const { cacheUse } = await import("./solve/prune-cache.ts")
      return await cacheUse(deps, cancellable)
    },
    async prune(options) {
      const { pruneCache } = await import("./solve/prune-cache.ts")
      return await pruneCache(deps, options)
    },
    async history() {
      const { HistoryRecords } = await import("./history/records.ts")
      return new HistoryRecords(deps.db)
    },
  }
}
