import { describe, expect, test } from "bun:test"
import { testApis, type TestApi } from "../../api.suite.ts"
import { violationsOf, type Level } from "./checks.ts"

const open = testApis()
const LABEL = "pod-security.kubernetes.io/"
const RIGHT = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  runAsNonRoot: true,
  seccompProfile: { type: "RuntimeDefault" },
}

async function labelled(labels: object): Promise<TestApi> {
  const api = open()
  await api.ask("POST", "/api/v1/namespaces", { body: { metadata: { name: "n", labels } } })
  return api
}

const pod = (name: string, spec: object = {}, container: object = {}): object => ({
  metadata: { name },
  spec: { containers: [{ name: "main", image: "x", ...container }], ...spec },
})

describe("a namespace's labels", () => {
  test("refuse pods in Kubernetes' words, and tell of templates", async () => {
    const { ask } = await labelled({ [`${LABEL}enforce`]: "restricted" })
    const refused = await ask("POST", "/api/v1/namespaces/n/pods", { body: pod("p") })
    expect(refused).toMatchObject({ status: 403, body: { reason: "Forbidden" } })
    const said =
      'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    expect((refused.body as { message: string }).message).toBe(
      `pods "p" is forbidden: violates PodSecurity "restricted:latest": ${said}`,
    )
    // a service account's own volume is allowed
    expect(
      (await ask("POST", "/api/v1/namespaces/n/pods", { body: pod("p", {}, { securityContext: RIGHT }) })).status,
    ).toBe(201)
    const template = { metadata: { labels: { a: "b" } }, spec: (pod("") as { spec: object }).spec }
    const deployment = { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template } }
    const told = await ask("POST", "/apis/apps/v1/namespaces/n/deployments", { body: deployment })
    expect(told).toMatchObject({ status: 201, warnings: [`would violate PodSecurity "restricted:latest": ${said}`] })
  })

  test("hold for who adds a container to look into a pod with, and tell of pods that are there", async () => {
    const { ask } = await labelled({ [`${LABEL}enforce`]: "baseline" })
    await ask("POST", "/api/v1/namespaces/n/pods", { body: pod("p") })
    const body = { spec: { ephemeralContainers: [{ name: "e", image: "x", securityContext: { privileged: true } }] } }
    const contentType = "application/strategic-merge-patch+json"
    const added = await ask("PATCH", "/api/v1/namespaces/n/pods/p/ephemeralcontainers", { body, contentType })
    expect((added.body as { message: string }).message).toContain(
      'violates PodSecurity "baseline:latest": privileged (container "e" must not set securityContext.privileged=true)',
    )
    const stricter = {
      metadata: { labels: { [`${LABEL}enforce`]: "restricted", [`${LABEL}enforce-version`]: "v1.30" } },
    }
    const changed = await ask("PATCH", "/api/v1/namespaces/n", {
      body: stricter,
      contentType: "application/merge-patch+json",
    })
    expect(changed.warnings).toEqual([
      'existing pods in namespace "n" violate the new PodSecurity enforce level "restricted:v1.30"',
      "p: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile",
    ])
  })

  test("hold for who changes an annotation that is read when a container starts anew", async () => {
    const { ask } = await labelled({ [`${LABEL}enforce`]: "baseline" })
    await ask("POST", "/api/v1/namespaces/n/pods", { body: pod("p") })
    const annotated = (annotations: object) =>
      ask("PATCH", "/api/v1/namespaces/n/pods/p", {
        body: { metadata: { annotations } },
        contentType: "application/merge-patch+json",
      })
    const changed = await annotated({ "container.apparmor.security.beta.kubernetes.io/main": "unconfined" })
    expect(changed).toMatchObject({ status: 403 })
    expect((await annotated({ other: "unconfined" })).status).toBe(200)
  })

  test("that name no level are refused; warn alone refuses nothing", async () => {
    const { ask } = open()
    const wrong = { metadata: { name: "n", labels: { [`${LABEL}enforce`]: "strict", [`${LABEL}warn-version`]: "1" } } }
    const refused = await ask("POST", "/api/v1/namespaces", { body: wrong })
    expect(refused).toMatchObject({
      status: 422,
      body: { details: { causes: [{ field: `metadata.labels[${LABEL}enforce]` }, {}] } },
    })
    await ask("POST", "/api/v1/namespaces", {
      body: { metadata: { name: "w", labels: { [`${LABEL}warn`]: "baseline" } } },
    })
    const made = await ask("POST", "/api/v1/namespaces/w/pods", { body: pod("p", { hostNetwork: true }) })
    expect(made).toMatchObject({
      status: 201,
      warnings: ['would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'],
    })
  })
})

describe("each check", () => {
  const cases: readonly [Level, object, object, string][] = [
    ["baseline", { hostPID: true, hostIPC: true }, {}, "host namespaces (hostPID=true, hostIPC=true)"],
    ["baseline", { volumes: [{ name: "v", hostPath: { path: "/" } }] }, {}, 'hostPath volumes (volume "v")'],
    ["baseline", {}, { ports: [{ containerPort: 1, hostPort: 80 }] }, 'hostPort (container "main" uses hostPort 80)'],
    [
      "baseline",
      {},
      { livenessProbe: { httpGet: { host: "169.254.169.254", port: 80 } } },
      'probe or lifecycle host (container "main" uses probe or lifecycle host "169.254.169.254")',
    ],
    [
      "baseline",
      {},
      { securityContext: { capabilities: { add: ["NET_ADMIN", "CHOWN", "SYS_ADMIN"] } } },
      'non-default capabilities (container "main" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      "baseline",
      { securityContext: { seccompProfile: { type: "Unconfined" } } },
      {},
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      "baseline",
      { securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } },
      {},
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      "baseline",
      { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
      {},
      "forbidden sysctls (kernel.msgmax)",
    ],
    [
      "baseline",
      {},
      { securityContext: { procMount: "Unmasked" } },
      'procMount (container "main" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      "baseline",
      {},
      { securityContext: { appArmorProfile: { type: "Unconfined" } } },
      'forbidden AppArmor profile (container "main" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      "restricted",
      { securityContext: { runAsUser: 0 } },
      { securityContext: RIGHT },
      "runAsUser=0 (pod must not set runAsUser=0)",
    ],
    [
      "restricted",
      { volumes: [{ name: "v", image: { reference: "x" } }] },
      { securityContext: RIGHT },
      'restricted volume types (volume "v" uses restricted volume type "image")',
    ],
    [
      "restricted",
      {},
      { securityContext: { ...RIGHT, runAsNonRoot: false } },
      'runAsNonRoot != true (container "main" must not set securityContext.runAsNonRoot=false)',
    ],
  ]
  for (const [level, spec, container, words] of cases)
    test(`${level}: ${words}`, () => {
      const checked = { metadata: {}, spec: (pod("p", spec, container) as { spec: Record<string, unknown> }).spec }
      expect(violationsOf(level, checked).map(({ reason, detail }) => `${reason} (${detail})`)).toEqual([words])
    })
})
