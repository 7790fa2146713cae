import { expect, test } from "bun:test"
import { testApis, type TestApi } from "../../api.suite.ts"
import { dialFromHost } from "../../../node/agent/dial.ts"
import { hookNetwork } from "../../../services/hook-network.ts"
import { ControllerAdmission } from "../../../controllers/admission.ts"
import { AwaitsAdmission } from "./gate.ts"
import { patchOf, testHook, type TestHook } from "./webhooks.suite.ts"

const open = testApis()
const CONFIGS = "/apis/admissionregistration.k8s.io/v1"
const MAPS = "/api/v1/namespaces/default/configmaps"
const PODS = "/api/v1/namespaces/default/pods"

const pod = (name: string): object => ({ metadata: { name }, spec: { containers: [{ name: "main", image: "x" }] } })

interface Rules {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  resources?: string[]
  scope?: string
}

/** Adds a configuration of one webhook. */
async function configure(
  { ask }: TestApi,
  hook: TestHook,
  {
    type = "Validating",
    name = "one",
    rules = {},
    ...webhook
  }: { type?: "Validating" | "Mutating"; name?: string; rules?: Rules; [key: string]: unknown } = {},
): Promise<void> {
  const body = {
    metadata: { name },
    webhooks: [
      {
        name: `${name}.example.org`,
        clientConfig: { url: hook.url, caBundle: hook.caBundle },
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], ...rules }],
        ...webhook,
      },
    ],
  }
  const made = await ask("POST", `${CONFIGS}/${type.toLowerCase()}webhookconfigurations`, { body })
  expect(made).toMatchObject({ status: 201 })
}

test("a webhook that says no is heard, with its message, code and warnings", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook, { rules: { resources: ["configmaps"], operations: ["CREATE"] } })
  hook.answers = () => ({
    allowed: false,
    status: { message: "not on Mondays", code: 403, reason: "Forbidden" },
    warnings: ["a\r\nb"],
  })
  const refused = await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })
  expect(refused).toMatchObject({
    status: 403,
    body: {
      kind: "Status",
      reason: "Forbidden",
      code: 403,
      message: 'admission webhook "one.example.org" denied the request: not on Mondays',
    },
  })
  expect(it.objects.find("configmaps", "a", "default")).toBeUndefined()
  expect(hook.asked).toMatchObject([
    {
      operation: "CREATE",
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      name: "a",
      namespace: "default",
      userInfo: { username: "kubernetes-admin" },
      oldObject: null,
      dryRun: false,
      object: { metadata: { name: "a" } },
    },
  ])
  hook.answers = () => ({ allowed: false })
  expect((await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })).body).toMatchObject({
    code: 400,
    message: 'admission webhook "one.example.org" denied the request without explanation',
  })
  hook.answers = () => ({ warnings: ["a\r\nb"] })
  expect(await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })).toMatchObject({
    status: 201,
    warnings: ["a b"],
  })
  // secrets are none of its rules
  hook.answers = () => ({ allowed: false })
  expect((await it.ask("DELETE", `${MAPS}/a`)).status).toBe(200)
})

test("update, patch, apply, scale, status, delete and delete of many are asked about, with what was there", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook)
  const deployments = "/apis/apps/v1/namespaces/default/deployments"
  const spec = {
    selector: { matchLabels: { a: "b" } },
    template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "main", image: "x" }] } },
  }
  const object = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec }
  const type = "application/apply-patch+yaml"
  expect(
    (await it.ask("PATCH", `${deployments}/web?fieldManager=me`, { body: object, contentType: type })).status,
  ).toBe(201)
  const merge = { contentType: "application/merge-patch+json" }
  await it.ask("PATCH", `${deployments}/web`, { body: { metadata: { labels: { x: "y" } } }, ...merge })
  await it.ask("PATCH", `${deployments}/web/scale`, { body: { spec: { replicas: 3 } }, ...merge })
  await it.ask("PATCH", `${deployments}/web/status`, { body: { status: { replicas: 3 } }, ...merge })
  expect((await it.ask("DELETE", deployments)).status).toBe(200)
  expect(
    hook.asked.map((one) => [one["operation"], one["subResource"], (one["kind"] as { kind: string }).kind]),
  ).toEqual([
    ["CREATE", undefined, "Deployment"],
    ["UPDATE", undefined, "Deployment"],
    ["UPDATE", "scale", "Scale"],
    ["UPDATE", "status", "Deployment"],
    ["DELETE", undefined, "Deployment"],
  ])
  expect(hook.asked[1]).toMatchObject({
    oldObject: { metadata: { name: "web" } },
    object: { metadata: { labels: { x: "y" } } },
  })
  expect(hook.asked[2]).toMatchObject({ object: { spec: { replicas: 3 } }, oldObject: { spec: { replicas: 1 } } })
  expect(hook.asked[4]).toMatchObject({ object: null, oldObject: { metadata: { name: "web" } } })
})

test("exec into a pod and its eviction are asked about, and refused", async () => {
  await using hook = await testHook()
  const it = open()
  await it.ask("POST", PODS, { body: pod("web") })
  await configure(it, hook, { rules: { operations: ["CONNECT", "CREATE"], resources: ["pods/*"] } })
  hook.answers = () => ({ allowed: false })
  const query = new URLSearchParams("command=sh&command=-c&stdin=true")
  const user = { name: "kubernetes-admin", groups: ["system:masters"] }
  const answer = await it.api.connect({ method: "POST", path: `${PODS}/web/exec`, query, user })
  expect(answer).toMatchObject({ status: 400 })
  expect(hook.asked[0]).toMatchObject({
    operation: "CONNECT",
    subResource: "exec",
    name: "web",
    object: { kind: "PodExecOptions", command: ["sh", "-c"], stdin: true },
  })
  expect((await it.ask("POST", `${PODS}/web/eviction`, { body: {} })).status).toBe(400)
  expect(hook.asked[1]).toMatchObject({ operation: "CREATE", subResource: "eviction", object: { kind: "Eviction" } })
})

test("a patch changes what is kept: after defaults and the service account, before validation, and not who it is", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook, { type: "Mutating", rules: { operations: ["CREATE"], resources: ["pods"] } })
  hook.answers = () =>
    patchOf(
      { op: "add", path: "/metadata/labels", value: { injected: "yes" } },
      { op: "add", path: "/spec/containers/-", value: { name: "side", image: "y" } },
      { op: "replace", path: "/metadata/name", value: "other" },
    )
  const made = await it.ask("POST", PODS, { body: pod("web") })
  expect(made).toMatchObject({
    status: 201,
    body: {
      metadata: { name: "web", labels: { injected: "yes" } },
      spec: { containers: [{ name: "main" }, { name: "side", terminationMessagePath: "/dev/termination-log" }] },
    },
  })
  expect(hook.asked[0]).toMatchObject({ object: { spec: { serviceAccountName: "default", restartPolicy: "Always" } } })
  hook.answers = () => patchOf({ op: "add", path: "/spec/containers/-", value: { name: "NOT A NAME" } })
  expect(await it.ask("POST", PODS, { body: pod("two") })).toMatchObject({ status: 422 })
  hook.answers = () => patchOf({ op: "remove", path: "/spec/nothing" })
  expect((await it.ask("POST", PODS, { body: pod("two") })).body).toMatchObject({
    code: 500,
    message: expect.stringContaining('failed calling webhook "one.example.org"'),
  })
})

test("one that wants to be asked again is, once, when a later one has changed the object", async () => {
  await using first = await testHook()
  await using second = await testHook()
  const it = open()
  const rules = { resources: ["configmaps"] }
  await configure(it, first, { type: "Mutating", name: "a", rules, reinvocationPolicy: "IfNeeded" })
  await configure(it, second, { type: "Mutating", name: "b", rules })
  second.answers = () => patchOf({ op: "add", path: "/data", value: { b: "1" } })
  await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })
  expect([first.asked.length, second.asked.length]).toEqual([2, 1])
  expect(first.asked[1]).toMatchObject({ object: { data: { b: "1" } } })
})

test("selectors, scopes and trials choose what a webhook is asked", async () => {
  await using hook = await testHook()
  const it = open()
  await it.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: "shop", labels: { checked: "yes" } } } })
  await configure(it, hook, {
    namespaceSelector: { matchLabels: { checked: "yes" } },
    objectSelector: { matchLabels: { a: "b" } },
    rules: { scope: "Namespaced" },
  })
  const shop = "/api/v1/namespaces/shop/configmaps"
  await it.ask("POST", MAPS, { body: { metadata: { name: "a", labels: { a: "b" } } } })
  await it.ask("POST", shop, { body: { metadata: { name: "none" } } })
  await it.ask("POST", `${shop}?dryRun=All`, { body: { metadata: { name: "a", labels: { a: "b" } } } })
  expect(hook.asked).toMatchObject([{ namespace: "shop", name: "a", dryRun: true }])
  expect(it.objects.find("configmaps", "a", "shop")).toBeUndefined()
})

test("webhooks are never asked about what configures them", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook)
  hook.answers = () => ({ allowed: false })
  expect((await it.ask("DELETE", `${CONFIGS}/validatingwebhookconfigurations/one`)).status).toBe(200)
  expect(hook.asked).toEqual([])
})

test("who does not answer refuses, or is passed over by failurePolicy Ignore", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook, { rules: { resources: ["configmaps"] } })
  await configure(it, hook, { name: "two", failurePolicy: "Ignore", rules: { resources: ["secrets"] } })
  hook.raw = { status: 500, text: "" }
  expect((await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })).body).toMatchObject({
    code: 500,
    reason: "InternalError",
    message: expect.stringMatching(
      /failed calling webhook "one.example.org": failed to call webhook: Post "https:.*answered 500/,
    ),
  })
  expect(
    (await it.ask("POST", "/api/v1/namespaces/default/secrets", { body: { metadata: { name: "a" } } })).status,
  ).toBe(201)
})

test.each([
  [
    "another uid",
    { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1", response: { uid: "x", allowed: true } },
  ],
  ["another version", { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1beta1", response: { allowed: true } }],
  ["no response", { kind: "AdmissionReview", apiVersion: "admission.k8s.io/v1" }],
  ["a list", []],
  ["null", null],
])("an answer of %s is none", async (_, answer) => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook)
  hook.raw = { status: 200, text: JSON.stringify(answer) }
  const { body } = await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })
  expect(body).toMatchObject({ code: 500, message: expect.stringContaining("failed calling webhook") })
})

test("a Service's webhook is asked by one of its endpoints, and its certificate must be the Service's", async () => {
  await using hook = await testHook("hook.default.svc")
  await using other = await testHook("other.default.svc")
  // endpoints are no loopback: who dials leads there
  const it: TestApi = open({
    endpoint: (...service) => hookNetwork(it.objects, dialFromHostTo).endpoint(...service),
    dial: (endpoint, signal) => dialFromHostTo(endpoint, signal),
  })
  let port = hook.port
  const dialFromHostTo = (_: unknown, signal: AbortSignal): ReturnType<typeof dialFromHost> =>
    dialFromHost({ host: "127.0.0.1", port }, signal)
  const meta = { namespace: "default" }
  await it.ask("POST", "/api/v1/namespaces/default/services", {
    body: { metadata: { name: "hook" }, spec: { clusterIP: "None", ports: [{ port: 443, targetPort: 8443 }] } },
  })
  it.objects.create("endpointslices.discovery.k8s.io", {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "hook-a", ...meta, labels: { "kubernetes.io/service-name": "hook" } },
    addressType: "IPv4",
    ports: [{ name: "", port: 8443 }],
    endpoints: [{ addresses: ["10.1.2.3"] }],
  } as never)
  await configure(it, hook, {
    clientConfig: { service: { name: "hook", namespace: "default", path: "/check" }, caBundle: hook.caBundle },
    rules: { resources: ["configmaps"] },
  })
  expect((await it.ask("POST", MAPS, { body: { metadata: { name: "a" } } })).status).toBe(201)
  expect(hook.asked).toHaveLength(1)
  port = other.port
  expect((await it.ask("POST", MAPS, { body: { metadata: { name: "b" } } })).body).toMatchObject({ code: 500 })
  expect(other.asked).toEqual([])
})

test("what controllers make is asked about: the reconciliation begins anew with the answer, which counts once", async () => {
  await using hook = await testHook()
  const it = open()
  await configure(it, hook, { type: "Mutating", rules: { operations: ["CREATE"], resources: ["pods"] } })
  hook.answers = () => patchOf({ op: "add", path: "/metadata/labels", value: { injected: "yes" } })
  const admission = new ControllerAdmission(it.objects, {
    endpoint: () => ({ address: "", port: 0 }),
    dial: () => Promise.reject(new Error("none")),
  })
  const wanted = {
    ...pod(""),
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "", generateName: "web-", namespace: "default" },
  }
  for (const round of [1, 2]) {
    const waiting = ((): AwaitsAdmission => {
      try {
        admission.admitted("pods", wanted)
      } catch (error) {
        if (error instanceof AwaitsAdmission) return error
      }
      throw new Error("was not asked")
    })()
    await waiting.ask()
    expect(admission.admitted("pods", wanted)).toMatchObject({
      metadata: { generateName: "web-", labels: { injected: "yes" } },
    })
    expect(hook.asked).toHaveLength(round)
  }
})

test.each([
  [{ clientConfig: { url: "http://example.org/" } }, "'https' is the only allowed URL scheme"],
  [{ clientConfig: { url: "https://a:b@example.org/" } }, "user information is not permitted"],
  [{ clientConfig: { url: "https://169.254.169.254/latest" } }, "link-local"],
  [{ clientConfig: {} }, "exactly one of url or service is required"],
  [{ sideEffects: "Some" }, 'supported values: "None", "NoneOnDryRun"'],
  [{ timeoutSeconds: 31 }, "between 1 and 30 seconds"],
  [{ name: "short" }, "at least three segments"],
  [{ admissionReviewVersions: ["v1beta1"] }, "must include at least one of v1"],
  [{ matchConditions: [{ name: "a", expression: "true" }] }, "expressions in CEL are not evaluated"],
  [{ clientConfig: { url: "https://example.org/", caBundle: "AAAA" } }, "unable to load root certificates"],
])("a configuration with %j is refused", async (webhook, message) => {
  const it = open()
  const body = {
    metadata: { name: "one" },
    webhooks: [
      {
        name: "one.example.org",
        clientConfig: { url: "https://example.org/" },
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }],
        ...webhook,
      },
    ],
  }
  const answer = await it.ask("POST", `${CONFIGS}/validatingwebhookconfigurations`, { body })
  expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining(message) } })
})
