import { expect, test } from "bun:test"
import type { SandboxId } from "../sandbox/sandbox.ts"
import { inPod } from "./join.ts"
import type { PodId, PodOptions } from "./pod.ts"
import { checkPodOptions, sandboxOptions } from "./sandbox-options.ts"

const record = (options: PodOptions) => ({
  id: "a".repeat(64) as PodId,
  name: "shop",
  createdAt: 0,
  removing: false,
  spec: { options, sandboxId: "b".repeat(64) as SandboxId },
})

test("a container has what the pod gives, and its own after it or in its place", () => {
  const pod = record({
    dns: ["192.0.2.1"],
    extraHosts: ["a:192.0.2.2"],
    mounts: [
      { type: "tmpfs", target: "/x", readOnly: false },
      { type: "tmpfs", target: "/y", readOnly: false },
    ],
    sysctls: { "net.a": "1", "net.b": "1" },
    restart: { name: "always", maximumRetryCount: 0 },
  })
  const own = { image: "i", extraHosts: ["b:192.0.2.3"], sysctls: { "net.b": "2" } }
  const joined = inPod(pod, { ...own, mounts: [{ type: "tmpfs", target: "/y", readOnly: true }] })
  expect(joined).toMatchObject({
    pod: { id: pod.id, name: "shop" },
    sandbox: pod.spec.sandboxId,
    dns: ["192.0.2.1"],
    extraHosts: ["a:192.0.2.2", "b:192.0.2.3"],
    mounts: [{ target: "/x" }, { target: "/y", readOnly: true }],
    sysctls: { "net.a": "1", "net.b": "2" },
    restart: { name: "always" },
  })
  expect(inPod(pod, { image: "i", dns: ["192.0.2.9"], autoRemove: true })).toMatchObject({ dns: ["192.0.2.9"] })
  expect(inPod(pod, { image: "i", autoRemove: true }).restart).toBeUndefined()
})

test("a container may not choose a network where the pod shares one", () => {
  const network = { kind: "bridge", name: "other" } as const
  expect(() => inPod(record({}), { image: "i", network })).toThrow("it has the pod's")
  expect(inPod(record({ shares: ["ipc"] }), { image: "i", network }).network).toEqual(network)
})

test("the host's network is each container's, and the sandbox has none", () => {
  const pod = record({ network: { kind: "host" } })
  expect(inPod(pod, { image: "i" }).network).toEqual({ kind: "host" })
  expect(sandboxOptions(pod)).toMatchObject({ networks: [], shares: ["ipc", "uts"], hostname: "shop" })
  expect(sandboxOptions(record({ moreNetworks: ["two"], shares: ["network", "pid"] }))).toMatchObject({
    networks: [{ network: "bridge" }, { network: "two" }],
    shares: ["network"],
    sharePid: true,
  })
})

test.each<[PodOptions, string]>([
  [{ hasSandbox: false, shares: ["ipc"] }, "shares no namespaces"],
  [{ hasSandbox: false, resources: { memoryBytes: 1 } }, "has no limits"],
  [{ network: { kind: "host" }, ports: [{ protocol: "tcp", containerPort: 1, hostPort: 1 }] }, "no network of its own"],
  [{ shares: ["ipc"], address: "192.0.2.1" }, "no network of its own"],
])("%p contradicts itself", (options, message) => {
  expect(() => checkPodOptions(options)).toThrow(message)
})
