import { log } from "../../base/log.ts"
import type { KubeObjects } from "../objects/objects.ts"
import type { HookNetwork } from "../api/admission/webhooks/call.ts"
import { ControllerAdmission } from "./admission.ts"
import { Cluster } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import { deploymentController } from "./deployments.ts"
import { garbageCollector } from "./garbage.ts"
import { namespaceController } from "./namespaces.ts"
import { cronJobController } from "./cron-jobs.ts"
import { disruptionController } from "./disruption-budgets.ts"
import { quotaController } from "./quotas.ts"
import { jobController } from "./jobs.ts"
import { statefulSetController } from "./stateful-sets.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { Recorder } from "./recorder.ts"
import { replicaSetControllers } from "./replica-sets.ts"
import { WorkQueue } from "./work-queue.ts"

/** Those that see to objects alone. */
export function objectControllers(deps: ControllerDeps): Controller[] {
  return [
    garbageCollector(deps),
    namespaceController(deps),
    ...replicaSetControllers(deps),
    deploymentController(deps),
    statefulSetController(deps),
    jobController(deps),
    cronJobController(deps),
    disruptionController(deps),
    quotaController(deps),
  ]
}

/** A cluster with its controllers; nothing is done before `follow`. */
export function openControl(
  objects: KubeObjects,
  {
    hostname,
    more,
    authority,
    network,
  }: {
    hostname: string
    more?: (deps: ControllerDeps, queue: WorkQueue) => Controller[]
    authority?: () => string | undefined
    /** How webhooks are reached; undefined: none is asked. */
    network?: HookNetwork
  },
): { cluster: Cluster; queue: WorkQueue; deps: ControllerDeps } {
  const cluster = new Cluster(objects, network && new ControllerAdmission(objects, network))
  const queue = new WorkQueue()
  const deps: ControllerDeps = {
    cluster,
    recorder: new Recorder(objects, hostname),
    now: () => Date.now(),
    ...(authority && { authority }),
  }
  const controllers = [...objectControllers(deps), ...(more?.(deps, queue) ?? [])]
  cluster.onChange((change) => {
    for (const controller of controllers)
      try {
        for (const key of controller.keysOf(change)) queue.add(controller, key)
      } catch (error) {
        // one that cannot read an object holds up no other
        log.warn(`${controller.name} cannot take a change`, { reason: String(error) })
      }
  })
  return { cluster, queue, deps }
}
