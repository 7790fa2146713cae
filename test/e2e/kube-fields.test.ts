/** What pods of objects say of images, probes, volumes and the node, on real containers. */
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test"
import { chownSync, mkdirSync, statSync, writeFileSync } from "node:fs"
import type { ContainerStatus } from "kubernetes-types/core/v1"
import { serveGrpcHealth } from "../support/grpc-health.ts"
import { BUSYBOX } from "../support/image.ts"
import { openTestObjects, type TestObjects } from "../support/kube.ts"
import { ACCOUNT, Registry } from "../support/registry.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
let it: TestObjects
beforeAll(async () => {
  await skiff.ok("ps", "-q")
  it = openTestObjects(skiff)
})
afterEach(() => it.clear(), 60_000)
afterAll(() => it[Symbol.dispose]())

const STAYS = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
const container = (more: object = {}) => ({
  name: "main",
  image: "busybox",
  imagePullPolicy: "Never",
  command: ["sh", "-c", STAYS],
  ...more,
})
const pod = (name: string, spec: object) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
})
const apply = async (...objects: object[]): Promise<void> => {
  const stdin = objects.map((one) => JSON.stringify(one)).join("\n---\n")
  const { code, stderr } = await skiff.run(["kube", "apply", "-f", "-"], { stdin })
  if (code !== 0) throw new Error(stderr)
}
const statusOf = (name: string): ContainerStatus | undefined =>
  (it.pod(name)?.status["containerStatuses"] as ContainerStatus[] | undefined)?.[0]
const waitsFor = (name: string) => statusOf(name)?.state?.waiting?.reason ?? ""
const inside = async (name: string, script: string) => skiff.ok("kube", "exec", name, "--", "sh", "-c", script)

test("pods pull with the secrets that they name, never with the owner's login, and what a secret brought is for who has it", async () => {
  const registry = await Registry.start({ private: true })
  try {
    const image = registry.push("own/app:1", { ...BUSYBOX, config: { ...BUSYBOX.config, Labels: { its: "private" } } })
    await skiff.ok("login", "-u", ACCOUNT.user, "-p", ACCOUNT.password, registry.host)
    const named = (name: string, more: object, policy = "IfNotPresent") =>
      pod(name, { containers: [container({ image, imagePullPolicy: policy })], ...more })
    await apply(named("without", {}))
    await it.until(() => /^(ErrImagePull|ImagePullBackOff)$/.test(waitsFor("without")))
    expect(statusOf("without")?.state?.waiting?.message).toContain("imagePullSecrets")
    const words = [`--docker-server=${registry.host}`, `--docker-username=${ACCOUNT.user}`]
    await skiff.ok(
      "kube",
      "create",
      "secret",
      "docker-registry",
      "own",
      ...words,
      `--docker-password=${ACCOUNT.password}`,
    )
    const imagePullSecrets = [{ name: "own" }]
    await apply(named("with", { imagePullSecrets }))
    await it.until(() => it.pod("with")?.isReady === true)
    // it is here now, for those with the secret alone
    await apply(named("never", {}, "Never"), named("later", {}), named("also", { imagePullSecrets }, "Never"))
    await it.until(() => waitsFor("never") === "ErrImageNeverPull" && it.pod("also")?.isReady === true)
    await it.until(() => /^(ErrImagePull|ImagePullBackOff)$/.test(waitsFor("later")))
    const volumes = [{ name: "files", image: { reference: image, pullPolicy: "Never" } }]
    const mounts = container({ volumeMounts: [{ name: "files", mountPath: "/files" }] })
    await apply(pod("mounts", { volumes, containers: [mounts] }))
    await it.until(() => waitsFor("mounts") === "ErrImageNeverPull")
    // a service account has secrets for its pods
    await skiff.ok("kube", "patch", "serviceaccount", "default", "-p", JSON.stringify({ imagePullSecrets }))
    await apply(named("served", {}))
    await it.until(() => it.pod("served")?.isReady === true)
    await skiff.ok("kube", "patch", "serviceaccount", "default", "-p", '{"imagePullSecrets":null}')
    await skiff.ok("kube", "delete", "secret", "own")
    await it.clear()
    await skiff.ok("rmi", "-f", image)
  } finally {
    registry.stop()
  }
}, 90_000)

test("a gRPC probe asks for the service's health, and a DaemonSet has its one pod on the one node", async () => {
  await apply({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent" },
    spec: {
      selector: { matchLabels: { app: "agent" } },
      template: {
        metadata: { labels: { app: "agent" } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            container({
              command: ["sh", "-c", serveGrpcHealth(9000)],
              readinessProbe: { grpc: { port: 9000 }, periodSeconds: 1, timeoutSeconds: 3 },
              livenessProbe: { grpc: { port: 9001 }, initialDelaySeconds: 3, periodSeconds: 1, failureThreshold: 1 },
            }),
          ],
        },
      },
    },
  })
  const [made] = await it.ready(1, { app: "agent" })
  expect(await skiff.ok("kube", "rollout", "status", "ds/agent", "--timeout=20s")).toContain("successfully rolled out")
  const path = "jsonpath={.status.desiredNumberScheduled} {.status.numberReady}"
  expect(await skiff.ok("kube", "get", "ds", "agent", "-o", path)).toBe("1 1")
  await it.until(() => (it.pods({ app: "agent" })[0]?.restarts ?? 0) > 0)
  await skiff.ok("kube", "delete", "pod", made?.name ?? "", "--wait=false")
  await it.until(() => it.pods({ app: "agent" }).some(({ uid }) => uid !== made?.uid))
})

test("an ephemeral container joins a pod, sees its network and the processes of its target, and is never started again", async () => {
  await apply(pod("looked-at", { containers: [container()] }))
  await it.ready(1)
  const words =
    "debug looked-at --image=busybox --image-pull-policy=Never --container=look --target=main --attach=false"
  const said = await skiff.ok("kube", ...words.split(" "), "--", "sh", "-c", "ps; ip -o addr; exit 3")
  expect(said).toBe("")
  const status = () => (it.pod("looked-at")?.status["ephemeralContainerStatuses"] as ContainerStatus[] | undefined)?.[0]
  await it.until(() => status()?.state?.terminated !== undefined)
  expect(status()).toMatchObject({ name: "look", restartCount: 0, state: { terminated: { exitCode: 3 } } })
  const log = await skiff.ok("kube", "logs", "looked-at", "-c", "look")
  expect(log).toContain("while :; do sleep")
  expect(log).toContain(it.pod("looked-at")?.ip ?? "none")
  expect(it.pod("looked-at")).toMatchObject({ phase: "Running", restarts: 0, isReady: true })
})

test("fsGroup owns what a pod's volumes hold, and a PersistentVolume of a directory is the claim's that names it", async () => {
  const directory = `${skiff.home}/kept`
  mkdirSync(directory)
  writeFileSync(`${directory}/old`, "before\n")
  for (const path of [directory, `${directory}/old`]) chownSync(path, user.uid, user.gid)
  await apply(
    {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name: "kept" },
      spec: {
        capacity: { storage: "1Mi" },
        accessModes: ["ReadWriteOnce"],
        persistentVolumeReclaimPolicy: "Retain",
        storageClassName: "",
        hostPath: { path: directory },
      },
    },
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "kept" },
      spec: {
        accessModes: ["ReadWriteOnce"],
        storageClassName: "",
        volumeName: "kept",
        resources: { requests: { storage: "1Mi" } },
      },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "words" }, data: { a: "1" } },
    pod("grouped", {
      securityContext: { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 },
      volumes: [
        { name: "empty", emptyDir: {} },
        { name: "words", configMap: { name: "words", defaultMode: 0o440 } },
        { name: "kept", persistentVolumeClaim: { claimName: "kept" } },
      ],
      containers: [
        container({
          volumeMounts: [
            { name: "empty", mountPath: "/empty" },
            { name: "words", mountPath: "/words" },
            { name: "kept", mountPath: "/kept", readOnly: false },
          ],
        }),
      ],
    }),
  )
  await it.ready(1)
  expect(await inside("grouped", "id -G")).toBe("1000 2000")
  const script = "echo x > /empty/x; stat -c %g:%a /empty /empty/x; cat /words/a; cat /kept/old"
  expect(await inside("grouped", script)).toBe("2000:2777\n2000:644\n1before")
  expect(await skiff.ok("kube", "get", "pvc", "kept", "-o", "jsonpath={.status.phase} {.spec.volumeName}")).toBe(
    "Bound kept",
  )
  await it.clear()
  // it is kept
  await it.until(
    async () => (await skiff.ok("kube", "get", "pv", "kept", "-o", "jsonpath={.status.phase}")) === "Released",
  )
  expect(statSync(`${directory}/old`).isFile()).toBe(true)
  await skiff.ok("kube", "delete", "pv", "kept")
}, 60_000)

test("a claim has its size where the store's file system can count, and is told of where it cannot", async () => {
  await apply(
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "small" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
    pod("writer", {
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "small" } }],
      containers: [container({ volumeMounts: [{ name: "data", mountPath: "/data" }] })],
    }),
  )
  await it.ready(1)
  const script = "dd if=/dev/zero of=/data/f bs=1M count=3 2> /dev/null && echo all || true"
  const isAll = (await inside("writer", script)) === "all"
  expect(it.reasons("small").includes("SizeNotEnforced")).toBe(isAll)
})

const lonely = (name: string, more: object = {}) => ({
  ...pod(name, {
    containers: [container()],
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "lonely" } } },
        ],
      },
    },
    ...more,
  }),
  metadata: { name, labels: { app: "lonely" } },
})

test("a pod that shuns its like waits with the scheduler's words, until the other has gone", async () => {
  const node = (await skiff.ok("kube", "get", "nodes", "-o", "name")).replace("node/", "")
  await apply(lonely("first"))
  await it.until(() => it.pod("first")?.isReady === true)
  await apply(lonely("second"), lonely("elsewhere", { nodeSelector: { "kubernetes.io/hostname": `not-${node}` } }))
  const messageOf = (name: string) =>
    (it.pod(name)?.status["conditions"] as { type: string; message?: string }[] | undefined)?.find(
      ({ type }) => type === "PodScheduled",
    )?.message ?? ""
  await it.until(() => messageOf("second") !== "" && messageOf("elsewhere") !== "")
  expect(messageOf("second")).toBe(
    "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  )
  expect(messageOf("elsewhere")).toContain("1 node(s) didn't match Pod's node affinity/selector.")
  expect(it.reasons("second")).toContain("FailedScheduling")
  await skiff.ok("kube", "delete", "pod", "first")
  await it.until(() => it.pod("second")?.isReady === true, 10_000)
})

const sizes = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } })
const sizing = (resources: object) => ["-p", JSON.stringify({ spec: { containers: [{ name: "main", resources }] } })]
const sizeOf = (name: string) => (statusOf(name) as (ContainerStatus & { resources?: object }) | undefined)?.resources

testUnless(noLimits)("a pod is resized in place, and one that the node has no room for stays as it is", async () => {
  await apply(pod("sized", { containers: [container({ resources: sizes("200m", "64Mi") })] }))
  await it.ready(1)
  const { stderr } = await skiff.run(["kube", "patch", "pod", "sized", ...sizing(sizes("300m", "96Mi"))])
  expect(stderr).toContain("pod updates may not change fields other than")
  await skiff.ok("kube", "patch", "pod", "sized", "--subresource=resize", ...sizing(sizes("300m", "96Mi")))
  await it.until(() => Bun.deepEquals(sizeOf("sized"), sizes("300m", "96Mi")))
  const id = await skiff.ok("ps", "-q", "--filter", "label=io.kubernetes.pod.name=sized")
  expect(await skiff.ok("container", "inspect", "-f", "{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}}", id)).toBe(
    `${96 * 1024 * 1024} 30000`,
  )
  expect(it.pod("sized")).toMatchObject({ restarts: 0, isReady: true })
  await skiff.ok("kube", "patch", "pod", "sized", "--subresource=resize", ...sizing(sizes("300m", "900Ti")))
  const conditions = () =>
    it.pod("sized")?.status["conditions"] as { type: string; reason?: string; message?: string }[]
  await it.until(() => conditions().some(({ type }) => type === "PodResizePending"))
  expect(conditions().find(({ type }) => type === "PodResizePending")).toMatchObject({
    reason: "Infeasible",
    message: expect.stringContaining("Node didn't have enough capacity: memory, requested: 900Ti") as string,
  })
  expect(sizeOf("sized")).toEqual(sizes("300m", "96Mi"))
  const other = await skiff.run(["kube", "patch", "pod", "sized", "--subresource=resize", ...sizing({ limits: null })])
  expect(other.stderr).toContain("Pod QOS Class may not change as a result of resizing")
})
