/**
 * Webhooks of admission: whoever may configure one leads the API server's own requests, and who answers one writes objects.
 * CVE-2020-8561 (redirects to internal addresses), CVE-2019-1002100 (patches that grow), CVE-2021-25740 (endpoints of anybody).
 */
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { madeCertificate } from "../../src/sys/net/made-certificate.ts"
import { testApis, type TestApi } from "../../src/kube/api/api.suite.ts"
import { patchOf, testHook } from "../../src/kube/api/admission/webhooks/webhooks.suite.ts"
import { callHook } from "../../src/kube/api/admission/webhooks/call.ts"
import { tempDirectory } from "../support/temp-directory.ts"

const open = testApis()
const CONFIGS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
const MAPS = "/api/v1/namespaces/default/configmaps"

const configuration = (clientConfig: object, webhook: object = {}): object => ({
  metadata: { name: "one" },
  webhooks: [
    {
      name: "one.example.org",
      clientConfig,
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      timeoutSeconds: 2,
      rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }],
      ...webhook,
    },
  ],
})

const put = async ({ ask }: TestApi): Promise<{ status: number; message: string }> => {
  const { status, body } = await ask("POST", MAPS, { body: { metadata: { name: "a" } } })
  return { status, message: String((body as { message?: string }).message) }
}

test.each([
  "https://169.254.169.254/latest/meta-data/",
  "https://2852039166/",
  "https://0xa9fea9fe/",
  "https://[::ffff:169.254.169.254]/",
  "https://[64:ff9b::a9fe:a9fe]/",
  "https://[fd00:ec2::254]/latest/",
  "https://[fe80::a9fe:a9fe]/",
  "https://100.100.100.200/",
  "https://168.63.129.16/",
])("%s is no webhook's address: neither kept nor asked", async (url) => {
  const it = open()
  const refused = await it.ask("POST", CONFIGS, { body: configuration({ url }) })
  expect(refused).toMatchObject({ status: 422, body: { message: expect.stringContaining("nobody is asked there") } })
  // one that came to be there by another way
  it.objects.create("mutatingwebhookconfigurations.admissionregistration.k8s.io", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    ...(configuration({ url }) as { metadata: { name: string } }),
  })
  const { status, message } = await put(it)
  expect(status).toBe(500)
  expect(message).toContain("refused to connect")
})

test("a redirect is not followed, and the answer of what refuses is not told", async () => {
  await using hook = await testHook()
  await using target = await testHook()
  const it = open()
  await it.ask("POST", CONFIGS, { body: configuration({ url: hook.url, caBundle: hook.caBundle }) })
  hook.raw = { status: 307, headers: { location: target.url }, text: "SECRET" }
  const { status, message } = await put(it)
  expect(status).toBe(500)
  expect(message).toContain("answered 307")
  expect(message).not.toContain("SECRET")
  expect(target.asked).toEqual([])
})

test("an answer without an end, and one that never comes, end in their time", async () => {
  const { cert, key, authority } = await madeCertificate(tempDirectory("skiff-hook-"), { more: ["IP:127.0.0.1"] })
  const caBundle = readFileSync(authority).toString("base64")
  for (const isEndless of [true, false]) {
    const server = createServer({ cert, key }, (_, response) => {
      response.on("error", () => {})
      const more = (): void => {
        if (!response.destroyed) response.write("x".repeat(1 << 20), () => setImmediate(more))
      }
      if (isEndless) more()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const hook = { name: "a", client: { url }, timeoutMs: 1500 } as never
    const began = performance.now()
    const none = { endpoint: () => ({ address: "", port: 0 }), dial: () => Promise.reject(new Error("none")) }
    // its certificate is nobody's: what is not trusted is not even asked
    expect(await callHook(hook, {}, none).catch((error: Error) => error.message)).toMatch(/certificate|self.signed/i)
    const trusting = { name: "a", client: { url, caBundle }, timeoutMs: 1500 } as never
    const said = await callHook(trusting, {}, none).catch((error: Error) => error.message)
    expect(said).toContain(isEndless ? "has more than" : "deadline exceeded")
    expect(performance.now() - began).toBeLessThan(6000)
    server.closeAllConnections()
    server.close()
  }
}, 20_000)

test.each([
  [
    "copies that grow",
    Array.from({ length: 40 }, () => ({ op: "copy", from: "/metadata", path: "/metadata/annotations" })),
  ],
  ["too many operations", Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" }))],
  ["no object", [{ op: "replace", path: "", value: [] }]],
  ["another path", [{ op: "add", path: "/a/b/c", value: 1 }]],
  ["no list", [1, null]],
])("a patch of %s is refused whole", async (_, operations) => {
  await using hook = await testHook()
  const it = open()
  await it.ask("POST", CONFIGS, { body: configuration({ url: hook.url, caBundle: hook.caBundle }) })
  hook.answers = () => patchOf(...(operations as object[]))
  const { status } = await put(it)
  expect(status).toBeGreaterThanOrEqual(400)
  expect(it.objects.find("configmaps", "a", "default")).toBeUndefined()
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
})

test("a patch moves an object to no other namespace or name, and makes no other kind of it", async () => {
  await using hook = await testHook()
  const it = open()
  await it.ask("POST", CONFIGS, { body: configuration({ url: hook.url, caBundle: hook.caBundle }) })
  hook.answers = () =>
    patchOf(
      { op: "replace", path: "/metadata/name", value: "b" },
      { op: "replace", path: "/metadata/namespace", value: "kube-system" },
      { op: "replace", path: "/kind", value: "Secret" },
      { op: "add", path: "/metadata/__proto__", value: { polluted: 1 } },
      { op: "add", path: "/data", value: { a: "b" } },
    )
  expect((await put(it)).status).toBe(201)
  expect(it.objects.get("configmaps", "a", "default")).toMatchObject({ kind: "ConfigMap", data: { a: "b" } })
  expect(it.objects.find("configmaps", "b", "kube-system")).toBeUndefined()
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
})

test("a role that a webhook widened is held against its author's rights", async () => {
  await using hook = await testHook()
  const it = open()
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
  const rules = [{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["*"] }]
  await it.ask("POST", `${roles}/roles`, { body: { metadata: { name: "author" }, rules } })
  const subjects = [{ kind: "User", name: "jane", apiGroup: "rbac.authorization.k8s.io" }]
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "author" }
  await it.ask("POST", `${roles}/rolebindings`, { body: { metadata: { name: "author" }, subjects, roleRef } })
  await it.ask("POST", CONFIGS, { body: configuration({ url: hook.url, caBundle: hook.caBundle }) })
  const all = { apiGroups: ["*"], resources: ["*"], verbs: ["get"] }
  hook.answers = () => patchOf({ op: "add", path: "/rules", value: [all] })
  const user = { name: "jane", groups: ["system:authenticated"] }
  // `*` of verbs in a role of roles holds `escalate`, too: one without it
  it.objects.update("roles.rbac.authorization.k8s.io", {
    ...it.objects.get("roles.rbac.authorization.k8s.io", "author", "default"),
    rules: [{ ...rules[0], verbs: ["create", "get"] }],
  } as never)
  const wide = await it.ask("POST", `${roles}/roles`, { body: { metadata: { name: "wide" }, rules: [] }, user })
  expect(wide).toMatchObject({ status: 403, body: { message: expect.stringContaining("not currently held") } })
  expect(it.objects.find("roles.rbac.authorization.k8s.io", "wide", "default")).toBeUndefined()
})

test("who may edit a namespace configures no webhook", async () => {
  const it = open()
  const user = { name: "jane", groups: ["system:authenticated"] }
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" }
  await it.ask("POST", "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", {
    body: { metadata: { name: "jane" }, subjects: [{ kind: "User", name: "jane" }], roleRef },
  })
  const answer = await it.ask("POST", CONFIGS, { body: configuration({ url: "https://example.org/" }), user })
  expect(answer.status).toBe(403)
})
