import { existsSync, readFileSync } from "node:fs"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Containers } from "../container/container.ts"
import type { Events } from "../event/event.ts"
import type { Images } from "../image/image.ts"
import type { Networks } from "../network/network.ts"
import type { Pods } from "../pod/pod.ts"
import type { Sandboxes } from "../sandbox/sandbox.ts"
import { freeMemory } from "../sys/process/free-memory.ts"
import type { Volumes } from "../volume/volume.ts"
import type { Tokens } from "./api/tokens.ts"
import { autoscalerController } from "./controllers/autoscalers.ts"
import { openControl } from "./controllers/control.ts"
import { daemonSetController } from "./controllers/daemon-sets.ts"
import { volumeBinder } from "./controllers/volume-binder.ts"
import { scheduler, taintEviction } from "./controllers/scheduler.ts"
import type { KubeControl } from "./kube.ts"
import { NodeAgent } from "./node/agent/agent.ts"
import { dialFromHost, dialFromInside } from "./node/agent/dial.ts"
import { onClusterNetwork } from "./node/agent/cluster-options.ts"
import { PodUsage } from "./node/agent/pod-usage.ts"
import { nodeObject } from "./node/agent/node-object.ts"
import type { KubeObjects } from "./objects/objects.ts"
import { dialHook, hookNetwork } from "./services/hook-network.ts"
import { clusterNetworking, keepNetworking, type ClusterNetworking } from "./services/networking.ts"

/** What controls is handed. */
export interface ControlDeps {
  objects: KubeObjects
  containers: Containers
  pods: Pods
  sandboxes: Sandboxes
  networks: Networks
  volumes: Volumes
  images: Images
  events: Events
  root: string
  runRoot: string
  /** Pods are in namespaces that the host does not reach. */
  isRootless: boolean
  isNeeded(): Promise<boolean>
  /** Starts the proxy of Ingresses unless it runs. */
  wakeIngress(): void
  isOrdinaryUser: boolean
  /** Of service accounts. */
  tokens: Tokens
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined
}

/** Whether there is nothing left is looked at so often. */
const LOOK_MS = 2_000

/** The controllers and the node agent of one store. */
export function openKubeControl(deps: ControlDeps): KubeControl {
  return {
    async run({ signal }) {
      const stop = new AbortController()
      const both = AbortSignal.any([signal, stop.signal])
      const nodeName = hostname().toLowerCase()
      const { images, networks, volumes, root } = deps
      let networking: ClusterNetworking | undefined
      const {
        cluster,
        queue,
        deps: shared,
      } = openControl(deps.objects, {
        hostname: nodeName,
        network: hookNetwork(deps.objects, dialHook(deps)),
        authority: () => readIfThere(`${root}/kube/tls/ca.crt`),
        more(controllerDeps) {
          networking = clusterNetworking(controllerDeps, deps)
          return [
            nodeObject({ cluster: controllerDeps.cluster, images, root, nodeName }),
            scheduler(controllerDeps, nodeName),
            taintEviction(controllerDeps, nodeName),
            daemonSetController(controllerDeps, nodeName),
            autoscalerController(controllerDeps, new PodUsage(deps.containers, both)),
            ...volumeBinder(controllerDeps, { volumes, nodeName }),
            ...networking.controllers,
          ]
        },
      })
      using _ = queue
      using agent = new NodeAgent({
        ...deps,
        cluster,
        recorder: shared.recorder,
        nodeName,
        signal: both,
        dial: deps.isRootless ? dialFromInside(() => deps.sandboxes) : dialFromHost,
        network: (pod, options) => onClusterNetwork(networks, pod, options),
        withdrawn: async (pod) => networking?.withdrawn(pod),
      })
      // reads all there is before it waits for the first time
      const following = cluster.follow(both)
      const serving = keepNetworking(networking, both)
      const working = agent.run()
      let [version, isCollected] = ["", false]
      try {
        while (!both.aborted && (await deps.isNeeded())) {
          await Promise.race([following, working, sleep(LOOK_MS, undefined, { signal: both }).catch(() => {})])
          const now = deps.objects.resourceVersion()
          // much was done, and nothing is any more
          if (now !== version) isCollected = false
          else if (!isCollected) {
            isCollected = true
            freeMemory()
          }
          version = now
        }
      } finally {
        stop.abort()
        await Promise.all([following, serving, working])
      }
    },
  }
}
