/** Deployments, Jobs, StatefulSets and the like on real containers. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import type { Job } from "kubernetes-types/batch/v1"
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2"
import type { KubeObject } from "../../src/kube/kube-object.ts"
import { reboot } from "../support/reboot.ts"
import { killSupervisor } from "../support/supervisor.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"

const skiff = openStore()
let it: TestObjects
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const stays = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
const program = (script: string, more: object = {}) => ({
  name: "main",
  image: "busybox",
  imagePullPolicy: "Never",
  command: ["sh", "-c", script],
  ...more,
})
const template = (script: string, more: object = {}) => ({
  metadata: { labels: { app: "web" } },
  spec: { terminationGracePeriodSeconds: 2, containers: [program(script, more)] },
})
const of = (apiVersion: string, kind: string, name: string, spec: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name },
  spec,
})
const selector = { matchLabels: { app: "web" } }
const deployment = (replicas: number, version: string, more: object = {}) =>
  of("apps/v1", "Deployment", "web", {
    replicas,
    selector,
    template: template(stays, { env: [{ name: "V", value: version }], ...more }),
  })
const versions = () => it.pods().map(({ object }) => JSON.stringify(object["spec"]).match(/"V","value":"(\w+)"/)?.[1])

test("a Deployment is rolled over while its supervisor is killed, and never falls below its bound", async () => {
  const readinessProbe = { exec: { command: ["true"] }, periodSeconds: 1 }
  await it.put(deployment(3, "one", { readinessProbe }))
  await it.ready(3)
  let least = 3
  const done = new AbortController()
  const watching = (async () => {
    while (!done.signal.aborted) {
      least = Math.min(least, it.pods().filter(({ isReady, isEnding }) => isReady && !isEnding).length)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  await it.put(deployment(3, "two", { readinessProbe }))
  await it.until(() => versions().includes("two"))
  await killSupervisor(skiff)
  await skiff.ok("ps", "-q")
  await it.until(() => versions().length === 3 && versions().every((one) => one === "two"), 40_000)
  await it.ready(3)
  done.abort()
  await watching
  expect(least).toBeGreaterThanOrEqual(3)
})

test("a removed pod is back in about the time that it takes to make one", async () => {
  const made = Date.now()
  await it.put(deployment(2, "one"))
  const [first] = await it.ready(2)
  const begun = Date.now()
  it.objects.delete("pods", first?.name ?? "", "default", { graceSeconds: 1 })
  await it.until(
    () => it.pods().filter(({ isReady, isEnding, name }) => isReady && !isEnding && name !== first?.name).length === 2,
  )
  // two seconds, where nothing else goes on
  expect(Date.now() - begun).toBeLessThan(1_000 + 3 * (begun - made))
})

test("a StatefulSet's pods have names, and find what they wrote when they come again", async () => {
  const script = `echo $HOSTNAME >> /data/names; ${stays}`
  await it.put(
    of("apps/v1", "StatefulSet", "db", {
      replicas: 2,
      serviceName: "db",
      selector,
      template: template(script, { volumeMounts: [{ name: "data", mountPath: "/data" }] }),
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
        },
      ],
    }),
  )
  await it.ready(2)
  expect(it.pods().map(({ name }) => name)).toEqual(["db-0", "db-1"])
  const before = it.pod("db-0")?.uid
  it.objects.delete("pods", "db-0", "default")
  await it.until(() => it.pod("db-0")?.isReady === true && it.pod("db-0")?.uid !== before)
  const id = await skiff.ok("ps", "-q", "--filter", "label=io.kubernetes.pod.name=db-0")
  expect(await skiff.ok("exec", id, "cat", "/data/names")).toBe("db-0\ndb-0")
})

test("a Job runs to its end, one that fails as often as it may, and a CronJob's is made on time", async () => {
  const job = (name: string, script: string, more: object = {}) =>
    of("batch/v1", "Job", name, {
      template: { spec: { restartPolicy: "Never", containers: [program(script)] } },
      ...more,
    })
  const conditions = (name: string) =>
    (it.objects.get("jobs.batch", name, "default")["status"] as Job["status"])?.conditions?.map(({ type }) => type) ??
    []
  await it.put(job("sum", "exit 0", { completions: 3, parallelism: 2 }))
  await it.put(job("broken", "exit 1", { backoffLimit: 0 }))
  await it.until(() => conditions("sum").includes("Complete") && conditions("broken").includes("Failed"))
  expect(it.objects.get("jobs.batch", "sum", "default")["status"]).toMatchObject({ succeeded: 3 })
  expect(it.pods({ "job-name": "sum" }).map(({ phase }) => phase)).toEqual(["Succeeded", "Succeeded", "Succeeded"])
  await it.put(
    of("batch/v1", "CronJob", "tick", {
      schedule: "@every 1s",
      jobTemplate: { spec: { template: { spec: { restartPolicy: "Never", containers: [program("exit 0")] } } } },
    }),
  )
  await it.until(() => it.objects.list("jobs.batch").items.some(({ metadata }) => metadata.name.startsWith("tick-")))
})

test("a Job past its deadline fails, though its pod never came to have its image, and others go on", async () => {
  const container = program("exit 0", { image: "localhost:1/none:1", imagePullPolicy: "IfNotPresent" })
  const late = { activeDeadlineSeconds: 2, template: { spec: { restartPolicy: "Never", containers: [container] } } }
  await it.put(of("batch/v1", "Job", "late", late))
  const conditions = () =>
    (it.objects.get("jobs.batch", "late", "default")["status"] as Job["status"])?.conditions ?? []
  await it.until(() => conditions().some(({ type }) => type === "Failed"))
  await it.put(deployment(1, "one"))
  await it.ready(1, { app: "web" })
})

test("probes by http and tcp look at the pod's own address, or from inside where the host does not reach it", async () => {
  const script = `mkdir /tmp/www; echo yes > /tmp/www/ok; trap 'exit 0' TERM; httpd -p 8080 -h /tmp/www; while :; do sleep 0.1; done`
  const ports = [{ name: "web", containerPort: 8080 }]
  await it.put(
    of("v1", "Pod", "served", {
      containers: [
        program(script, {
          ports,
          readinessProbe: { httpGet: { path: "/ok", port: "web" }, periodSeconds: 1 },
          livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        }),
      ],
    }),
  )
  await it.put(
    of("v1", "Pod", "unserved", {
      containers: [
        program(script, { ports, readinessProbe: { httpGet: { path: "/none", port: 8080 }, periodSeconds: 1 } }),
      ],
    }),
  )
  await it.until(() => it.pod("served")?.isReady === true && it.reasons("unserved").includes("Unhealthy"))
  expect(it.pod("unserved")?.isReady).toBe(false)
  const said = it.objects
    .list("events")
    .items.find((event) => event["reason"] === "Unhealthy" && JSON.stringify(event).includes("unserved"))
  expect(said?.["message"]).toBe("Readiness probe failed: HTTP probe failed with statuscode: 404")
})

test("a start of the machine brings all back: pods as they were, from their first init container on, and no work twice", async () => {
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] }
  const { spec } = template(`echo main >> /data/log; ${stays}`, {
    ...mounts,
    envFrom: [{ secretRef: { name: "words" } }],
  })
  const init = { ...program("echo init >> /data/log"), name: "init", ...mounts }
  // its key is a file of who writes it
  await skiff.ok("kube", "create", "secret", "generic", "words", "--from-literal=WORD=yes")
  await it.put(
    of("apps/v1", "StatefulSet", "db", {
      serviceName: "db",
      selector,
      template: { metadata: { labels: { app: "web" } }, spec: { ...spec, initContainers: [init] } },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
        },
      ],
    }),
  )
  await it.put(
    of("batch/v1", "Job", "once", {
      template: { spec: { restartPolicy: "Never", containers: [program("exit 0")] } },
    }),
  )
  await it.ready(1, { app: "web" })
  await it.until(() => it.pods({ "job-name": "once" })[0]?.phase === "Succeeded")
  const before = it.pod("db-0")
  await reboot(skiff)
  // what the unit of enable-boot runs
  await skiff.ok("start", "--all", "--filter", "should-start-on-boot=true")
  await it.until(() => it.pod("db-0")?.restarts === 1 && it.pod("db-0")?.isReady === true)
  expect(it.pod("db-0")?.uid).toBe(before?.uid ?? "")
  const id = await skiff.ok("ps", "-q", "--filter", "label=io.kubernetes.pod.name=db-0")
  expect(await skiff.ok("exec", id, "cat", "/data/log")).toBe("init\nmain\ninit\nmain")
  expect(await skiff.ok("exec", id, "sh", "-c", "echo $WORD")).toBe("yes")
  expect(it.pods({ "job-name": "once" }).map(({ phase, restarts }) => [phase, restarts])).toEqual([["Succeeded", 0]])
  await skiff.ok("kube", "delete", "secret", "words")
})

testUnless(noLimits)(
  "an autoscaler follows the load up to its bound",
  async () => {
    await it.put(
      deployment(1, "one", {
        command: ["sh", "-c", "while :; do :; done"],
        resources: { requests: { cpu: "50m" }, limits: { cpu: "100m" } },
      }),
    )
    await it.put(
      of("autoscaling/v2", "HorizontalPodAutoscaler", "web", {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 1,
        maxReplicas: 3,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } },
        ],
      }),
    )
    await it.until(() => it.pods().filter(({ isReady }) => isReady).length === 3, 50_000)
    const { status } = it.objects.get(
      "horizontalpodautoscalers.autoscaling",
      "web",
      "default",
    ) as unknown as HorizontalPodAutoscaler
    expect(status?.desiredReplicas).toBe(3)
  },
  60_000,
)
