/** Services of real objects on a real kernel. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../../test/support/programs.ts"
import { call } from "../../network/test-host.ts"
import { openServicesLab, type ServicesLab, type TestPod } from "./services.suite.ts"
import { SLICES } from "./slices.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`tests of Services skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "socat", "ss", "timeout", "unshare")

interface Spec {
  clusterIP: string
  clusterIPs: string[]
  ports: { nodePort?: number }[]
}

const balanced = (...loadBalancerSourceRanges: string[]) => ({
  type: "LoadBalancer",
  loadBalancerSourceRanges,
  ports: [{ port: 80, targetPort: 8080 }],
})

describe.skipIf(skip !== false)("a Service", () => {
  let lab: ServicesLab
  let client: TestPod
  const web: TestPod[] = []

  beforeAll(async () => {
    lab = await openServicesLab()
    client = await lab.pod("client")
    for (const name of ["web-0", "web-1"]) {
      const pod = await lab.pod(name, { app: "web" })
      await pod.peer.serve("tcp", 8080, name)
      web.push(pod)
    }
  })
  afterAll(() => lab?.[Symbol.asyncDispose]())

  const spec = (name: string): Spec => lab.objects.get("services", name, "default")["spec"] as Spec
  const make = async (name: string, more: object): Promise<Spec> => {
    lab.create("v1", "Service", name, { spec: { selector: { app: "web" }, ...more } })
    return lab.until(
      () => spec(name),
      ({ clusterIP }) => clusterIP !== undefined,
    )
  }
  const slices = (name: string) =>
    lab.objects.list(SLICES, { fits: ({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name }).items
  const endpoints = (name: string) => slices(name).flatMap((slice) => slice["endpoints"] as { addresses: string[] }[])
  const answers = async (address: string, port: number, times = 16): Promise<string[]> => {
    const heard = new Set<string>()
    for (let index = 0; index < times; index++)
      heard.add((await call("tcp", address, port, client.peer)).split(" ")[0] ?? "")
    return [...heard].toSorted()
  }

  test("has an address that it keeps, and leads to the pods that its selector finds, by the name of their port", async () => {
    const { clusterIP } = await make("web", { ports: [{ port: 80, targetPort: "http" }] })
    expect(clusterIP).toStartWith("10.96.")
    await lab.until(
      () => endpoints("web"),
      ({ length }) => length === 2,
    )
    // the objects tell of it first
    await lab.until(
      () => answers(clusterIP, 80),
      (heard) => heard.join() === "web-0,web-1",
    )
    expect(lab.objects.get("endpoints", "web", "default")["subsets"]).toMatchObject([
      { addresses: [{ ip: web[0]?.address }, { ip: web[1]?.address }], ports: [{ port: 8080, protocol: "TCP" }] },
    ])
  })

  test("leads to nobody who is not ready, and to one who comes at once", async () => {
    const { clusterIP } = spec("web")
    const [first, second] = web
    if (first === undefined || second === undefined) throw new Error("no pods")
    lab.setReady(first, false)
    await lab.until(
      () => answers(clusterIP, 80, 4),
      (heard) => heard.join() === "web-1",
    )
    expect(slices("web")).toHaveLength(1)
    lab.setReady(second, false)
    await lab.until(
      () => answers(clusterIP, 80, 1),
      (heard) => heard.join() === "closed",
    )
    lab.setReady(first, true)
    lab.setReady(second, true)
    await lab.until(
      () => answers(clusterIP, 80, 8),
      (heard) => heard.length === 2,
    )
  })

  test("leads no longer to a pod that ends, whose connections go on; to the last one until it is gone", async () => {
    const { clusterIP } = spec("web")
    const pod = web[1]
    if (pod === undefined) throw new Error("no pod")
    const long = client.peer.run("sh", "-c", `(sleep 1; echo x) | socat - TCP:${clusterIP}:80 | cut -c1-3`)
    const ending = lab.objects.delete("pods", "web-1", "default")
    await lab.networking.withdrawn({ ...ending, apiVersion: "v1", kind: "Pod", status: { podIP: pod.address } })
    expect(await answers(clusterIP, 80)).toEqual(["web-0"])
    expect(slices("web")[0]).toMatchObject({
      endpoints: expect.arrayContaining([
        expect.objectContaining({ conditions: { ready: false, serving: true, terminating: true } }),
      ]),
    })
    expect(await long).toBe("web")
    lab.objects.delete("pods", "web-1", "default", { graceSeconds: 0 })
    await lab.until(
      () => endpoints("web"),
      ({ length }) => length === 1,
    )
  })

  test("of type NodePort and LoadBalancer has a port of the host, and an address", async () => {
    const { ports } = await make("node", { type: "NodePort", ports: [{ port: 80, targetPort: 8080 }] })
    const nodePort = ports[0]?.nodePort ?? 0
    expect(nodePort).toBeGreaterThanOrEqual(30_000)
    await lab.until(
      () => answers(lab.network.gateway, nodePort, 2),
      (heard) => heard.join() === "web-0",
    )
    await make("balanced", { type: "LoadBalancer", ports: [{ port: 80, targetPort: 8080 }] })
    const ip = await lab.until(
      () =>
        (
          lab.objects.get("services", "balanced", "default")["status"] as {
            loadBalancer?: { ingress?: { ip: string }[] }
          }
        )?.loadBalancer?.ingress?.[0]?.ip,
      (found) => found !== undefined,
    )
    expect(ip).toStartWith("10.112.")
    await lab.until(
      () => answers(ip ?? "", 80, 2),
      (heard) => heard.join() === "web-0",
    )
  })

  test("has a load balancer that answers those whom it names, and none where it names them in vain", async () => {
    const podRange = `${client.address}/32`
    const ip = (name: string) =>
      (
        lab.objects.get("services", name, "default")["status"] as {
          loadBalancer?: { ingress?: { ip: string }[] }
        }
      )?.loadBalancer?.ingress?.[0]?.ip
    await make("bounded", balanced("203.0.113.0/24", podRange, podRange, "fd00::/8"))
    const address = (await lab.until(
      () => ip("bounded"),
      (found) => found !== undefined,
    )) as string
    await lab.until(
      () => answers(address, 80, 1),
      (heard) => heard.join() === "web-0",
    )
    // this host is none of them
    expect(await call("tcp", address, 80, undefined)).toBe("closed")
    await make("vain", balanced("everyone"))
    const message = await lab.until(
      () =>
        lab.objects
          .list("events", { fits: (event) => event["reason"] === "UnsupportedLoadBalancer" })
          .items.map((one) => String(one["message"]))
          .join(),
      (found) => found !== "",
    )
    expect(message).toContain('"everyone" is no range of addresses')
    expect(ip("vain")).toBeUndefined()
    for (const name of ["bounded", "vain"]) lab.objects.delete("services", name, "default")
  })

  test("has addresses of others only where the administrator says which (CVE-2020-8554)", async () => {
    const pod = web[0]?.address ?? ""
    const externalIPs = ["192.0.2.9", "198.18.0.9", pod]
    const { clusterIP } = await make("outer", { externalIPs, ports: [{ port: 81, targetPort: 8080 }] })
    await lab.until(
      () => answers(clusterIP, 81, 1),
      (heard) => heard.join() !== "closed",
    )
    const heard = async () => {
      const found = await Promise.all(externalIPs.map((address) => call("tcp", address, 81, client.peer)))
      return found.map((text) => text.startsWith("web-"))
    }
    expect(await heard()).toEqual([false, false, false])
    lab.create("v1", "ConfigMap", "skiff-services", { data: { externalIPs: `192.0.2.0/24, ${pod}/32` } }, "kube-system")
    await lab.until(heard, ([first]) => first === true)
    expect(await heard()).toEqual([true, false, false])
    const told = lab.objects.list("events", { fits: (event) => event["reason"] === "UnsupportedExternalIPs" }).items
    expect(told.map((one) => one["message"]).join()).toContain("CVE-2020-8554")
    lab.objects.delete("configmaps", "skiff-services", "kube-system")
    await lab.until(heard, ([first]) => first === false)
    lab.objects.delete("services", "outer", "default")
  })

  test("that asks for what another has is told so, and has nothing", async () => {
    const { clusterIP } = spec("web")
    lab.create("v1", "Service", "thief", { spec: { clusterIP, ports: [{ port: 80 }] } })
    const events = () =>
      lab.objects
        .list("events", { fits: (event) => event["reason"] === "FailedAllocation" })
        .items.map((one) => one["message"])
    const [message] = await lab.until(events, ({ length }) => length > 0)
    expect(message).toContain("provided IP is already allocated")
    expect(await answers(clusterIP, 80, 2)).toEqual(["web-0"])
    lab.objects.delete("services", "thief", "default")
  })

  test("that names an address outside of the cluster's takes nobody's traffic, though it lacks nothing (CVE-2020-8554)", async () => {
    const clusterIP = "192.0.2.77"
    const whole = { clusterIP, clusterIPs: [clusterIP], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" }
    lab.create("v1", "Service", "far", { spec: { ...whole, selector: { app: "web" }, ports: [{ port: 80 }] } })
    lab.create("v1", "Service", "after", {
      spec: { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }] },
    })
    const after = await lab.until(
      () => spec("after"),
      (found) => found.clusterIP !== undefined,
    )
    await lab.until(
      () => answers(after.clusterIP, 80, 1),
      (heard) => heard.join() !== "closed",
    )
    expect((await lab.host.run("nft", "list", "ruleset")).includes(clusterIP)).toBe(false)
    for (const name of ["far", "after"]) lab.objects.delete("services", name, "default")
  })

  test("with endpoints that are none holds up no other", async () => {
    lab.create("v1", "Service", "poison", { spec: { ports: [{ port: 80 }] } })
    lab.create("discovery.k8s.io/v1", "EndpointSlice", "poison", {
      metadata: { labels: { "kubernetes.io/service-name": "poison" } },
      addressType: "IPv4",
      ports: [{ port: 70_000 }],
      endpoints: [{ addresses: ["10.0.0.1; flush ruleset"] }, { addresses: ["10.0.0.2"] }],
    })
    const { clusterIP } = await make("later", { ports: [{ port: 80, targetPort: 8080 }] })
    await lab.until(
      () => answers(clusterIP, 80, 1),
      (heard) => heard.join() !== "closed",
    )
    lab.objects.delete(SLICES, "poison", "default")
    for (const name of ["poison", "later"]) lab.objects.delete("services", name, "default")
  })

  test("without a selector leads to what is written by hand, in either form, and to no loopback", async () => {
    const { clusterIP } = await make("hand", { selector: undefined, ports: [{ port: 80 }] })
    lab.create("v1", "Endpoints", "hand", {
      subsets: [{ addresses: [{ ip: web[0]?.address }, { ip: "127.0.0.1" }], ports: [{ port: 8080 }] }],
    })
    await lab.until(
      () => answers(clusterIP, 80, 4),
      (heard) => heard.join() === "web-0",
    )
    lab.objects.delete("endpoints", "hand", "default")
    await lab.until(
      () => answers(clusterIP, 80, 1),
      (heard) => heard.join() === "closed",
    )
    lab.create("discovery.k8s.io/v1", "EndpointSlice", "own", {
      metadata: { labels: { "kubernetes.io/service-name": "hand" } },
      addressType: "IPv4",
      ports: [{ port: 8080 }],
      endpoints: [{ addresses: [web[0]?.address] }],
    })
    await lab.until(
      () => answers(clusterIP, 80, 2),
      (heard) => heard.join() === "web-0",
    )
  })

  test("of both families has an address of each, and one that is removed leaves nothing", async () => {
    const { clusterIPs } = await make("both", {
      ipFamilyPolicy: "RequireDualStack",
      ports: [{ port: 80, targetPort: 8080 }],
    })
    expect(clusterIPs).toHaveLength(2)
    await lab.until(
      () => slices("both").map((slice) => slice["addressType"]),
      ({ length }) => length === 2,
    )
    lab.objects.delete("services", "both", "default")
    await lab.until(
      () => slices("both"),
      ({ length }) => length === 0,
    )
    await lab.until(
      () => lab.host.run("sh", "-c", `nft list ruleset | grep -c -F ${clusterIPs[0]}' ' || true`),
      (count) => count === "0",
    )
  })

  test("comes back after nft flush ruleset", async () => {
    await lab.host.run("nft", "flush", "ruleset")
    await lab.until(
      () => answers(spec("web").clusterIP, 80, 1),
      (heard) => heard.join() === "web-0",
    )
  })

  test("leads nobody into a network that was removed, and is led by the next one", async () => {
    const before = lab.network
    for (const pod of [client, ...web])
      await lab.host.networks.teardown(before, lab.host.endpoint(pod.peer, `default${pod.name}`).containerId, undefined)
    await lab.host.networks.remove(before)
    const made = await lab.until(
      () => lab.host.networks.list().find(({ name }) => name === before.name),
      (found) => found !== undefined && found.id !== before.id,
    )
    await lab.until(
      () => lab.host.run("sh", "-c", `ip route show dev ${made?.bridge} | grep -c 10.96`),
      (count) => count === "1",
    )
  })
})
