/** Objects of a store, written as the API does, for tests of what is made of them. */
import { join } from "node:path"
import { Database } from "../../src/base/database.ts"
import { isSkiffError } from "../../src/base/errors.ts"
import type { KubeObject } from "../../src/kube/kube-object.ts"
import type { KubeObjects, StoredObject } from "../../src/kube/objects/objects.ts"
import { openObjects } from "../../src/kube/objects/open.ts"
import type { Skiff } from "./skiff.ts"
import { eventually } from "./wait.ts"

export interface TestObjects extends Disposable {
  objects: KubeObjects
  /** Keeps an object, and has it seen to. */
  put(object: KubeObject): Promise<StoredObject>
  pods(labels?: Readonly<Record<string, string>>): PodView[]
  /** Until there are as many pods as said, all of them ready. */
  ready(count: number, labels?: Readonly<Record<string, string>>, timeoutMs?: number): Promise<PodView[]>
  pod(name: string): PodView | undefined
  /** Until it says so. */
  until(what: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>
  reasons(name: string): string[]
  /** All objects go, and all that was made of them. */
  clear(): Promise<void>
}

export interface PodView {
  name: string
  uid: string
  phase: string
  isReady: boolean
  isEnding: boolean
  ip: string | undefined
  restarts: number
  status: Record<string, unknown>
  object: StoredObject
}

const KEYS: Readonly<Record<string, string>> = {
  Pod: "pods",
  ConfigMap: "configmaps",
  Secret: "secrets",
  Service: "services",
  PersistentVolumeClaim: "persistentvolumeclaims",
  Deployment: "deployments.apps",
  StatefulSet: "statefulsets.apps",
  DaemonSet: "daemonsets.apps",
  Job: "jobs.batch",
  CronJob: "cronjobs.batch",
  HorizontalPodAutoscaler: "horizontalpodautoscalers.autoscaling",
}

/** After the store's first command: it has made the tables. */
export function openTestObjects(skiff: Skiff): TestObjects {
  const db = new Database(join(skiff.root, "skiff.db"))
  const objects = openObjects({ db, root: skiff.root })
  const it: TestObjects = {
    objects,
    async put(object) {
      const key = KEYS[object.kind] ?? `${object.kind.toLowerCase()}s`
      const named = { ...object, metadata: { namespace: "default", ...object.metadata } }
      const there = objects.find(key, object.metadata.name, "default")
      const kept =
        there === undefined
          ? objects.create(key, named)
          : objects.update(key, {
              ...named,
              metadata: { ...there.metadata, resourceVersion: undefined, ...object.metadata },
            })
      // any command sees that somebody must stay
      await skiff.ok("ps", "-q")
      return kept
    },
    pods: (labels = {}) => objects.list("pods", { fits: (pod) => fits(pod, labels) }).items.map(viewOf),
    pod: (name) => {
      const found = objects.find("pods", name, "default")
      return found && viewOf(found)
    },
    async ready(count, labels, timeoutMs = 30_000) {
      await it.until(() => {
        const pods = it.pods(labels)
        return pods.length === count && pods.every(({ isReady, isEnding }) => isReady && !isEnding)
      }, timeoutMs)
      return it.pods(labels)
    },
    async until(what, timeoutMs = 30_000) {
      try {
        await eventually(what, timeoutMs)
      } catch (error) {
        const pods = it.pods().map(({ name, status }) => `${name} ${JSON.stringify(status)}`)
        throw new Error(`${String(error)}\n${pods.join("\n").slice(0, 6_000)}`, { cause: error })
      }
    },
    reasons: (name) =>
      objects
        .list("events", { fits: (event) => (event["involvedObject"] as { name: string }).name === name })
        .items.map((event) => String(event["reason"])),
    async clear() {
      for (const key of Object.values(KEYS).toReversed())
        for (const { metadata } of objects.list(key).items)
          if (metadata.deletionTimestamp === undefined && metadata.name !== "kubernetes")
            try {
              objects.delete(key, metadata.name, metadata.namespace, key === "pods" ? { graceSeconds: 1 } : {})
            } catch (error) {
              // it went with its owner meanwhile
              if (!isSkiffError(error, "NotFound")) throw error
            }
      await skiff.ok("ps", "-q")
      await it.until(() => it.pods().length === 0 && objects.list("replicasets.apps").items.length === 0)
    },
    [Symbol.dispose]: () => db[Symbol.dispose](),
  }
  return it
}

function viewOf(object: StoredObject): PodView {
  const status = (object["status"] ?? {}) as Record<string, unknown>
  const conditions = (status["conditions"] ?? []) as { type: string; status: string }[]
  const containers = (status["containerStatuses"] ?? []) as { restartCount: number }[]
  return {
    name: object.metadata.name,
    uid: object.metadata.uid,
    phase: String(status["phase"] ?? ""),
    isReady: conditions.some(({ type, status: is }) => type === "Ready" && is === "True"),
    isEnding: object.metadata.deletionTimestamp !== undefined,
    ip: status["podIP"] as string | undefined,
    restarts: containers.reduce((sum, { restartCount }) => sum + restartCount, 0),
    status,
    object,
  }
}

function fits(object: StoredObject, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([key, value]) => object.metadata.labels?.[key] === value)
}
