/** An object that asks for more than a machine has takes nothing from the others. */
import { afterEach, beforeEach, expect, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { claimVolumeName } from "./claim-volume.ts"
import { object, template, testCluster, type TestCluster } from "./control.suite.ts"
import { indexesOf } from "./job-indexes.ts"
import type { Kept } from "./kept.ts"
import type { PersistentVolumeClaim } from "kubernetes-types/core/v1"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const root = tempDirectory("skiff-kube-hostile-")
const BILLION = 1_000_000_000
let it: TestCluster
beforeEach(() => void (it = testCluster(root)))
afterEach(() => it[Symbol.asyncDispose]())

const job = (name: string, spec: object) =>
  object("batch/v1", "Job", name, {
    spec: { ...spec, template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "one" }] } } },
  })

test.each<[string, string, () => object]>([
  ["a Job of a billion pods at once", "jobs.batch", () => job("bomb", { parallelism: BILLION })],
  [
    "an Indexed Job of a billion indexes",
    "jobs.batch",
    () => job("bomb", { parallelism: BILLION, completions: BILLION, completionMode: "Indexed" }),
  ],
  [
    "a StatefulSet of a billion pods at once",
    "statefulsets.apps",
    () =>
      object("apps/v1", "StatefulSet", "bomb", {
        spec: {
          replicas: BILLION,
          podManagementPolicy: "Parallel",
          selector: { matchLabels: { app: "bomb" } },
          template: template("bomb"),
        },
      }),
  ],
])(
  "%s lets others have their turn",
  async (_, resource, made) => {
    it.objects.create(resource, made() as never)
    it.objects.create(
      "replicasets.apps",
      object("apps/v1", "ReplicaSet", "web", {
        spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, template: template("web") },
      }),
    )
    const until = Date.now() + 8_000
    while (!it.cluster.list("pods").some(({ metadata }) => metadata.labels?.["app"] === "web")) {
      expect(Date.now()).toBeLessThan(until)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(it.cluster.count("pods")).toBeLessThan(10_000)
  },
  20_000,
)

test("indexes that are named again and again are there once, and cost little", () => {
  const begin = cpuMs()
  expect(indexesOf("0-99999,".repeat(100_000)).length).toBe(100_000)
  expect(indexesOf(`1,${"0-999999999,".repeat(10_000)}2`).length).toBeLessThanOrEqual(100_001)
  expect(cpuMs() - begin).toBeLessThan(1_000)
  expect([indexesOf("3,0-2,2"), indexesOf(""), indexesOf("x,1-,-2,7")]).toEqual([[3, 0, 1, 2], [], [7]])
})

test("a claim that names another's volume has nothing of it", async () => {
  it.objects.create("persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: "pv", annotations: { "io.skiff.volume": "theirs" } },
    spec: { claimRef: { name: "data", namespace: "kube-system", uid: "another" } },
  })
  const made = it.objects.create(
    "persistentvolumeclaims",
    object("v1", "PersistentVolumeClaim", "data", { spec: { volumeName: "pv" }, status: { phase: "Bound" } }),
  )
  await it.reconciled()
  expect(claimVolumeName(it.cluster, made as unknown as Kept<PersistentVolumeClaim>)).toBeUndefined()
})
