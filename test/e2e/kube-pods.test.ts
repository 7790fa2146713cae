/** Pods of objects: the node agent makes them, heals them and tells of them. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import type { ContainerStatus } from "kubernetes-types/core/v1"
import { killSupervisor, successorsOf, supervisorsOf } from "../support/supervisor.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let it: TestObjects
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const sleeper = (more: object = {}) => ({
  name: "main",
  image: "busybox",
  imagePullPolicy: "Never",
  command: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"],
  ...more,
})
const pod = (name: string, spec: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec,
})

test("a Pod is made, is told as kubelet tells it, and goes when it is deleted", async () => {
  await it.put(pod("one", { containers: [sleeper()] }, { labels: { app: "one" } }))
  const [made] = await it.ready(1)
  expect(made).toMatchObject({ phase: "Running", restarts: 0 })
  expect(made?.ip).toMatch(/^10\./)
  expect(made?.status).toMatchObject({
    qosClass: "BestEffort",
    containerStatuses: [{ name: "main", ready: true, started: true, restartCount: 0, state: { running: {} } }],
  })
  expect(it.reasons("one")).toEqual(expect.arrayContaining(["Scheduled", "Pulled", "Created", "Started"]))
  const label = "label=io.kubernetes.pod.name=one"
  expect((await skiff.ok("ps", "-q", "--filter", label)).split("\n")).toHaveLength(1)
  it.objects.delete("pods", "one", "default")
  await it.until(() => it.pod("one") === undefined)
  expect(await skiff.ok("ps", "-aq", "--filter", label)).toBe("")
})

test("liveness restarts, readiness leaves, and both are told", async () => {
  const probed = sleeper({
    command: ["sh", "-c", "touch /tmp/ready /tmp/alive; trap 'exit 0' TERM; while :; do sleep 0.1; done"],
    readinessProbe: { exec: { command: ["test", "-e", "/tmp/ready"] }, periodSeconds: 1 },
    livenessProbe: { exec: { command: ["test", "-e", "/tmp/alive"] }, periodSeconds: 1, failureThreshold: 1 },
  })
  await it.put(pod("probed", { containers: [probed] }))
  await it.ready(1)
  const id = await skiff.ok("ps", "-q", "--filter", "label=io.kubernetes.pod.name=probed")
  await skiff.ok("exec", id, "rm", "/tmp/ready")
  await it.until(() => it.pod("probed")?.isReady === false)
  expect(it.pod("probed")).toMatchObject({ phase: "Running", restarts: 0 })
  await skiff.ok("exec", id, "rm", "/tmp/alive")
  await it.until(() => it.pod("probed")?.restarts === 1 && it.pod("probed")?.isReady === true)
  expect(it.reasons("probed")).toEqual(expect.arrayContaining(["Unhealthy", "Killing"]))
})

test("a program that fails is started again at once, then later and later", async () => {
  await it.put(
    pod("broken", {
      containers: [sleeper({ command: ["sh", "-c", "echo why > /dev/termination-log; exit 3"] })],
    }),
  )
  await it.until(() => containerOf("broken")?.state.waiting?.reason === "CrashLoopBackOff")
  expect(containerOf("broken")).toMatchObject({
    restartCount: 1,
    lastState: { terminated: { exitCode: 3, reason: "Error", message: "why\n" } },
  })
  expect(containerOf("broken")?.state.waiting?.message).toMatch(
    /^back-off 10s restarting failed container=main pod=broken_default/,
  )
  expect(it.pod("broken")?.phase).toBe("Running")
  await it.until(() => containerOf("broken")?.restartCount === 2, 15_000)
})

test("init containers run in order, a sidecar stays beside the others and ends last", async () => {
  const say = (word: string) => ({ ...sleeper({ name: word }), command: ["sh", "-c", `echo ${word} >> /data/order`] })
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] }
  await it.put(
    pod("ordered", {
      restartPolicy: "Never",
      volumes: [{ name: "data", hostPath: { path: `${skiff.home}/order`, type: "DirectoryOrCreate" } }],
      initContainers: [
        { ...say("one"), ...mounts },
        { ...sleeper({ name: "side", restartPolicy: "Always" }), ...mounts, command: ["sh", "-c", ending("side")] },
        { ...say("two"), ...mounts },
      ],
      containers: [{ ...sleeper(), ...mounts, command: ["sh", "-c", ending("main")] }],
    }),
  )
  await it.ready(1)
  it.objects.delete("pods", "ordered", "default")
  await it.until(() => it.pod("ordered") === undefined)
  const order = readFileSync(`${skiff.home}/order/order`, "utf8").split("\n").filter(Boolean)
  expect(order).toEqual(["one", "side", "two", "main", "end-main", "end-side"])
})

test("an image that nobody has is pulled later and later, and a missing ConfigMap is waited for", async () => {
  await it.put(
    pod("unhad", { containers: [sleeper({ image: "127.0.0.1:9/none:1", imagePullPolicy: "IfNotPresent" })] }),
  )
  await it.put(
    pod("unconfigured", {
      containers: [sleeper({ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "a" } } }] })],
    }),
  )
  await it.until(() => containerOf("unhad")?.state.waiting?.reason === "ImagePullBackOff", 20_000)
  await it.until(() => containerOf("unconfigured")?.state.waiting?.reason === "CreateContainerConfigError")
  expect(it.reasons("unhad")).toEqual(expect.arrayContaining(["Pulling", "Failed", "BackOff"]))
  await it.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { a: "1" } })
  await it.until(() => it.pod("unconfigured")?.isReady === true)
})

test("files of a ConfigMap change all at once while the pod runs", async () => {
  await it.put(settings("1"))
  await it.put(
    pod("reader", {
      volumes: [{ name: "files", configMap: { name: "files" } }],
      containers: [sleeper({ volumeMounts: [{ name: "files", mountPath: "/files" }] })],
    }),
  )
  await it.ready(1)
  const id = await skiff.ok("ps", "-q", "--filter", "label=io.kubernetes.pod.name=reader")
  expect(await skiff.ok("exec", id, "cat", "/files/a", "/files/b")).toBe("11")
  await it.put(settings("2"))
  await it.until(async () => (await skiff.ok("exec", id, "cat", "/files/a", "/files/b")) === "22")
  expect(await skiff.ok("exec", id, "readlink", "/files/a")).toBe("..data/a")
})

test("a hook before the stop is run within the grace, and one after the start before the pod is ready", async () => {
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] }
  await it.put(
    pod("hooked", {
      terminationGracePeriodSeconds: 5,
      volumes: [{ name: "data", hostPath: { path: `${skiff.home}/hooks`, type: "DirectoryOrCreate" } }],
      containers: [
        sleeper({
          ...mounts,
          lifecycle: {
            postStart: { exec: { command: ["sh", "-c", "echo start >> /data/hooks"] } },
            preStop: { exec: { command: ["sh", "-c", "echo stop >> /data/hooks"] } },
          },
        }),
      ],
    }),
  )
  await it.ready(1)
  expect(readFileSync(`${skiff.home}/hooks/hooks`, "utf8")).toBe("start\n")
  it.objects.delete("pods", "hooked", "default")
  await it.until(() => it.pod("hooked") === undefined)
  expect(readFileSync(`${skiff.home}/hooks/hooks`, "utf8")).toBe("start\nstop\n")
})

test("a container that somebody removes is back, and the supervisor may be killed meanwhile", async () => {
  await it.put(pod("healed", { containers: [sleeper()] }))
  await it.ready(1)
  const filter = ["--filter", "label=io.kubernetes.pod.name=healed"]
  await skiff.ok("rm", "-f", await skiff.ok("ps", "-q", ...filter))
  await it.until(() => it.pod("healed")?.restarts === 1 && it.pod("healed")?.isReady === true)
  await killSupervisor(skiff)
  // its exit command sees that nobody stays
  await skiff.ok("kill", await skiff.ok("ps", "-q", ...filter))
  await it.until(() => it.pod("healed")?.restarts === 2 && it.pod("healed")?.isReady === true)
})

test("the supervisor is killed while nobody runs a command: another one takes its place by itself", async () => {
  await it.put(pod("left", { terminationGracePeriodSeconds: 1, containers: [sleeper()] }))
  await it.ready(1)
  await it.until(() => successorsOf(skiff).length === 1, 15_000)
  for (const pid of supervisorsOf(skiff)) process.kill(pid, "SIGKILL")
  it.objects.delete("pods", "left", "default")
  await it.until(() => it.pod("left") === undefined)
  expect(supervisorsOf(skiff)).toHaveLength(1)
})

const containerOf = (name: string) =>
  (it.pod(name)?.status["containerStatuses"] as ContainerStatus[] | undefined)?.[0] as
    (ContainerStatus & { state: NonNullable<ContainerStatus["state"]> }) | undefined
const ending = (word: string) =>
  `trap 'echo end-${word} >> /data/order; exit 0' TERM; echo ${word} >> /data/order; while :; do sleep 0.1; done`
const settings = (a: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "files" },
  data: { a, b: a },
})
