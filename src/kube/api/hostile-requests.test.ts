/** Who may do little gets no more, and no request costs more than it is long. */
import { describe, expect, test } from "bun:test"
import { testApis, type TestApi } from "./api.suite.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const open = testApis()
const PODS = "/api/v1/namespaces/default/pods"
const RBAC = "/apis/rbac.authorization.k8s.io/v1"
const user = { name: "jane", groups: ["system:authenticated"] }
const POD = { metadata: { name: "web" }, spec: { containers: [{ name: "main", image: "busybox" }] } }

const services = (namespace: string) => `/api/v1/namespaces/${namespace}/services`
const service = (name: string, spec: object) => ({ metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })

const mount = (more: object) => ({
  containers: [{ name: "main", image: "x", volumeMounts: [{ name: "v", ...more }] }],
})

/** Jane has these rules in the namespace `default`. */
async function granted(rules: readonly object[]): Promise<TestApi> {
  const api = open()
  await api.ask("POST", `${RBAC}/namespaces/default/roles`, { body: { metadata: { name: "r" }, rules } })
  await bound(api, { kind: "Role", name: "r" })
  return api
}

async function bound({ ask }: TestApi, roleRef: object): Promise<void> {
  const made = await ask("POST", `${RBAC}/namespaces/default/rolebindings`, {
    body: { metadata: { name: "b" }, roleRef, subjects: [{ kind: "User", name: "jane" }] },
  })
  expect(made.status).toBe(201)
}

describe("a JSON patch", () => {
  test("that copies what it has copied is refused before it fills the memory (CVE-2019-1002100)", async () => {
    const { ask } = open()
    await ask("POST", "/api/v1/namespaces/default/configmaps", { body: { metadata: { name: "c" }, data: { a: "x" } } })
    const body = [
      { op: "add", path: "/bomb", value: [["x".repeat(64)]] },
      ...Array.from({ length: 40 }, () => ({ op: "copy", from: "/bomb", path: "/bomb/-" })),
    ]
    const before = process.memoryUsage().rss
    const answered = await ask("PATCH", "/api/v1/namespaces/default/configmaps/c", {
      body,
      contentType: "application/json-patch+json",
    })
    expect(answered.body).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 ** 2)
  })
})

describe("a user of a namespace", () => {
  test("who is its admin gives nobody, himself neither, what admins have not", async () => {
    const api = open()
    await bound(api, { kind: "ClusterRole", name: "admin" })
    const bind = (name: string) =>
      api.ask("POST", `${RBAC}/namespaces/default/rolebindings`, {
        user,
        body: {
          metadata: { name: `to-${name}` },
          roleRef: { kind: "ClusterRole", name },
          subjects: [{ kind: "User", name: "jane" }],
        },
      })
    expect((await bind("cluster-admin")).status).toBe(403)
    expect((await bind("edit")).status).toBe(201)
    const wide = { metadata: { name: "wide" }, rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] }
    expect((await api.ask("POST", `${RBAC}/namespaces/default/roles`, { user, body: wide })).status).toBe(403)
    // what bounds him is not his
    const quota = { metadata: { name: "mine" }, spec: { hard: { pods: "1" } } }
    expect((await api.ask("POST", "/api/v1/namespaces/default/resourcequotas", { user, body: quota })).status).toBe(403)
    expect((await api.ask("GET", "/api/v1/namespaces/default/resourcequotas", { user })).status).toBe(200)
  })

  test("a part of a pod is read by who may get it, whatever else the request says; who may watch it alone is nobody", async () => {
    for (const [verb, status] of [
      ["watch", 403],
      ["get", 404],
    ] as const) {
      const { ask } = await granted([{ apiGroups: [""], resources: ["pods/log", "pods"], verbs: [verb] }])
      expect((await ask("GET", `${PODS}/web/log?watch=true`, { user })).status).toBe(status)
      expect((await ask("GET", `${PODS}/web?watch=true`, { user })).status).toBe(status)
    }
  })

  test("who edits it leads no Service where he likes: endpoints and statuses are the cluster's (CVE-2021-25740)", async () => {
    for (const name of ["edit", "admin"]) {
      const api = open()
      await bound(api, { kind: "ClusterRole", name })
      await api.ask("POST", PODS, { body: POD })
      const address = { metadata: { name: "s" }, subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] }
      const slice = {
        metadata: { name: "s" },
        addressType: "IPv4",
        endpoints: [{ addresses: ["10.0.0.1"] }],
        ports: [{ port: 80 }],
      }
      const tries = [
        api.ask("POST", "/api/v1/namespaces/default/endpoints", { user, body: address }),
        api.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", { user, body: slice }),
        api.ask("PATCH", `${PODS}/web/status`, {
          user,
          body: { status: { podIP: "10.0.0.1" } },
          contentType: "application/merge-patch+json",
        }),
      ]
      expect((await Promise.all(tries)).map(({ status }) => status)).toEqual([403, 403, 403])
      expect((await api.ask("POST", PODS, { user, body: { ...POD, metadata: { name: "own" } } })).status).toBe(201)
    }
  })

  test("who may patch makes nothing by applying it", async () => {
    const { ask } = await granted([{ apiGroups: [""], resources: ["pods"], verbs: ["patch", "get"] }])
    const asked = { user, body: { ...POD, apiVersion: "v1", kind: "Pod" }, contentType: "application/apply-patch+yaml" }
    expect((await ask("PATCH", `${PODS}/web?fieldManager=me`, asked)).status).toBe(403)
    expect((await ask("GET", `${PODS}/web`)).status).toBe(404)
    await ask("POST", PODS, { body: POD })
    expect((await ask("PATCH", `${PODS}/web?fieldManager=me&force=true`, asked)).status).toBe(200)
  })

  test("who may add ephemeral containers changes nothing else of a pod, and who may not adds none", async () => {
    const { ask } = await granted([
      { apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch", "update"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["patch", "get"] },
    ])
    await ask("POST", PODS, { body: POD })
    const ephemeralContainers = [{ name: "debug", image: "busybox" }]
    const change = (path: string, body: object) =>
      ask("PATCH", path, { user, body, contentType: "application/strategic-merge-patch+json" })
    const answered = await change(`${PODS}/web/ephemeralcontainers`, {
      metadata: { labels: { a: "b" }, finalizers: ["x.example/held"] },
      spec: { ephemeralContainers, containers: [{ name: "main", image: "evil" }] },
    })
    expect(answered).toMatchObject({ status: 200 })
    const kept = await ask("GET", `${PODS}/web`)
    expect(kept.body).toMatchObject({ spec: { ephemeralContainers, containers: [{ image: "busybox" }] } })
    expect(kept.body).not.toHaveProperty("metadata.labels")
    expect(kept.body).not.toHaveProperty("metadata.finalizers")
    const more = { spec: { ephemeralContainers: [...ephemeralContainers, { name: "more", image: "busybox" }] } }
    expect((await change(`${PODS}/web`, more)).status).toBe(422)
  })

  test("who may delete a status has deleted nothing", async () => {
    const { ask } = await granted([{ apiGroups: [""], resources: ["pods/status"], verbs: ["delete", "create", "get"] }])
    await ask("POST", PODS, { body: POD })
    expect((await ask("DELETE", `${PODS}/web/status`, { user })).status).toBe(405)
    expect((await ask("GET", `${PODS}/web/status`, { user })).body).not.toHaveProperty("metadata.deletionTimestamp")
  })
})

describe("a Service", () => {
  test("that asks for what another has, when it is made or later, is refused", async () => {
    const { ask } = open()
    const both = { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9", "fd00::9"] }
    const nodePort = { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }
    await ask("POST", services("default"), { body: service("victim", { ...both, ...nodePort }) })
    for (const wanted of [{ clusterIP: "10.96.0.9" }, { clusterIPs: ["10.96.0.7", "fd00:0:0::9"] }, nodePort])
      expect((await ask("POST", services("kube-system"), { body: service("thief", wanted) })).status).toBe(422)
    await ask("POST", services("kube-system"), { body: service("thief", { clusterIP: "10.96.0.7" }) })
    const change = (spec: object) =>
      ask("PATCH", `${services("kube-system")}/thief`, { body: { spec }, contentType: "application/merge-patch+json" })
    expect((await change({ clusterIPs: ["10.96.0.9"] })).status).toBe(422)
    expect((await change({ clusterIPs: ["10.96.0.7", "fd00::9"] })).status).toBe(422)
    expect((await change(nodePort)).status).toBe(422)
    expect((await change({ ports: [{ port: 81 }] })).status).toBe(200)
    const own = await ask("PATCH", `${services("default")}/victim`, {
      body: { spec: { ports: [{ port: 82, nodePort: 30_080 }] } },
      contentType: "application/merge-patch+json",
    })
    expect(own.status).toBe(200)
  })
})

describe("a selector", () => {
  test("of many commas costs no more than it is long", async () => {
    const { ask } = open()
    const begin = cpuMs()
    await ask("GET", PODS, { query: new URLSearchParams({ labelSelector: `${",".repeat(500_000)}a` }) })
    await ask("GET", PODS, { query: new URLSearchParams({ labelSelector: `a in (${" ".repeat(200_000)}` }) })
    await ask("GET", PODS, { query: new URLSearchParams({ labelSelector: `a${" ".repeat(200_000)}b` }) })
    await ask("GET", PODS, { query: new URLSearchParams({ fieldSelector: `a${" ".repeat(200_000)}b` }) })
    expect(cpuMs() - begin).toBeLessThan(2000)
  })
})

describe("a pod", () => {
  test.each<[string, object]>([
    [
      "a volume of the engine by its name",
      { ...mount({ mountPath: "/a" }), volumes: [{ name: "v", hostPath: { path: "theirs" } }] },
    ],
    [
      "podman's words behind a mount",
      { ...mount({ mountPath: "/a:U,rshared" }), volumes: [{ name: "v", hostPath: { path: "/etc" } }] },
    ],
    [
      "mounts that reach the host, without being privileged",
      {
        ...mount({ mountPath: "/a", mountPropagation: "Bidirectional" }),
        volumes: [{ name: "v", hostPath: { path: "/etc" } }],
      },
    ],
  ])("gets no %s", async (_, spec) => {
    const { ask } = open()
    expect((await ask("POST", PODS, { body: { metadata: { name: "p" }, spec } })).body).toMatchObject({ code: 422 })
  })
})
