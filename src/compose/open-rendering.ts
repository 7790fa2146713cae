import type { LoadRequest } from "./load/load.ts"
import type { Remotes } from "./load/remote.ts"
import type { ComposeRendering, ModelFormat } from "./rendering.ts"

/** Pure but for the reading of files; each part loads when it is called. */
export function openRendering(remotes: (request: LoadRequest) => Remotes): ComposeRendering {
  const readModel: ComposeRendering["readModel"] = async (request) =>
    (await import("./load/load.ts")).loadProjectModel(request, remotes(request))
  return {
    readModel,
    renderModel,
    async render(project, format) {
      if (format === "json") return (await import("./write/json.ts")).projectJson(project)
      return (await import("./write/yaml.ts")).projectYaml(project)
    },
    async renderImages({ services }, format) {
      const images = Object.entries(services).map(([name, { image }]) => [name, image === undefined ? {} : { image }])
      return renderModel({ services: Object.fromEntries(images) }, format)
    },
    async variables(request) {
      const { variablesOf } = await import("./load/interpolate.ts")
      const { model, warnings } = await readModel({ ...request, skipInterpolation: true })
      const variables = [...variablesOf(model).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
      return { variables, warnings }
    },
    explainEnvironment: async (request, { workingDirectory, environment }) =>
      (await import("./load/explain-environment.ts")).explainEnvironment(request, workingDirectory, environment),
    async hashes({ services }) {
      const { serviceHash } = await import("./write/hash.ts")
      return Object.fromEntries(
        Object.entries(services)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([name, service]) => [name, serviceHash(service)]),
      )
    },
    inOrder: async ({ services }) => (await import("./plan/project-plan.ts")).inOrder(services),
  }
}

async function renderModel(model: object, format: ModelFormat): Promise<string> {
  if (format === "json") return (await import("./write/json.ts")).modelJson(model)
  return (await import("./write/yaml.ts")).modelYaml(model)
}
