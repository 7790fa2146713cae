import type { Limit } from "../../../base/limiter.ts"
import type { Containers } from "../../../container/container.ts"
import type { Events } from "../../../event/event.ts"
import type { Images } from "../../../image/image.ts"
import type { Networks } from "../../../network/network.ts"
import type { PodOptions, Pods } from "../../../pod/pod.ts"
import type { Sandboxes } from "../../../sandbox/sandbox.ts"
import type { Volumes } from "../../../volume/volume.ts"
import type { Tokens } from "../../api/tokens.ts"
import type { Cluster } from "../../controllers/cluster.ts"
import type { KeptPod } from "../../controllers/pod-state.ts"
import type { Recorder } from "../../controllers/recorder.ts"
import type { Dial } from "./dial.ts"
import type { ImagePuller } from "./image-puller.ts"

/** What a node agent is handed. */
export interface AgentDeps {
  containers: Containers
  pods: Pods
  sandboxes: Sandboxes
  networks: Networks
  volumes: Volumes
  images: Images
  events: Events
  /** Of the store, and of what is gone with a boot. */
  root: string
  runRoot: string
  dial: Dial
  /** What the cluster's network makes of a pod's options. */
  network(pod: KeptPod, options: PodOptions): Promise<PodOptions>
  /** Resolves when nobody is led to a pod any more that is about to end, soon in any case. */
  withdrawn(pod: KeptPod): Promise<void>
  /** Gives tokens of service accounts. */
  tokens: Pick<Tokens, "issue">
}

/** What the pods of a node are worked on with. */
export interface NodeContext extends AgentDeps {
  cluster: Cluster
  recorder: Recorder
  puller: ImagePuller
  nodeName: string
  hostIps: readonly string[]
  cpus: number
  memoryBytes: number
  /** Of pods that are made ready at once. */
  limit: Limit
  /** No more is begun. */
  signal: AbortSignal
}

/** As the agent calls itself in events. */
export const COMPONENT = "kubelet"
