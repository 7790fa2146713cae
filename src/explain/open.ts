import type { ExplainDeps } from "./deps.ts"
import type { Explanations } from "./explain.ts"
import { hostFacts } from "./host/host.ts"

/** Opens nothing, looks at nothing before it is asked. */
export function openExplanations(deps: ExplainDeps): Explanations {
  const container: Explanations["container"] = async (name) =>
    (await import("./container.ts")).explainContainer(deps, name)
  return {
    step: async (step) => (await import("./steps/explain-steps.ts")).explainStep(step, deps.networks),
    container,
    security: async (name) => {
      const { gradeSecurity } = await import("./security.ts")
      return gradeSecurity(await container(name))
    },
    host: hostFacts,
  }
}
