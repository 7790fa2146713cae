import { afterEach, beforeEach, expect, setSystemTime, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import type { StoredObject } from "../objects/objects.ts"
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1"
import type { CronJob, Job } from "kubernetes-types/batch/v1"
import type { Pod } from "kubernetes-types/core/v1"
import { conditionOf } from "./conditions.ts"
import { kept } from "./kept.ts"
import { object, template, testCluster, type TestCluster } from "./control.suite.ts"

const root = tempDirectory("skiff-kube-controllers-")
let it: TestCluster
beforeEach(() => void (it = testCluster(root)))
afterEach(() => it[Symbol.asyncDispose]())

const names = (resource: string, namespace = "default"): string[] =>
  it.objects.list(resource, { namespace }).items.map(({ metadata }) => metadata.name)
const deployment = (replicas: number, image = "one", more: object = {}) =>
  object("apps/v1", "Deployment", "web", {
    spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template("web", image), ...more },
  })
const get = (resource: string, name = "web"): StoredObject => it.objects.get(resource, name, "default")
const condition = (type: string) => conditionOf(kept<Deployment>(get("deployments.apps")).status?.conditions, type)
const pods = () => it.objects.list("pods").items.map((one) => kept<Pod>(one))
const images = () => pods().map(({ spec }) => spec?.containers[0]?.image)

test("a Deployment has its pods by a ReplicaSet, and says when they serve", async () => {
  it.objects.create("deployments.apps", deployment(3))
  await it.serve()
  await it.reconciled()
  expect(names("pods")).toHaveLength(3)
  const [set = ""] = names("replicasets.apps")
  expect(set).toMatch(/^web-[a-z0-9]{10}$/)
  expect(names("pods").every((name) => name.startsWith(`${set}-`))).toBe(true)
  expect(get("deployments.apps")).toMatchObject({
    metadata: { annotations: { "deployment.kubernetes.io/revision": "1" } },
    status: { replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3, observedGeneration: 1 },
  })
  expect(condition("Available")).toMatchObject({ status: "True", reason: "MinimumReplicasAvailable" })
  expect(condition("Progressing")).toMatchObject({
    status: "True",
    reason: "NewReplicaSetAvailable",
    message: `ReplicaSet "${set}" has successfully progressed.`,
  })
  const reasons = it.objects.list("events").items.map((event) => event["reason"])
  expect(reasons).toContain("ScalingReplicaSet")
  expect(reasons).toContain("SuccessfulCreate")
})

test("another image is a new revision, rolled in by surge and given back by name", async () => {
  it.objects.create("deployments.apps", deployment(4))
  await it.serve()
  let most = 0
  const stop = new AbortController()
  const watching = (async () => {
    for await (const _ of it.objects.watch({ resources: ["pods"], signal: stop.signal }))
      most = Math.max(most, it.objects.list("pods", { fits: isStaying }).items.length)
  })()
  it.objects.update("deployments.apps", {
    ...get("deployments.apps"),
    spec: { ...(deployment(4, "two")["spec"] as object) },
  })
  await it.serve()
  await it.reconciled()
  stop.abort()
  await watching
  expect(most).toBe(5)
  expect(names("pods")).toHaveLength(4)
  expect(names("replicasets.apps")).toHaveLength(2)
  expect(new Set(images())).toEqual(new Set(["two"]))
  expect(get("deployments.apps").metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "2" })
  // back to the first template: its set is taken up again, as revision 3
  it.objects.update("deployments.apps", { ...get("deployments.apps"), spec: { ...(deployment(4)["spec"] as object) } })
  await it.serve()
  await it.reconciled()
  expect(names("replicasets.apps")).toHaveLength(2)
  expect(get("deployments.apps").metadata.annotations).toEqual({ "deployment.kubernetes.io/revision": "3" })
})

test("Recreate has none of the old pods left before the first new one", async () => {
  const spec = { strategy: { type: "Recreate" } }
  it.objects.create("deployments.apps", deployment(2, "one", spec))
  await it.serve()
  it.objects.update("deployments.apps", {
    ...get("deployments.apps"),
    spec: { ...(deployment(2, "two", spec)["spec"] as object) },
  })
  await it.reconciled()
  expect(images()).toEqual(["one", "one"])
  await it.serve()
  await it.reconciled()
  expect(images()).toEqual(["two", "two"])
})

test("a removed pod is made anew, and a scale keeps those that serve", async () => {
  it.objects.create("deployments.apps", deployment(3))
  await it.serve()
  const [first = ""] = names("pods")
  it.objects.delete("pods", first, "default", { graceSeconds: 0 })
  await it.reconciled()
  expect(names("pods")).toHaveLength(3)
  expect(names("pods")).not.toContain(first)
  const pending = pods().find(({ status }) => status?.phase === "Pending")?.metadata.name
  it.objects.update("deployments.apps", { ...get("deployments.apps"), spec: { ...(deployment(2)["spec"] as object) } })
  await it.reconciled()
  const left = it.objects.list("pods").items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  expect(left).toHaveLength(2)
  expect(left.map(({ metadata }) => metadata.name)).not.toContain(pending)
})

test.each(["Background", "Foreground", "Orphan"] as const)(
  "a Deployment that is deleted by %s",
  async (propagation) => {
    it.objects.create("deployments.apps", deployment(2))
    await it.serve()
    it.objects.delete("deployments.apps", "web", "default", { propagation })
    await it.reconciled()
    if (propagation === "Orphan") {
      expect(names("deployments.apps")).toEqual([])
      expect(names("pods")).toHaveLength(2)
      const [set] = it.objects.list("replicasets.apps").items
      expect(set?.metadata.ownerReferences).toBeUndefined()
      return
    }
    // its pods have their grace
    expect(names("deployments.apps")).toEqual(propagation === "Foreground" ? ["web"] : [])
    await it.serve()
    await it.reconciled()
    expect([...names("deployments.apps"), ...names("replicasets.apps"), ...names("pods")]).toEqual([])
  },
)

test("a namespace goes with all that is in it, and takes nothing more", async () => {
  it.objects.create("namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } })
  const at = { namespace: "shop" }
  it.objects.create("configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", ...at } })
  it.objects.create("deployments.apps", { ...deployment(2), metadata: { name: "web", ...at } })
  await it.serve()
  expect(it.objects.find("serviceaccounts", "default", "shop")).toBeDefined()
  it.objects.delete("namespaces", "shop")
  expect(() =>
    it.objects.create("configmaps", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "two", ...at } }),
  ).toThrow("terminated")
  await it.reconciled()
  expect(get2("namespaces", "shop")?.["status"]).toMatchObject({ phase: "Terminating" })
  await it.serve()
  await it.reconciled()
  expect(get2("namespaces", "shop")).toBeUndefined()
  expect(names("deployments.apps", "shop")).toEqual([])
})

const get2 = (resource: string, name: string) => it.objects.find(resource, name)
const isStaying = ({ metadata }: Pick<StoredObject, "metadata">) => metadata.deletionTimestamp === undefined

const setOf = (replicas: number, image = "one", more: object = {}) =>
  object("apps/v1", "StatefulSet", "web", {
    spec: {
      replicas,
      serviceName: "web",
      selector: { matchLabels: { app: "web" } },
      template: template("web", image),
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"] } }],
      ...more,
    },
  })

test("a StatefulSet makes its pods in order, with claims that stay, and takes the last away first", async () => {
  it.objects.create("statefulsets.apps", setOf(3))
  await it.reconciled()
  expect(names("pods")).toEqual(["web-0"])
  await it.serve()
  await it.reconciled()
  expect(names("pods")).toEqual(["web-0", "web-1", "web-2"])
  expect(names("persistentvolumeclaims")).toEqual(["data-web-0", "data-web-1", "data-web-2"])
  const [first] = pods()
  expect(first?.spec).toMatchObject({
    hostname: "web-0",
    subdomain: "web",
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data-web-0" } }],
  })
  it.objects.update("statefulsets.apps", { ...get("statefulsets.apps"), spec: setOf(1)["spec"] })
  await it.reconciled()
  expect(
    pods()
      .filter((one) => !isStaying(one))
      .map(({ metadata }) => metadata.name),
  ).toEqual(["web-2"])
  await it.serve()
  await it.reconciled()
  expect(names("pods")).toEqual(["web-0"])
  expect(names("persistentvolumeclaims")).toHaveLength(3)
})

test("a StatefulSet is updated from its last pod down to the partition", async () => {
  it.objects.create("statefulsets.apps", setOf(3))
  await it.serve()
  const strategy = { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } }
  it.objects.update("statefulsets.apps", { ...get("statefulsets.apps"), spec: setOf(3, "two", strategy)["spec"] })
  await it.serve()
  await it.reconciled()
  expect(images()).toEqual(["one", "two", "two"])
  it.objects.update("statefulsets.apps", { ...get("statefulsets.apps"), spec: setOf(3, "two")["spec"] })
  await it.serve()
  await it.reconciled()
  expect(images()).toEqual(["two", "two", "two"])
  expect(names("controllerrevisions.apps")).toHaveLength(2)
  const { status } = kept<StatefulSet>(get("statefulsets.apps"))
  expect(status?.currentRevision).toBe(status?.updateRevision ?? "")
})

test("a StatefulSet begins at its first ordinal, updates a share at once, and takes its claims along where it says so", async () => {
  const more = {
    ordinals: { start: 5 },
    podManagementPolicy: "Parallel",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "50%" } },
    persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Delete" },
  }
  it.objects.create("statefulsets.apps", setOf(4, "one", more))
  await it.serve()
  await it.reconciled()
  expect(names("pods")).toEqual(["web-5", "web-6", "web-7", "web-8"])
  it.objects.update("statefulsets.apps", { ...get("statefulsets.apps"), spec: setOf(4, "two", more)["spec"] })
  await it.reconciled()
  expect(
    pods()
      .filter((one) => !isStaying(one))
      .map(({ metadata }) => metadata.name),
  ).toEqual(["web-7", "web-8"])
  await it.serve()
  await it.reconciled()
  expect(new Set(images())).toEqual(new Set(["two"]))
  it.objects.update("statefulsets.apps", { ...get("statefulsets.apps"), spec: setOf(2, "two", more)["spec"] })
  await it.serve()
  await it.reconciled()
  expect(names("persistentvolumeclaims")).toEqual(["data-web-5", "data-web-6"])
  it.objects.delete("statefulsets.apps", "web", "default")
  await it.serve()
  await it.reconciled()
  expect(names("persistentvolumeclaims")).toEqual([])
})

const ends = (name: string, phase: "Succeeded" | "Failed", exitCode = phase === "Failed" ? 1 : 0) =>
  it.objects.updateStatus("pods", {
    ...it.objects.get("pods", name, "default"),
    status: {
      phase,
      containerStatuses: [
        { name: "main", restartCount: 0, state: { terminated: { exitCode, finishedAt: "2026-01-01T00:00:00Z" } } },
      ],
    },
  })
const jobOf = (more: object) =>
  object("batch/v1", "Job", "sum", {
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "one" }] } }, ...more },
  })
const job = () => kept<Job>(get("jobs.batch", "sum"))
const jobConditions = () => job().status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)

test("an Indexed Job runs each index once, so many at a time, and counts an end only once", async () => {
  it.objects.create("jobs.batch", jobOf({ completions: 3, parallelism: 2, completionMode: "Indexed" }))
  await it.reconciled()
  expect(names("pods").map((name) => name.replace(/-[a-z0-9]{5}$/, ""))).toEqual(["sum-0", "sum-1"])
  expect(pods()[0]?.spec?.containers[0]?.env?.[0]?.name).toBe("JOB_COMPLETION_INDEX")
  const [first = "", second = ""] = names("pods")
  ends(second, "Succeeded")
  await it.reconciled()
  expect(job().status).toMatchObject({ succeeded: 1, completedIndexes: "1", active: 2 })
  ends(first, "Succeeded")
  await it.reconciled()
  ends(names("pods").find((name) => name.startsWith("sum-2-")) ?? "", "Succeeded")
  await it.reconciled()
  expect(job().status).toMatchObject({ succeeded: 3, completedIndexes: "0-2" })
  expect(jobConditions()).toEqual(["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"])
})

test("a Job fails for good by its limit, its deadline or its failure policy", async () => {
  it.objects.create("jobs.batch", jobOf({ backoffLimit: 0 }))
  await it.reconciled()
  ends(names("pods")[0] ?? "", "Failed")
  await it.reconciled()
  expect(jobConditions()).toEqual(["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"])
  it.objects.delete("jobs.batch", "sum", "default")
  await it.reconciled()
  for (const name of names("pods")) it.objects.delete("pods", name, "default", { graceSeconds: 0 })
  const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }]
  it.objects.create("jobs.batch", jobOf({ podFailurePolicy: { rules } }))
  await it.reconciled()
  ends(names("pods")[0] ?? "", "Failed", 42)
  await it.reconciled()
  expect(jobConditions()).toEqual(["FailureTarget PodFailurePolicy", "Failed PodFailurePolicy"])
})

const podOf = (index: number) => names("pods").findLast((name) => name.startsWith(`sum-${index}-`)) ?? ""
const jobAgain = async () => {
  it.objects.delete("jobs.batch", "sum", "default")
  await it.reconciled()
  for (const name of names("pods")) it.objects.delete("pods", name, "default", { graceSeconds: 0 })
}

test("an index of a Job fails by itself: by its own limit or by the failure policy, and too many of them fail the Job", async () => {
  const indexed = { completions: 3, parallelism: 3, completionMode: "Indexed", backoffLimitPerIndex: 1 }
  const rules = [{ action: "FailIndex", onExitCodes: { operator: "In", values: [9] } }]
  it.objects.create("jobs.batch", jobOf({ ...indexed, podFailurePolicy: { rules } }))
  await it.reconciled()
  ends(podOf(0), "Failed", 9)
  ends(podOf(1), "Failed")
  await it.reconciled()
  // the other one is tried once more, and knows that
  expect(job().status).toMatchObject({ failed: 2, failedIndexes: "0" })
  setSystemTime(Date.now() + 11_000)
  const { metadata: before } = get("jobs.batch", "sum")
  it.objects.update("jobs.batch", { ...get("jobs.batch", "sum"), metadata: { ...before, labels: { look: "again" } } })
  await it.reconciled()
  setSystemTime()
  const again = pods().find(
    ({ metadata }) =>
      metadata.name.startsWith("sum-1-") &&
      metadata.annotations?.["batch.kubernetes.io/job-index-failure-count"] === "1",
  )
  expect(again).toBeDefined()
  ends(again?.metadata.name ?? "", "Failed")
  ends(podOf(2), "Succeeded")
  await it.reconciled()
  expect(job().status).toMatchObject({ succeeded: 1, failedIndexes: "0,1", completedIndexes: "2" })
  expect(jobConditions()).toEqual(["FailureTarget FailedIndexes", "Failed FailedIndexes"])
  await jobAgain()
  it.objects.create("jobs.batch", jobOf({ ...indexed, backoffLimitPerIndex: 0, maxFailedIndexes: 0 }))
  await it.reconciled()
  ends(podOf(2), "Failed")
  await it.reconciled()
  for (const { metadata } of pods().filter((one) => !isStaying(one))) ends(metadata.name, "Failed")
  await it.reconciled()
  expect(jobConditions()).toEqual(["FailureTarget MaxFailedIndexesExceeded", "Failed MaxFailedIndexesExceeded"])
})

test("a Job is done as soon as its success policy says so, and the failure policy says which container failed how", async () => {
  const rules = [{ succeededIndexes: "0-1", succeededCount: 2 }, { succeededIndexes: "2" }]
  it.objects.create(
    "jobs.batch",
    jobOf({ completions: 3, parallelism: 3, completionMode: "Indexed", successPolicy: { rules } }),
  )
  await it.reconciled()
  ends(podOf(2), "Succeeded")
  await it.reconciled()
  for (const { metadata } of pods().filter((one) => !isStaying(one))) ends(metadata.name, "Failed")
  await it.reconciled()
  expect(jobConditions()).toEqual(["SuccessCriteriaMet SuccessPolicy", "Complete SuccessPolicy"])
  expect(job().status?.conditions?.[0]?.message).toBe("Matched rules at index 1")
  await jobAgain()
  const onExitCodes = { containerName: "main", operator: "NotIn", values: [1] }
  it.objects.create(
    "jobs.batch",
    jobOf({
      podFailurePolicy: {
        rules: [
          { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
          { action: "FailJob", onExitCodes },
        ],
      },
    }),
  )
  await it.reconciled()
  const [name = ""] = names("pods")
  ends(name, "Failed", 3)
  await it.reconciled()
  expect(job().status?.conditions?.[0]?.message).toBe(
    `Container main for pod default/${name} failed with exit code 3 matching FailJob rule at index 1`,
  )
})

test("a suspended Job has no pods until it goes on", async () => {
  it.objects.create("jobs.batch", jobOf({ suspend: true }))
  await it.reconciled()
  expect(names("pods")).toEqual([])
  expect(jobConditions()).toEqual(["Suspended JobSuspended"])
  const { spec } = get("jobs.batch", "sum")
  it.objects.update("jobs.batch", { ...get("jobs.batch", "sum"), spec: { ...(spec as object), suspend: false } })
  await it.reconciled()
  expect(names("pods")).toHaveLength(1)
  expect(jobConditions()).toEqual(["Suspended JobResumed"])
})

test("a CronJob that was away makes the last of what it missed, and keeps few of those that have ended", async () => {
  const jobTemplate = {
    spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "one" }] } } },
  }
  it.objects.create(
    "cronjobs.batch",
    object("batch/v1", "CronJob", "tick", { spec: { schedule: "* * * * *", jobTemplate } }),
  )
  const at = Date.now() - 3 * 60_000
  it.objects.updateStatus("cronjobs.batch", {
    ...get("cronjobs.batch", "tick"),
    status: { lastScheduleTime: new Date(at).toISOString() },
  })
  await it.reconciled()
  expect(names("jobs.batch")).toEqual([`tick-${Math.floor(Date.now() / 60_000)}`])
  expect(kept<CronJob>(get("cronjobs.batch", "tick")).status?.active).toHaveLength(1)
})
