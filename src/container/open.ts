import type { Container, Containers } from "./container.ts"
import { containerFilter } from "./filter.ts"
import type { ContainerHost } from "./deps.ts"
import { parseContainerName } from "./name.ts"
import { toContainer } from "./observe.ts"
import { findSuspects, mend, needsSettling, unknownIds } from "./repair.ts"
import type { ContainerRecord } from "./record.ts"

/**
 * Containers of one store. Reading costs the rows and a look into /proc; what changes them loads when first asked for.
 * Dispose it: what was found out of line is mended then, after the command's own work.
 */
export function openContainers(host: ContainerHost): Containers & AsyncDisposable {
  const { records } = host
  const suspects = new Set<string>()
  let looksAround = false

  const observe = (record: ContainerRecord): Container => {
    if (needsSettling(record, host)) suspects.add(record.id)
    return toContainer(record, host)
  }
  /** A command that changes containers has the time to look at the others too. */
  const lifeCycle = () => {
    looksAround = true
    return import("./life-cycle.ts")
  }

  return {
    list(filter = {}) {
      const fits = containerFilter(filter, records)
      const candidates = records.list().map((record) => ({ record, container: observe(record) }))
      for (const id of unknownIds(host)) suspects.add(id)
      return candidates.filter(fits).map(({ container }) => container)
    },
    get: (nameOrId) => observe(records.get(nameOrId)),
    create: async (options, onProgress) => (await lifeCycle()).create(host, options, onProgress),
    run: async (options, onProgress, runOptions) => (await lifeCycle()).run(host, options, onProgress, runOptions),
    start: async (nameOrId, options) => (await lifeCycle()).start(host, nameOrId, options),
    stop: async (nameOrId, options) => (await lifeCycle()).stop(host, nameOrId, options),
    kill: async (nameOrId, signal) => (await lifeCycle()).kill(host, nameOrId, signal),
    restart: async (nameOrId, options) => (await lifeCycle()).restart(host, nameOrId, options),
    pause: async (nameOrId) => (await lifeCycle()).pause(host, nameOrId),
    unpause: async (nameOrId) => (await lifeCycle()).unpause(host, nameOrId),
    remove: async (nameOrId, options) => (await lifeCycle()).remove(host, nameOrId, options),
    rename: (nameOrId, newName) => records.rename(records.get(nameOrId).id, parseContainerName(newName)),
    wait: async (nameOrId, condition) => (await import("./wait.ts")).wait(host, nameOrId, condition),
    attach: async (nameOrId, { stdin }) =>
      (await lifeCycle()).attachRunning(host, records.get(nameOrId), { attach: true, stdin }),
    exec: async (nameOrId, request) => (await import("./exec.ts")).exec(host, nameOrId, request),
    resize(nameOrId, size) {
      const { id } = records.get(nameOrId)
      // a terminal of the wrong size is no reason to fail
      host.runtimes().then(
        (runtimes) => runtimes.resize(runtimes.bundle(id), size),
        () => {},
      )
    },
    async *logs(nameOrId, options) {
      const { readLogs } = await import("./logs.ts")
      yield* readLogs(host, nameOrId, options)
    },
    async *export(nameOrId) {
      const { id } = records.get(nameOrId)
      const snapshots = await host.snapshots()
      yield* snapshots.diff(id, { since: "nothing" })
    },
    commit: async (nameOrId, options) => (await import("./commit.ts")).commit(host, nameOrId, options),
    top: async (nameOrId, psOptions) => (await import("./top.ts")).top(host, nameOrId, psOptions),
    size: async (nameOrId) => (await import("./size.ts")).containerSize(host, nameOrId),
    inspect: async (nameOrId) => (await import("./inspect.ts")).inspect(host, nameOrId),
    cleanup: async (id) => (await import("./life-cycle.ts")).cleanup(host, id),
    reconcile: async () => (await import("./repair.ts")).reconcile(host),

    async [Symbol.asyncDispose]() {
      if (looksAround) for (const id of findSuspects(host)) suspects.add(id)
      if (suspects.size > 0) await mend(host, suspects)
    },
  }
}
