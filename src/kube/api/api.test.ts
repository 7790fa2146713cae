import { describe, expect, test } from "bun:test"
import { testApis } from "./api.suite.ts"

const open = testApis()
const PODS = "/api/v1/namespaces/default/pods"
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"

const deployment = (name: string, extra: object = {}, spec: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, ...extra },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "busybox" }] } },
    ...spec,
  },
})
const pod = (name: string, extra: object = {}, spec: object = {}): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...extra },
  spec: { containers: [{ name: "main", image: "busybox" }], ...spec },
})

const set = async (body: unknown, contentType: string): Promise<unknown> => {
  const { ask } = open()
  await ask("POST", DEPLOYMENTS, { body: deployment("web") })
  return (await ask("PATCH", `${DEPLOYMENTS}/web`, { body, contentType: `application/${contentType}+json` })).body
}

const apply = (ask: ReturnType<typeof open>["ask"], manager: string, body: object, force = false) =>
  ask("PATCH", `${DEPLOYMENTS}/web?fieldManager=${manager}&force=${force}`, {
    body,
    contentType: "application/apply-patch+yaml",
  })

test("a StatefulSet's containers mount the claims that it makes", async () => {
  const claim = {
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  }
  const stateful = (name: string) => ({
    ...deployment("db"),
    kind: "StatefulSet",
    spec: {
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      template: {
        metadata: { labels: { app: "db" } },
        spec: { containers: [{ name: "main", image: "busybox", volumeMounts: [{ name, mountPath: "/data" }] }] },
      },
      volumeClaimTemplates: [claim],
    },
  })
  const path = "/apis/apps/v1/namespaces/default/statefulsets"
  expect((await open().ask("POST", path, { body: stateful("other") })).status).toBe(422)
  expect((await open().ask("POST", path, { body: stateful("data") })).status).toBe(201)
})

test("an event is kept, whose kind requires metadata", async () => {
  const answer = await open().ask("POST", "/api/v1/namespaces/default/events", {
    body: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "a.1", namespace: "default" },
      involvedObject: { kind: "Pod", name: "a", namespace: "default" },
    },
  })
  expect(answer.status).toBe(201)
})

test("what is created has the defaults of Kubernetes", async () => {
  const { ask } = open()
  const made = await ask("POST", DEPLOYMENTS, { body: deployment("web") })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      template: {
        spec: {
          restartPolicy: "Always",
          dnsPolicy: "ClusterFirst",
          terminationGracePeriodSeconds: 30,
          containers: [{ imagePullPolicy: "Always", terminationMessagePath: "/dev/termination-log" }],
        },
      },
    },
  })
  const podMade = await ask("POST", PODS, {
    body: pod("one", {}, { containers: [{ name: "a", image: "x:1", resources: { limits: { cpu: 1 } } }] }),
  })
  expect(podMade.body).toMatchObject({
    spec: {
      enableServiceLinks: true,
      serviceAccountName: "default",
      priority: 0,
      containers: [{ imagePullPolicy: "IfNotPresent", resources: { requests: { cpu: "1" }, limits: { cpu: "1" } } }],
    },
    status: { phase: "Pending", qosClass: "Burstable" },
  })
})

describe("what is wrong is told in the API server's words", () => {
  test.each<[string, string, object, number, string]>([
    [
      "an unknown field",
      `${DEPLOYMENTS}?fieldValidation=Strict`,
      deployment("a", {}, { replica: 2 }),
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"',
    ],
    [
      "a wrong type",
      DEPLOYMENTS,
      deployment("a", {}, { replicas: "two" }),
      400,
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      "a negative number",
      DEPLOYMENTS,
      deployment("a", {}, { replicas: -1 }),
      422,
      'Deployment.apps "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    ],
    [
      "a selector that does not fit",
      DEPLOYMENTS,
      deployment("a", {}, { selector: { matchLabels: { app: "b" } } }),
      422,
      'Deployment.apps "a" is invalid: spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ],
    [
      "indexes that are none",
      "/apis/batch/v1/namespaces/default/jobs",
      {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: { name: "a" },
        spec: {
          backoffLimitPerIndex: 1,
          template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } },
        },
      },
      422,
      'Job.batch "a" is invalid: spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
    ],
    [
      "no image",
      PODS,
      pod("a", {}, { containers: [{ name: "main" }] }),
      422,
      'Pod "a" is invalid: spec.containers[0].image: Required value',
    ],
    [
      "no containers",
      PODS,
      pod("a", {}, { containers: [] }),
      422,
      'Pod "a" is invalid: spec.containers: Required value',
    ],
    [
      "a word that is none",
      PODS,
      pod("a", {}, { restartPolicy: "Sometimes" }),
      422,
      'Pod "a" is invalid: spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"',
    ],
    [
      "a mount of nothing",
      PODS,
      pod("a", {}, { containers: [{ name: "m", image: "x", volumeMounts: [{ name: "data", mountPath: "/d" }] }] }),
      422,
      'Pod "a" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ],
    [
      "another namespace",
      PODS,
      pod("a", { namespace: "other" }),
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "another kind",
      PODS,
      deployment("a"),
      400,
      "the API version in the data (apps/v1) does not match the expected API version (v1)",
    ],
    ["a namespace that is not there", "/api/v1/namespaces/gone/pods", pod("a"), 404, 'namespaces "gone" not found'],
  ])("%s", async (_what, path, body, status, message) => {
    const { ask } = open()
    const answer = await ask("POST", path, { body })
    expect(answer.status).toBe(status)
    expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", message, code: status })
  })

  test("a name with a slash or a percent sign reaches no other object", async () => {
    const { ask } = open()
    for (const name of ["a/b", "..", "a%2Fb", "A", "-a"])
      expect((await ask("POST", PODS, { body: pod(name) })).status).toBe(422)
    expect((await ask("GET", `${PODS}/..%2f..%2fsecrets%2fx`)).status).toBe(404)
    expect((await ask("GET", `${PODS}/%zz`)).status).toBe(400)
  })

  test("unknown fields are told of, or left out", async () => {
    const { ask } = open()
    const body = deployment("a", {}, { replica: 2 })
    const warned = await ask("POST", DEPLOYMENTS, { body })
    expect(warned.warnings).toEqual(['unknown field "spec.replica"'])
    expect((warned.body as { spec: object }).spec).not.toHaveProperty("replica")
    const quiet = await ask("POST", `${DEPLOYMENTS}?fieldValidation=Ignore`, {
      body: deployment("b", {}, { replica: 2 }),
    })
    expect(quiet.warnings).toEqual([])
  })

  test("keys of prototypes are keys", async () => {
    const { ask } = open()
    const body = JSON.parse(
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"__proto__":"x"}},"data":{"constructor":"c"}}',
    ) as object
    const made = await ask("POST", "/api/v1/namespaces/default/configmaps", { body })
    expect(made.status).toBe(422)
    expect(Object.hasOwn({}, "polluted")).toBe(false)
    const patch = JSON.parse('{"data":{"__proto__":{"polluted":"yes"},"toString":"t"}}') as object
    await ask("POST", "/api/v1/namespaces/default/configmaps", { body: { metadata: { name: "b" } } })
    const patched = await ask("PATCH", "/api/v1/namespaces/default/configmaps/b", {
      body: patch,
      contentType: "application/merge-patch+json",
    })
    expect(patched.status).toBe(400)
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
  })
})

test("a dry run leaves nothing, and says what it would", async () => {
  const { ask, objects } = open()
  const made = await ask("POST", `${DEPLOYMENTS}?dryRun=All`, { body: deployment("web") })
  expect(made.status).toBe(201)
  expect(objects.find("deployments.apps", "web")).toBeUndefined()
  await ask("POST", DEPLOYMENTS, { body: deployment("web") })
  const again = await ask("POST", `${DEPLOYMENTS}?dryRun=All`, { body: deployment("web") })
  expect(again.body).toMatchObject({ reason: "AlreadyExists", message: 'deployments.apps "web" already exists' })
  expect((await ask("DELETE", `${DEPLOYMENTS}/web?dryRun=All`)).status).toBe(200)
  expect(objects.find("deployments.apps", "web")).toBeDefined()
})

test("lists are selected, paged and printed", async () => {
  const { ask } = open()
  for (const [index, tier] of ["a", "b", "a", "c"].entries())
    await ask("POST", PODS, { body: pod(`p${index}`, { labels: { tier } }) })
  const names = async (query: string): Promise<string[]> => {
    const { body } = await ask("GET", `${PODS}?${query}`)
    return (body as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name)
  }
  expect(await names("labelSelector=tier%3Da")).toEqual(["p0", "p2"])
  expect(await names("labelSelector=tier%20in%20(b,c)")).toEqual(["p1", "p3"])
  expect(await names("labelSelector=tier!%3Da,tier")).toEqual(["p1", "p3"])
  expect(await names("labelSelector=!tier")).toEqual([])
  expect(await names("fieldSelector=metadata.name%3Dp1")).toEqual(["p1"])
  expect((await ask("GET", `${PODS}?fieldSelector=spec.foo%3D1`)).body).toMatchObject({
    message: "field label not supported: spec.foo",
  })
  const first = (await ask("GET", `${PODS}?limit=3`)).body as {
    metadata: { continue: string; remainingItemCount: number }
  }
  expect(first.metadata.remainingItemCount).toBe(1)
  expect(await names(`limit=3&continue=${first.metadata.continue}`)).toEqual(["p3"])
  const table = (await ask("GET", PODS, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" }))
    .body
  expect(table).toMatchObject({
    kind: "Table",
    columnDefinitions: [
      "Name",
      "Ready",
      "Status",
      "Restarts",
      "Age",
      "IP",
      "Node",
      "Nominated Node",
      "Readiness Gates",
    ].map((name) => ({ name })),
    rows: [{ cells: ["p0", "0/1", "Pending", "0", "0s", "<none>", "<none>", "<none>", "<none>"] }, {}, {}, {}],
  })
})

describe("patches", () => {
  test("strategic merge merges containers by name", async () => {
    const patch = { spec: { template: { spec: { containers: [{ name: "side", image: "side:1" }] } } } }
    expect(await set(patch, "strategic-merge-patch")).toMatchObject({
      spec: {
        template: { spec: { containers: [{ name: "main" }, { name: "side", imagePullPolicy: "IfNotPresent" }] } },
      },
    })
    const order = {
      spec: {
        template: {
          spec: {
            "$setElementOrder/containers": [{ name: "side" }, { name: "main" }],
            containers: [{ name: "side", image: "s" }],
          },
        },
      },
    }
    expect(await set(order, "strategic-merge-patch")).toMatchObject({
      spec: { template: { spec: { containers: [{ name: "side" }, { name: "main" }] } } },
    })
    const strategy = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }
    expect(await set(strategy, "strategic-merge-patch")).toMatchObject({ spec: { strategy: { type: "Recreate" } } })
    const deleting = { spec: { template: { spec: { containers: [{ $patch: "delete", name: "main" }] } } } }
    expect(await set(deleting, "strategic-merge-patch")).toMatchObject({ reason: "Invalid" })
  })
  test("merge and JSON patches", async () => {
    expect(await set({ spec: { replicas: 3, paused: true } }, "merge-patch")).toMatchObject({
      spec: { replicas: 3, paused: true },
    })
    expect(await set([{ op: "replace", path: "/spec/replicas", value: 5 }], "json-patch")).toMatchObject({
      spec: { replicas: 5 },
    })
    const labelled = [
      { op: "add", path: "/metadata/labels", value: {} },
      { op: "add", path: "/metadata/labels/a.b~1c", value: "d" },
    ]
    expect(await set(labelled, "json-patch")).toMatchObject({ metadata: { labels: { "a.b/c": "d" } } })
    expect(await set([{ op: "remove", path: "/spec/nothing" }], "json-patch")).toMatchObject({ code: 422 })
    expect(await set({ spec: { selector: { matchLabels: { app: "x" } } } }, "merge-patch")).toMatchObject({
      reason: "Invalid",
    })
    expect(await set({}, "unknown-patch")).toMatchObject({ code: 415 })
  })
})

describe("server-side apply", () => {
  test("two managers share an object, conflict on a field, and one takes it by force", async () => {
    const { ask } = open()
    expect((await apply(ask, "one", deployment("web", {}, { replicas: 2 }))).status).toBe(201)
    const other = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web", labels: { by: "two" } },
      spec: { replicas: 3 },
    }
    const refused = await apply(ask, "two", other)
    expect(refused.body).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "one" using apps/v1: .spec.replicas',
      details: { causes: [{ reason: "FieldManagerConflict", field: ".spec.replicas" }] },
    })
    const taken = (await apply(ask, "two", other, true)).body
    expect(taken).toMatchObject({ spec: { replicas: 3 }, metadata: { labels: { by: "two" } } })
    // who lost the field applies without it, and nothing changes
    const less = (await apply(ask, "one", deployment("web"))).body as { metadata: { resourceVersion: string } }
    expect(less).toMatchObject({ spec: { replicas: 3 } })
    const same = (await apply(ask, "one", deployment("web"))).body as { metadata: { resourceVersion: string } }
    expect(same.metadata.resourceVersion).toBe(less.metadata.resourceVersion)
  })

  test("what a manager no longer applies goes", async () => {
    const { ask } = open()
    const container = { name: "main", image: "busybox" }
    const withPort = {
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ ...container, ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] }] },
      },
    }
    await apply(ask, "one", deployment("web", { labels: { a: "b" } }, withPort))
    const after = (await apply(ask, "one", deployment("web"))).body as { metadata: object }
    expect(after.metadata).not.toHaveProperty("labels")
    expect(after).toMatchObject({ spec: { template: { spec: { containers: [{ name: "main" }] } } } })
    expect(JSON.stringify(after)).not.toContain("containerPort")
  })

  test("managed fields are written as Kubernetes writes them", async () => {
    const { ask } = open()
    const { body } = await apply(ask, "one", deployment("web"))
    expect(body).toMatchObject({
      metadata: {
        managedFields: [
          {
            manager: "one",
            operation: "Apply",
            apiVersion: "apps/v1",
            fieldsType: "FieldsV1",
            fieldsV1: {
              "f:spec": {
                "f:selector": {},
                "f:template": {
                  "f:spec": { "f:containers": { 'k:{"name":"main"}': { ".": {}, "f:image": {}, "f:name": {} } } },
                },
              },
            },
          },
        ],
      },
    })
  })
})

test("a watch gives what there is, then each change, as a table too", async () => {
  const { ask } = open()
  await ask("POST", PODS, { body: pod("zero") })
  const stop = new AbortController()
  const { watch } = await ask("GET", `${PODS}?watch=true&labelSelector=keep`, { signal: stop.signal })
  await ask("POST", PODS, { body: pod("one", { labels: { keep: "yes" } }) })
  await ask("POST", PODS, { body: pod("two") })
  await ask("PATCH", `${PODS}/two`, {
    body: { metadata: { labels: { keep: "now" } } },
    contentType: "application/merge-patch+json",
  })
  await ask("PATCH", `${PODS}/one`, {
    body: { metadata: { labels: null } },
    contentType: "application/merge-patch+json",
  })
  await ask("DELETE", `${PODS}/two`)
  const seen: string[] = []
  for await (const { type, object } of watch ?? []) {
    seen.push(`${type} ${(object as { metadata: { name: string } }).metadata.name}`)
    if (seen.length === 4) stop.abort()
  }
  expect(seen).toEqual(["ADDED one", "ADDED two", "DELETED one", "DELETED two"])
})

const service = (spec: object): object => ({ apiVersion: "v1", kind: "Service", metadata: { name: "web" }, spec })

test("a Service that is put in place of itself keeps the addresses and ports of the host that it does not name", async () => {
  const { ask } = open()
  const at = "/api/v1/namespaces/default/services"
  const ports = [
    { name: "http", port: 80, protocol: "TCP", nodePort: 30_080 },
    { name: "dns", port: 53, protocol: "UDP", nodePort: 30_053 },
  ]
  const given = { type: "NodePort", clusterIP: "10.96.0.77", clusterIPs: ["10.96.0.77"] }
  expect((await ask("POST", at, { body: service({ ...given, ports }) })).status).toBe(201)
  const put = async (spec: object) => (await ask("PUT", `${at}/web`, { body: service(spec) })).body as { spec: object }
  // by the name of the port, whatever else of it changes
  const named = {
    type: "NodePort",
    ports: [
      { name: "dns", port: 5353, protocol: "UDP" },
      { name: "http", port: 8080 },
    ],
  }
  expect((await put({ ...named, clusterIP: "", clusterIPs: [] })).spec).toMatchObject({
    ...given,
    ports: [
      { port: 5353, nodePort: 30_053 },
      { port: 8080, nodePort: 30_080 },
    ],
  })
  // one that is named for another port is not given twice
  const taken = {
    type: "NodePort",
    ports: [
      { name: "http", port: 80 },
      { name: "new", port: 81, nodePort: 30_080 },
    ],
  }
  const { spec } = await put(taken)
  expect(spec).toMatchObject({ clusterIP: "10.96.0.77", ports: [{ port: 80 }, { port: 81, nodePort: 30_080 }] })
  expect((spec as { ports: object[] }).ports[0]).not.toMatchObject({ nodePort: 30_080 })
  expect((await put({ ports: [{ name: "http", port: 80 }] })).spec).not.toMatchObject({ ports: [{ nodePort: 30_080 }] })
})

const external = (name: string, port: number, ...externalIPs: string[]) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { externalIPs, ports: [{ port }] },
})

test("a Service does not take a port of an external address that another has (CVE-2020-8554)", async () => {
  const { ask } = open()
  const at = "/api/v1/namespaces/default/services"
  const first = external("first", 80, "192.0.2.9", "2001:db8::9")
  expect((await ask("POST", at, { body: first })).status).toBe(201)
  for (const address of ["192.0.2.9", "2001:0db8:0::9"])
    expect((await ask("POST", at, { body: external("thief", 80, address) })).body).toMatchObject({
      code: 422,
      message: expect.stringContaining("another Service has its port 80/TCP") as string,
    })
  expect((await ask("POST", at, { body: external("other", 81, "192.0.2.9") })).status).toBe(201)
  expect((await ask("PUT", `${at}/other`, { body: external("other", 80, "192.0.2.9") })).status).toBe(422)
  expect((await ask("PUT", `${at}/first`, { body: first })).status).toBe(200)
})

test("scale, eviction and status are parts of their own", async () => {
  const { ask, objects } = open()
  await ask("POST", DEPLOYMENTS, { body: deployment("web") })
  const scaled = await ask("PATCH", `${DEPLOYMENTS}/web/scale`, {
    body: { spec: { replicas: 4 } },
    contentType: "application/merge-patch+json",
  })
  expect(scaled.body).toMatchObject({ kind: "Scale", spec: { replicas: 4 }, status: { selector: "app=web" } })
  expect(objects.get("deployments.apps", "web")["spec"]).toMatchObject({ replicas: 4 })
  await ask("PATCH", `${DEPLOYMENTS}/web/status`, {
    body: { status: { readyReplicas: 4 }, spec: { replicas: 9 } },
    contentType: "application/merge-patch+json",
  })
  expect(objects.get("deployments.apps", "web")).toMatchObject({ spec: { replicas: 4 }, status: { readyReplicas: 4 } })
  await ask("POST", PODS, { body: pod("one", { labels: { app: "x" } }) })
  await ask("PATCH", `${PODS}/one/status`, {
    body: { status: { phase: "Running" } },
    contentType: "application/merge-patch+json",
  })
  await ask("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", {
    body: { metadata: { name: "b" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "x" } } } },
  })
  const eviction = await ask("POST", `${PODS}/one/eviction`, {
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "one" } },
  })
  expect(eviction.body).toMatchObject({
    code: 429,
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
  })
})

describe("who is not the owner", () => {
  const user = { name: "jane", groups: ["system:authenticated"] }
  test("may do what roles say, and grant no more than that", async () => {
    const { ask } = open()
    expect((await ask("GET", PODS, { user })).body).toMatchObject({
      code: 403,
      message: 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    })
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    await ask("POST", `${rbac}/roles`, {
      body: {
        metadata: { name: "r" },
        rules: [
          { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
          {
            apiGroups: ["rbac.authorization.k8s.io"],
            resources: ["roles", "rolebindings"],
            verbs: ["create", "update"],
          },
        ],
      },
    })
    await ask("POST", `${rbac}/rolebindings`, {
      body: {
        metadata: { name: "b" },
        roleRef: { kind: "Role", name: "r" },
        subjects: [{ kind: "User", name: "jane" }],
      },
    })
    expect((await ask("GET", PODS, { user })).status).toBe(200)
    expect((await ask("POST", PODS, { user, body: pod("x") })).status).toBe(403)
    expect((await ask("GET", "/api/v1/pods", { user })).status).toBe(403)
    expect((await ask("GET", `${PODS}/x/log`, { user })).status).toBe(403)
    const more = { metadata: { name: "more" }, rules: [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }] }
    expect((await ask("POST", `${rbac}/roles`, { user, body: more })).body).toMatchObject({ code: 403 })
    expect(
      (
        await ask("POST", `${rbac}/rolebindings`, {
          user,
          body: {
            metadata: { name: "c" },
            roleRef: { kind: "ClusterRole", name: "cluster-admin" },
            subjects: [{ kind: "User", name: "jane" }],
          },
        })
      ).status,
    ).toBe(403)
    const review = await ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      user,
      body: { spec: { resourceAttributes: { verb: "list", resource: "pods", namespace: "default" } } },
    })
    expect(review.body).toMatchObject({ status: { allowed: true } })
  })
})

test("limits and quotas of a namespace hold for whoever makes a pod", async () => {
  const { ask } = open()
  await ask("POST", "/api/v1/namespaces/default/limitranges", {
    body: {
      metadata: { name: "l" },
      spec: {
        limits: [{ type: "Container", max: { cpu: "2" }, default: { cpu: "1" }, defaultRequest: { cpu: "500m" } }],
      },
    },
  })
  expect((await ask("POST", PODS, { body: pod("a") })).body).toMatchObject({
    spec: { containers: [{ resources: { limits: { cpu: "1" }, requests: { cpu: "500m" } } }] },
  })
  const large = pod("b", {}, { containers: [{ name: "m", image: "x", resources: { limits: { cpu: 3 } } }] })
  expect((await ask("POST", PODS, { body: large })).body).toMatchObject({
    code: 403,
    message: expect.stringContaining(
      'pods "b" is forbidden: [maximum cpu usage per Container is 2, but limit is 3',
    ) as string,
  })
  await ask("POST", "/api/v1/namespaces/default/resourcequotas", {
    body: { metadata: { name: "q" }, spec: { hard: { pods: "1" } } },
  })
  expect((await ask("POST", PODS, { body: pod("c") })).body).toMatchObject({
    message: 'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
  })
})

const asking = (name: string, cpu: string, more: object = {}): object => ({
  name,
  image: "x",
  resources: { requests: { cpu } },
  ...more,
})

test("a quota counts what initialises where it is more than what runs, and sidecars with it", async () => {
  const { ask } = open()
  await ask("POST", "/api/v1/namespaces/default/resourcequotas", {
    body: { metadata: { name: "q" }, spec: { hard: { "requests.cpu": "3" } } },
  })
  const sidecar = asking("side", "1", { restartPolicy: "Always" })
  const wanted = pod("a", {}, { containers: [asking("m", "1")], initContainers: [sidecar, asking("i", "3")] })
  expect((await ask("POST", PODS, { body: wanted })).body).toMatchObject({
    message:
      'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=4, used: requests.cpu=0, limited: requests.cpu=3',
  })
  const fits = pod("a", {}, { containers: [asking("m", "1")], initContainers: [asking("i", "3"), sidecar] })
  expect((await ask("POST", PODS, { body: fits })).status).toBe(201)
})

const bounded = (cpu: string) => ({ limits: { cpu, memory: "1Gi" }, requests: { cpu: "100m", memory: "1Gi" } })

test("limits and quotas of a namespace hold for a pod that is resized", async () => {
  const { ask } = open()
  const made = pod("a", {}, { containers: [{ name: "m", image: "x", resources: bounded("300m") }] })
  expect((await ask("POST", PODS, { body: made })).status).toBe(201)
  const resized = (cpu: string) =>
    ask("PATCH", `${PODS}/a/resize`, {
      contentType: "application/strategic-merge-patch+json",
      body: { spec: { containers: [{ name: "m", resources: bounded(cpu) }] } },
    })
  await ask("POST", "/api/v1/namespaces/default/resourcequotas", {
    body: { metadata: { name: "q" }, spec: { hard: { pods: "1", "limits.cpu": "1" } } },
  })
  expect((await resized("1")).status).toBe(200)
  expect((await resized("1500m")).body).toMatchObject({
    code: 403,
    message:
      'pods "a" is forbidden: exceeded quota: q, requested: limits.cpu=500m, used: limits.cpu=1, limited: limits.cpu=1',
  })
  await ask("POST", "/api/v1/namespaces/default/limitranges", {
    body: { metadata: { name: "l" }, spec: { limits: [{ type: "Container", max: { cpu: "500m" } }] } },
  })
  expect((await resized("600m")).body).toMatchObject({
    code: 403,
    message: expect.stringContaining("maximum cpu usage per Container is 500m, but limit is 600m") as string,
  })
  expect((await resized("400m")).status).toBe(200)
})

test("discovery names what is served", async () => {
  const { ask } = open()
  const apps = (await ask("GET", "/apis/apps/v1")).body as { resources: { name: string }[] }
  expect(apps.resources.map(({ name }) => name)).toContain("deployments/scale")
  const all = (
    await ask("GET", "/apis", { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" })
  ).body
  expect(all).toMatchObject({ kind: "APIGroupDiscoveryList" })
  expect((await ask("GET", "/apis/nothing.example/v1")).body).toMatchObject({
    code: 404,
    message: "the server could not find the requested resource",
  })
  expect((await ask("GET", "/version")).body).toMatchObject({ major: "1", minor: "35" })
})

describe("OpenAPI", () => {
  test("version 2 is one document in JSON, without a reference that leads nowhere; in protobuf it is not had", async () => {
    const { ask } = open()
    const answered = await ask("GET", "/openapi/v2", { accept: "application/json" })
    const document = answered.body as { swagger: string; paths: object; definitions: Record<string, object> }
    expect(document.swagger).toBe("2.0")
    expect(document.definitions["io.k8s.api.apps.v1.DeploymentSpec"]).toMatchObject({
      required: ["selector", "template"],
      properties: {
        replicas: { type: "integer" },
        template: { $ref: "#/definitions/io.k8s.api.core.v1.PodTemplateSpec" },
      },
    })
    expect(Object.keys(document.paths)).toContain("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    const text = JSON.stringify(document)
    for (const [, name = ""] of text.matchAll(/#\/definitions\/([^"]+)/g))
      expect(document.definitions).toHaveProperty([name])
    expect(["#/components", '"allOf":['].filter((word) => text.includes(word))).toEqual([])
    // of which some are called as words of schemas are
    const limits = document.definitions["io.k8s.api.core.v1.LimitRangeItem"]
    expect(Object.keys((limits as { properties: object }).properties)).toContain("default")
    const accept = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    expect((await ask("GET", "/openapi/v2", { accept })).status).toBe(406)
  })

  test("what is asked and never kept is described, too", async () => {
    const { ask } = open()
    const { body } = await ask("GET", "/openapi/v3/apis/authentication.k8s.io/v1")
    expect(Object.keys((body as { paths: object }).paths)).toContain("/apis/authentication.k8s.io/v1/tokenreviews")
  })
})
