/** A store with its controllers, for tests: real records, and a hand that plays the node agent. */
import { Database } from "../../base/database.ts"
import type { KubeObject } from "../kube-object.ts"
import type { KubeObjects, StoredObject } from "../objects/objects.ts"
import { openObjects } from "../objects/open.ts"
import { kubeSchema } from "../objects/schema.ts"
import type { Cluster } from "./cluster.ts"
import { openControl } from "./control.ts"
import type { WorkQueue } from "./work-queue.ts"

export interface TestCluster extends AsyncDisposable {
  objects: KubeObjects
  cluster: Cluster
  queue: WorkQueue
  /** Until nothing has changed for a few turns. */
  reconciled(): Promise<void>
  /** Every pod that is not ending runs and is ready. */
  serve(): Promise<void>
}

let count = 0

export function testCluster(root: string): TestCluster {
  const directory = `${root}/${count++}`
  const db = new Database(`${directory}.db`)
  db.migrate([kubeSchema])
  const objects = openObjects({ db, root: directory })
  const { cluster, queue } = openControl(objects, { hostname: "node" })
  const stop = new AbortController()
  const following = cluster.follow(stop.signal)
  const reconciled = async (): Promise<void> => {
    const until = Date.now() + 4_000
    for (let quiet = 0, version = ""; quiet < 3;) {
      if (Date.now() > until) throw new Error("objects change without an end")
      await new Promise((resolve) => setTimeout(resolve, 25))
      const now = objects.resourceVersion()
      quiet = now === version && queue.isIdle ? quiet + 1 : 0
      version = now
    }
  }
  return {
    objects,
    cluster,
    queue,
    reconciled,
    async serve() {
      for (let round = 0; round < 20; round++) {
        await reconciled()
        const waiting = objects.list("pods", { fits: (pod) => !isServing(pod) }).items
        if (waiting.length === 0) return
        for (const pod of waiting) {
          if (pod.metadata.deletionTimestamp === undefined) objects.updateStatus("pods", { ...pod, status: SERVING })
          else objects.delete("pods", pod.metadata.name, pod.metadata.namespace, { graceSeconds: 0 })
        }
      }
      throw new Error("pods come and go without an end")
    },
    async [Symbol.asyncDispose]() {
      queue[Symbol.dispose]()
      stop.abort()
      await following
      db[Symbol.dispose]()
    },
  }
}

const SERVING = {
  phase: "Running",
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }],
}

function isServing({ metadata, status }: StoredObject): boolean {
  return metadata.deletionTimestamp === undefined && (status as { phase?: string } | undefined)?.phase !== "Pending"
}

export const template = (app: string, image = "one"): object => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: "main", image }] },
})

export const object = (apiVersion: string, kind: string, name: string, rest: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "default" },
  ...rest,
})
