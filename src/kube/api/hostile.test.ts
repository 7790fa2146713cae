import { expect, test } from "bun:test"
import { anything, asyncProperty, assert, constantFrom, integer, oneof, record, string, tuple } from "fast-check"
import { testApis } from "./api.suite.ts"

const open = testApis()
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web",
    labels: { a: "b" },
    annotations: { c: "d" },
    finalizers: ["x/y"],
    ownerReferences: [],
    managedFields: [],
  },
  spec: {
    containers: [
      {
        name: "main",
        image: "busybox",
        ports: [{ containerPort: 80 }],
        env: [{ name: "A", value: "b", valueFrom: undefined }],
        resources: { limits: { cpu: "1" }, requests: { cpu: "1" } },
        livenessProbe: { httpGet: { port: 80 } },
        volumeMounts: [{ name: "v", mountPath: "/v" }],
      },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
    nodeSelector: { a: "b" },
  },
}
const DEPLOYMENT = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web" },
  spec: {
    replicas: 1,
    selector: { matchLabels: { a: "b" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
    template: POD,
  },
}
const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: { ports: [{ port: 80 }], selector: { a: "b" }, type: "NodePort" },
}
const OBJECTS = [
  ["/api/v1/namespaces/default/pods", POD],
  ["/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT],
  ["/api/v1/namespaces/default/services", SERVICE],
] as const

/** Every path of a value. */
function paths(value: unknown, path: readonly (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [[...path]]
  return [
    [...path],
    ...Object.entries(value).flatMap(([key, one]) => paths(one, [...path, Array.isArray(value) ? Number(key) : key])),
  ]
}

function replaced(value: unknown, path: readonly (string | number)[], by: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
    string | number,
    unknown
  >
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const odd = oneof(
  anything({ maxDepth: 2, withNullPrototype: false }).map(
    (one) => JSON.parse(JSON.stringify(one) ?? "null") as unknown,
  ),
  constantFrom<unknown>(
    null,
    "",
    -1,
    1e300,
    [],
    {},
    [[]],
    [null],
    "__proto__",
    JSON.parse('{"__proto__":{"polluted":1}}'),
    { $patch: "delete" },
    { $patch: "replace" },
    { $retainKeys: ["a"] },
    { "$setElementOrder/containers": [1] },
  ),
)

test("no object, whatever stands in it, has the API fail: it is kept, or refused in words", async () => {
  await assert(
    asyncProperty(
      constantFrom(...OBJECTS).chain(([path, object]) =>
        tuple(constantFrom(path), constantFrom(object), constantFrom(...paths(object))),
      ),
      odd,
      constantFrom("POST", "PUT", "strategic-merge-patch+json", "merge-patch+json", "apply-patch+yaml"),
      async ([path, object, place], value, how) => {
        const { ask } = open()
        if (how !== "POST") await ask("POST", path, { body: object })
        const body = replaced(object, place, value)
        const answer =
          how === "POST"
            ? await ask("POST", path, { body })
            : how === "PUT"
              ? await ask("PUT", `${path}/web`, { body })
              : await ask("PATCH", `${path}/web?fieldManager=m&force=true`, { body, contentType: `application/${how}` })
        expect([answer.status, (answer.body as { message?: string }).message]).not.toEqual([
          500,
          expect.anything() as unknown,
        ])
        expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
        const table = await ask("GET", path, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" })
        expect(table.status).toBe(200)
      },
    ),
    { numRuns: 120 },
  )
}, 60_000)

test("no path, query or patch of operations has the API fail", async () => {
  const { ask } = open()
  await ask("POST", OBJECTS[1][0], { body: DEPLOYMENT })
  const operation = record({
    op: constantFrom("add", "remove", "replace", "move", "copy", "test", "x"),
    path: oneof(
      constantFrom(
        "/spec/replicas",
        "/metadata",
        "/spec/template/spec/containers/0",
        "/a~1b",
        "/-",
        "",
        "/spec/template/spec/containers/-",
      ),
      string(),
    ),
    from: constantFrom("/spec", "/metadata/name", "/x"),
    value: odd,
  })
  await assert(
    asyncProperty(string(), string(), integer(), operation, async (one, two, number, change) => {
      const answers = await Promise.all([
        ask("GET", `/api/v1/namespaces/${encodeURIComponent(one)}/pods/${encodeURIComponent(two)}`),
        ask("GET", `/${one}/${two}`),
        ask(
          "GET",
          `/api/v1/pods?labelSelector=${encodeURIComponent(one)}&fieldSelector=${encodeURIComponent(two)}&limit=${number}&continue=${encodeURIComponent(two)}`,
        ),
        ask("PATCH", `${OBJECTS[1][0]}/web`, { body: [change], contentType: "application/json-patch+json" }),
        ask("DELETE", "/api/v1/namespaces/default/pods/none", {
          body: { propagationPolicy: one, gracePeriodSeconds: number },
        }),
      ])
      for (const { status, body } of answers)
        expect([status, (body as { message?: string } | undefined)?.message]).not.toEqual([
          500,
          expect.anything() as unknown,
        ])
    }),
    { numRuns: 300 },
  )
}, 60_000)
