import type { OciConfig } from "../spec/oci-runtime.ts"
import type { Mount } from "../sys/fs/mount.ts"
import type { EndpointStatus } from "../network/network.ts"

/** What a start has just done, as data; in this order. `bundle`: the run directory of the container, whose name is its id. */
export type LaunchStep = { bundle: string } & (
  | /** The layers are mounted as one tree. */
    { kind: "root"; target: string; mount: Mount }
    /** The texts that are bound over /etc lie in a file system of their own. */
  | { kind: "files"; directory: string }
  /** The runtime has made all that its configuration asks for: the program waits to be started. */
  | { kind: "created"; pid: number; runtime: string; config: OciConfig }
  /** The container has its addresses and published ports, and its hosts file in `filesDirectory` is whole. */
  | {
      kind: "network"
      id: string
      pid: number
      attachments: readonly { endpoint?: EndpointStatus }[]
      filesDirectory: string
    }
  /** All is there; the program is started next. */
  | { kind: "ready"; config: OciConfig }
)

/** Hears of each step; the start waits for it. What it throws ends the start. */
export type OnLaunchStep = (step: LaunchStep) => Promise<void> | void
