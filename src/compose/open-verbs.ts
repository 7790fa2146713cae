import type { ComposeDeps } from "./deps.ts"
import type { ComposeRun } from "./run-options.ts"
import type { ComposeVerbs } from "./verbs.ts"

/** Each verb loads when it is called. */
export function openVerbs(deps: ComposeDeps): ComposeVerbs & ComposeRun {
  return {
    createOneOff: async (...args) => (await import("./run/one-off.ts")).createOneOff(deps, ...args),
    postStart: async (...args) => (await import("./run/one-off.ts")).postStart(deps, ...args),
    start: async (...args) => (await import("./run/start.ts")).startProject(deps, ...args),
    stop: async (...args) => (await import("./run/stop.ts")).stopProject(deps, ...args),
    restart: async (...args) => (await import("./run/restart.ts")).restartProject(deps, ...args),
    kill: async (...args) => (await import("./run/signal.ts")).killProject(deps, ...args),
    pause: async (...args) => (await import("./run/signal.ts")).pauseProject(deps, ...args),
    unpause: async (...args) => (await import("./run/signal.ts")).unpauseProject(deps, ...args),
    removable: async (...args) => (await import("./run/remove.ts")).removableOf(deps, ...args),
    remove: async (...args) => (await import("./run/remove.ts")).removeContainers(deps, ...args),
    down: async (...args) => (await import("./run/down.ts")).downProject(deps, ...args),
    container: async (...args) => (await import("./run/choose.ts")).chooseContainer(deps, ...args),
    containersOf: async (...args) => (await import("./run/choose.ts")).containersOf(deps, ...args),
  }
}
