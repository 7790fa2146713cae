import type { BuildDeps } from "../build/deps.ts"
import type { planMount } from "../build/plan/run-mount.ts"
import type { resolveBase } from "../build/resolve-base.ts"

/** What working containers stand on: the stores and the executor of builds, and of their planning what both need. */
export interface BuilderDeps extends BuildDeps {
  /** Finds the image of a name in the store, or pulls it. */
  resolveBase: typeof resolveBase
  /** A `--mount` of a RUN as the executor takes it. */
  planMount: typeof planMount
}
