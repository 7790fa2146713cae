import type { PodDeps } from "./deps.ts"
import { observePod, observePods } from "./observe.ts"
import type { Pods } from "./pod.ts"

const lifeCycle = () => import("./life-cycle.ts")

/** The pods of one store. Reading costs the rows; what changes them loads when first asked for. */
export function openPods(deps: PodDeps): Pods {
  const { records } = deps
  return {
    async list(filter = {}) {
      const { podFilter } = await import("./filter.ts")
      const fits = podFilter(filter)
      return (await observePods(deps, records.list())).filter(fits)
    },
    get: (nameOrId) => observePod(deps, records.get(nameOrId)),
    idOf: (nameOrId) => records.get(nameOrId).id,
    labelled: (key) =>
      records.list().flatMap(({ id, name, spec: { options, sandboxId } }) => {
        const { labels = {} } = options
        return Object.hasOwn(labels, key) ? [{ id, name, labels, ...(sandboxId !== undefined && { sandboxId }) }] : []
      }),
    create: async (options) => (await import("./create.ts")).createPod(deps, options),
    async containerOptions(nameOrId, options) {
      const record = records.get(nameOrId)
      const [{ inPod }, { ensureSandbox }] = await Promise.all([import("./join.ts"), import("./create.ts")])
      await ensureSandbox(deps, record)
      return inPod(record, options)
    },
    start: async (nameOrId, cancellable) => (await lifeCycle()).startPod(deps, nameOrId, cancellable),
    stop: async (nameOrId, options) => (await lifeCycle()).stopPod(deps, nameOrId, options),
    restart: async (nameOrId, options) => (await lifeCycle()).restartPod(deps, nameOrId, options),
    kill: async (nameOrId, signal, cancellable) => (await lifeCycle()).killPod(deps, nameOrId, signal, cancellable),
    pause: async (nameOrId, cancellable) => (await lifeCycle()).pausePod(deps, nameOrId, cancellable),
    unpause: async (nameOrId, cancellable) => (await lifeCycle()).unpausePod(deps, nameOrId, cancellable),
    remove: async (nameOrId, options) => (await import("./remove.ts")).removePod(deps, nameOrId, options),
    reconcile: async () => (await import("./remove.ts")).finishRemovals(deps),
    clone: async (nameOrId, changes) => (await import("./clone.ts")).clonePod(deps, nameOrId, changes),
  }
}
