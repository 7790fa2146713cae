import type { Compose, LoadRequest } from "./compose.ts"
import type { ComposeDeps } from "./deps.ts"
import type { Remotes } from "./load/remote.ts"
import { openRendering } from "./open-rendering.ts"
import { openVerbs } from "./open-verbs.ts"

/** Compose on one store. What a verb needs loads when it is called. */
export function openCompose(deps: ComposeDeps): Compose {
  return {
    ...openVerbs(deps),
    ...openRendering((request) => remotesOf(deps, request)),
    up: async (project, options) => (await import("./run/up.ts")).upProject(deps, project, options),
    plan: async (project, options) => (await import("./run/up.ts")).planUp(deps, project, options),
    fromContainers: async (name) => (await import("./from-containers.ts")).readProject(deps, name),
    build: async (project, names, options) =>
      (await import("./build/build-services.ts")).buildServices(deps, project, names, options),
    check: async (project, names, choices) =>
      (await import("./build/check-services.ts")).checkServices(deps, project, names, choices),
    bakeFile: async (project, names, choices = {}) =>
      (await import("./build/bake-file.ts")).bakeFile(project, names, choices),
    pull: async (project, options) => (await import("./build/pull-services.ts")).pullServices(deps, project, options),
    push: async (project, options) => (await import("./build/push-services.ts")).pushServices(deps, project, options),
    publish: async (project, reference, options) =>
      (await import("./publish/publish-project.ts")).publishProject(deps, project, reference, options),
    watch: async (project, options) => (await import("./watch/watch-project.ts")).watchProject(deps, project, options),
    load: async (request) => (await import("./load/load.ts")).loadProject(request, remotesOf(deps, request)),
  }
}

/** What fetches files of other machines: opened when the first one is. */
function remotesOf(deps: ComposeDeps, { environment }: LoadRequest): Remotes {
  let remotes: Promise<Remotes> | undefined
  return {
    async fetch(name) {
      remotes ??= import("./load/remote/remote-files.ts").then(({ openRemotes }) => openRemotes(deps, environment))
      return (await remotes).fetch(name)
    },
  }
}
