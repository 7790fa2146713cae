import type { ExplainDeps } from "./deps.ts"
import type { Explanations } from "./explain.ts"

/** Opens nothing, looks at nothing before it is asked. */
export function openExplanations(deps: ExplainDeps): Explanations {
  return {
    step: async (step) => (await import("./steps/explain-steps.ts")).explainStep(step, deps.networks),
  }
}
