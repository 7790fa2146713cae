import type { ContainerFiles, Networks } from "../../network/network.ts"
import type { Runtimes } from "../../runtime/runtime.ts"

/** What the executor stands on; `engine/` gives it. Domains that cost time to load come when asked for. */
export interface ExecutorDeps {
  /** Of the store: what the caches of RUN hold, and what is known of files by their times, survive there. */
  root: string
  /** We are root of the pause process's user namespace. */
  rootless: boolean
  runtimes(): Promise<Runtimes>
  networks(): Promise<Networks>
  /** Texts of the files that are bound over /etc of each RUN. */
  files: Pick<ContainerFiles, "hosts" | "resolvConf">
}
