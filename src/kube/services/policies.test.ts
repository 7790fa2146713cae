/** NetworkPolicies of real objects on a real kernel. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { needPrograms } from "../../../test/support/programs.ts"
import { call } from "../../network/test-host.ts"
import { openServicesLab, type ServicesLab, type TestPod } from "./services.suite.ts"

const skip = process.getuid?.() === 0 ? false : "needs root"
if (skip !== false) console.log(`tests of NetworkPolicies skipped: ${skip}`)
else needPrograms("ip", "nft", "nsenter", "socat", "ss", "timeout", "unshare")

const reaches = async (from: TestPod, to: TestPod, port = 8080): Promise<boolean> =>
  (await call("tcp", to.address, port, from.peer)).startsWith(to.name)
const reaches6 = async (from: TestPod, to: TestPod): Promise<boolean> =>
  (await from.peer.run("sh", "-c", `timeout 1 socat -u TCP6:[${to.address6}]:8086,connect-timeout=0.5 -`)) !== ""

const many = (count: number, make: (index: number) => object): object[] =>
  Array.from({ length: count }, (_, index) => make(index))

describe.skipIf(skip !== false)("a NetworkPolicy", () => {
  let lab: ServicesLab
  let web: TestPod
  let db: TestPod
  let stranger: TestPod

  beforeAll(async () => {
    lab = await openServicesLab()
    lab.create("v1", "Namespace", "other", { metadata: { labels: { team: "blue" } } })
    web = await lab.pod("web", { app: "web" })
    db = await lab.pod("db", { app: "db" })
    stranger = await lab.pod("stranger", { app: "web" }, { namespace: "other" })
    for (const pod of [web, db, stranger]) {
      await pod.peer.serve("tcp", 8080, pod.name)
      await pod.peer.serve("tcp", 9090, pod.name)
      await pod.peer.serve("tcp", 8086, pod.name, "IPv6")
    }
  })
  afterAll(() => lab?.[Symbol.asyncDispose]())

  const policy = (name: string, spec: object) => lab.create("networking.k8s.io/v1", "NetworkPolicy", name, { spec })
  const remove = (...names: string[]) => {
    for (const name of names) lab.objects.delete("networkpolicies.networking.k8s.io", name, "default")
  }
  const soon = (look: () => Promise<boolean>, wanted: boolean) => lab.until(look, (found) => found === wanted)

  test("that allows nothing keeps everybody out of the pods that it selects, at once, but for this host", async () => {
    expect(await reaches(web, db)).toBe(true)
    policy("deny", { podSelector: { matchLabels: { app: "db" } } })
    await soon(() => reaches(web, db), false)
    // and no time-out is waited for
    const words = `socat -u TCP:${db.address}:8080,connect-timeout=5 - 2>&1 || true`
    expect(await web.peer.run("sh", "-c", words)).toContain("refused")
    expect(await reaches6(web, db)).toBe(false)
    expect(await reaches(db, web)).toBe(true)
    expect(await call("tcp", db.address, 8080)).toStartWith("db ")
    remove("deny")
    await soon(() => reaches(web, db), true)
    expect(await reaches6(web, db)).toBe(true)
  })

  test("lets in whom its selectors find, on the ports that it says, by number and by name", async () => {
    policy("allow", {
      podSelector: { matchLabels: { app: "db" } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: "http" }] }],
    })
    await soon(() => reaches(web, db, 9090), false)
    expect(await reaches(web, db)).toBe(true)
    // of the same label in another namespace
    expect(await reaches(stranger, db)).toBe(false)
    policy("blue", {
      podSelector: { matchLabels: { app: "db" } },
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { team: "blue" } } }],
          ports: [{ port: 9000, endPort: 9100 }],
        },
      ],
    })
    await soon(() => reaches(stranger, db, 9090), true)
    expect(await reaches(stranger, db)).toBe(false)
    expect(await reaches(web, db)).toBe(true)
  })

  test("is held for pods that come and change, without a rule more", async () => {
    const rules = () => lab.host.run("sh", "-c", "nft -a list ruleset | grep -c 'accept # handle'")
    const before = await rules()
    const late = await lab.pod("late", { app: "web" })
    await soon(() => reaches(late, db), true)
    expect(await reaches(late, db, 9090)).toBe(false)
    const object = lab.objects.get("pods", "late", "default")
    lab.objects.update("pods", { ...object, metadata: { ...object.metadata, labels: { app: "else" } } })
    await soon(() => reaches(late, db), false)
    expect(await rules()).toBe(before)
    // nobody is let through of whom nothing is known
    const nobody = await lab.host.peer()
    const { address } = await lab.host.networks.setup(lab.network, lab.host.endpoint(nobody, "feed"))
    expect(await call("tcp", web.address, 8080, nobody)).toBe("closed")
    expect(address).not.toBe("")
    remove("allow", "blue")
    await soon(() => reaches(stranger, db), true)
  })

  test("of egress bounds what a pod sends, also to this host; ranges have exceptions", async () => {
    const server = await lab.host.peer()
    await lab.host.run("ip", "link", "add", "out0", "type", "veth", "peer", "name", "out1", "netns", `${server.pid}`)
    await lab.host.run("sh", "-c", "ip addr add 198.51.100.1/24 dev out0; ip link set out0 up")
    await server.run(
      "sh",
      "-c",
      "ip addr add 198.51.100.2/24 dev out1; ip addr add 198.51.100.3/24 dev out1; ip link set out1 up",
    )
    await server.serve("tcp", 9000, "outside")
    const out = async (address: string) => (await call("tcp", address, 9000, web.peer)).startsWith("outside")
    expect(await out("198.51.100.2")).toBe(true)
    policy("out", {
      podSelector: { matchLabels: { app: "web" } },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "198.51.100.7/24", except: ["198.51.100.3/32"] } }] }],
    })
    await soon(() => out("198.51.100.3"), false)
    expect(await out("198.51.100.2")).toBe(true)
    expect(await reaches(web, db)).toBe(false)
    expect(await reaches(db, web)).toBe(true)
    expect(await reaches(web, web)).toBe(true)
    const listener = lab.host.run(
      "sh",
      "-c",
      `timeout 3 socat -u EXEC:'echo host' TCP-LISTEN:7777,bind=${lab.network.gateway}`,
    )
    expect(await call("tcp", lab.network.gateway, 7777, web.peer)).toBe("closed")
    await listener.catch(() => "")
    remove("out")
    await soon(() => out("198.51.100.3"), true)
  })

  test("of thousands of ranges and ports holds, and is no longer than it was written", async () => {
    policy("long", {
      podSelector: { matchLabels: { app: "db" } },
      ingress: [
        {
          from: [
            { ipBlock: { cidr: "10.244.0.0/16" } },
            ...many(1000, (index) => ({ ipBlock: { cidr: `192.0.${index >> 8}.${index & 255}/32` } })),
          ],
          ports: [
            { port: 8080 },
            { port: 8000, endPort: 8070 },
            { port: 8050, endPort: 8060 },
            ...many(2000, (index) => ({ port: 20_000 + index * 2 })),
          ],
        },
      ],
    })
    await soon(() => reaches(web, db, 9090), false)
    expect(await reaches(web, db)).toBe(true)
    remove("long")
    await soon(() => reaches(web, db, 9090), true)
  }, 30_000)

  test("that is none, by ports that are none, lets nobody through and takes no other with it", async () => {
    policy("broken", {
      podSelector: { matchLabels: { app: "web" } },
      ingress: [{ ports: [{ port: 80, endPort: 99_999 }, { port: 1.5 }] }],
    })
    policy("deny", { podSelector: { matchLabels: { app: "db" } } })
    await soon(() => reaches(web, db), false)
    expect(await reaches(db, web)).toBe(false)
    remove("broken", "deny")
    await soon(() => reaches(web, db), true)
  })

  test("that is none, by a range that is none, lets nobody through and takes no other with it", async () => {
    policy("broken", {
      podSelector: { matchLabels: { app: "db" } },
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8 } accept #" } }] }],
    })
    await soon(() => reaches(web, db), false)
    policy("whole", { podSelector: {}, ingress: [{}] })
    await soon(() => reaches(web, db), true)
    remove("broken", "whole")
  })
})
