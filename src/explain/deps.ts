/** What explanations are made of; `engine/` gives it. */
import type { Containers } from "../container/container.ts"
import type { Networks } from "../network/network.ts"
import type { Runtimes } from "../runtime/runtime.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"

/** What the domain is handed. */
export interface ExplainDeps {
  containers(): Promise<Containers>
  networks(): Promise<Networks>
  runtimes(): Promise<Runtimes>
  sandboxes(): Promise<Sandboxes>
}
