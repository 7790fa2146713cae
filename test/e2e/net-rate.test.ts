/** How fast a container may send and receive, and what its network refuses it. */
import { beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { asRootOnly, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const run = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000")
const address = async (name: string) => (await skiff.inspect(name)).NetworkSettings.IPAddress
/** A listener that keeps its own side open, for busybox' nc ends with its input. */
const listen = (name: string, port: number) =>
  skiff.ok("exec", "-d", name, "sh", "-c", `sleep 100 | nc -l -p ${port} > /dev/null`)
const reaches = async (name: string, host: string, port: number) =>
  (await skiff.run(["exec", name, "sh", "-c", `timeout 2 nc -w 1 ${host} ${port} < /dev/null`])).stderr === ""

/** Without those that the kernel's module makes by itself. */
const queues = () =>
  spawnSync("ip", ["-o", "link", "show", "type", "ifb"])
    .stdout.toString()
    .replaceAll(/^\d+: ifb\d+: .*\n/gm, "")

describe("--net-rate", () => {
  let port = 9000

  beforeAll(async () => {
    await run("peer")
    await run("limited", "--net-rate", "10mbit")
  })

  /** Megabits a second that arrive at `to`, by its kernel's counter, once the sending is under way. */
  async function rate(from: string, to: string): Promise<number> {
    port++
    const host = await address(to)
    await listen(to, port)
    const send = `until dd if=/dev/zero bs=64k count=3000 2>/dev/null | nc ${host} ${port}; do sleep 0.1; done`
    await skiff.ok("exec", "-d", from, "sh", "-c", send)
    const counter = "/sys/class/net/eth0/statistics/rx_bytes"
    const read = `cut -d' ' -f1 /proc/uptime; cat ${counter}`
    await eventually(async () => Number(await skiff.ok("exec", to, "cat", counter)) > 500_000)
    const text = await skiff.ok("exec", to, "sh", "-c", `sleep 1; ${read}; sleep 2; ${read}`)
    const [start = 0, before = 0, end = 0, after = 0] = text.split("\n").map(Number)
    await skiff.run(["exec", from, "killall", "-9", "sh", "dd", "nc"])
    await skiff.run(["exec", to, "killall", "-9", "nc"])
    return ((after - before) * 8) / (end - start) / 1e6
  }

  test("holds in each direction", async () => {
    for (const [from, to] of [
      ["limited", "peer"],
      ["peer", "limited"],
    ] as const) {
      const megabits = await rate(from, to)
      expect(megabits).toBeGreaterThan(9)
      expect(megabits).toBeLessThan(10.5)
    }
    expect((await skiff.inspect("limited")).HostConfig.NetworkRate).toEqual({
      receiveBitsPerSecond: 10_000_000,
      sendBitsPerSecond: 10_000_000,
    })
  }, 60_000)

  test("differs by direction, and changes while the container runs", async () => {
    await skiff.ok("update", "--net-rate", "in=20mbit,out=5mbit", "limited")
    const [sent, received] = [await rate("limited", "peer"), await rate("peer", "limited")]
    expect(sent).toBeGreaterThan(4.5)
    expect(sent).toBeLessThan(5.25)
    expect(received).toBeGreaterThan(18)
    expect(received).toBeLessThan(21)
  }, 60_000)

  testUnless(asRootOnly)("is the host's: CAP_NET_ADMIN in the container does not lift it", async () => {
    await run("admin", "--net-rate", "10mbit", "--cap-add", "NET_ADMIN")
    await skiff.run(["exec", "admin", "sh", "-c", "tc qdisc del dev eth0 root; ip link set eth0 txqueuelen 10000"])
    expect(
      spawnSync("tc", ["qdisc"])
        .stdout.toString()
        .match(/tbf .*rate 10Mbit/g)?.length,
    ).toBeGreaterThanOrEqual(2)
    await skiff.ok("rm", "-f", "admin")
  })

  testUnless(asRootOnly)("leaves no interface when the container ends", async () => {
    const before = queues()
    await skiff.ok("run", "--rm", "--net-rate", "10mbit", "busybox", "true")
    expect(queues()).toBe(before)
    await skiff.ok("update", "--net-rate", "0", "limited")
    expect(queues()).toBe("")
  })
})

describe("--net-refuse", () => {
  beforeAll(async () => {
    await run("server")
    for (const port of [7000, 7001]) await listen("server", port)
  })

  test("refuses ports and addresses, and leaves the rest", async () => {
    const host = await address("server")
    await run("some", "--net-refuse", "7000/tcp")
    await run("none", "--net-refuse", host)
    await eventually(() => reaches("some", host, 7001))
    expect(await reaches("some", host, 7000)).toBe(false)
    for (const port of [7000, 7001]) expect(await reaches("none", host, port)).toBe(false)
    expect((await skiff.run(["exec", "none", "ping", "-c", "1", "-W", "1", host])).code).toBe(1)
    expect((await skiff.run(["exec", "some", "ping", "-c", "1", "-W", "1", host])).code).toBe(0)
    expect((await skiff.inspect("some")).HostConfig.NetworkRefuse).toEqual(["0.0.0.0/0:7000-7000/tcp"])
    await skiff.ok("rm", "-f", "some", "none")
  })

  test("of a container that is gone refuses its address's next owner nothing", async () => {
    const host = await address("server")
    await run("first", "--net-refuse", "all")
    const own = await address("first")
    expect((await skiff.run(["exec", "first", "ping", "-c", "1", "-W", "1", host])).code).toBe(1)
    await skiff.ok("rm", "-f", "first")
    await run("second", "--ip", own)
    expect((await skiff.run(["exec", "second", "ping", "-c", "1", "-W", "1", host])).code).toBe(0)
    await skiff.ok("rm", "-f", "second")
  })

  testUnless(asRootOnly)("is back after the rules were flushed", async () => {
    const host = await address("server")
    await run("flushed", "--net-refuse", host)
    spawnSync("nft", ["flush", "ruleset"])
    await skiff.ok("ps")
    expect((await skiff.run(["exec", "flushed", "ping", "-c", "1", "-W", "1", host])).code).toBe(1)
    await skiff.ok("rm", "-f", "flushed")
  })

  testUnless(asRootOnly)("refuses a card of the host, of two that are there", async () => {
    const cards = ["skt-one", "skt-two"]
    try {
      for (const [index, card] of cards.entries()) {
        const far = `far-${card}`
        const script = [
          `ip netns add ${far}; ip link add ${card} type veth peer name eth0 netns ${far}`,
          `ip addr add 203.0.113.${index * 64 + 1}/26 dev ${card}; ip link set ${card} up`,
          `ip -n ${far} addr add 203.0.113.${index * 64 + 2}/26 dev eth0; ip -n ${far} link set eth0 up`,
          `ip -n ${far} route add default via 203.0.113.${index * 64 + 1}`,
        ].join("\n")
        const made = spawnSync("sh", ["-ec", script])
        expect([made.status, made.stderr.toString()]).toEqual([0, ""])
      }
      await run("denied", "--net-refuse", "skt-two")
      const ping = (host: string) => skiff.run(["exec", "denied", "ping", "-c", "1", "-W", "1", host])
      expect((await ping("203.0.113.2")).code).toBe(0)
      expect((await ping("203.0.113.66")).code).toBe(1)
      await skiff.ok("rm", "-f", "denied")
    } finally {
      for (const card of cards) spawnSync("sh", ["-c", `ip link del ${card}; ip netns del far-${card}`])
    }
  })

  testUnless(rootlessOnly)("refuses no card to an ordinary user's, and says why", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "--net-refuse", "wlan0", "busybox", "true"])
    expect([code, stderr]).toEqual([125, expect.stringContaining("pasta carries")])
  })
})

test("nonsense, and a network that is not the container's own, are refused", async () => {
  for (const flags of [
    ["--net-rate", "fast"],
    ["--net-rate", "10mb"],
    ["--net-rate", "up=1mbit"],
    ["--net-rate", "10mbit", "--network", "host"],
    ["--net-refuse", "25", "--network", "none"],
    ["--net-refuse", "10.0.0.0/40"],
    ["--net-refuse", "10.0.0.0/8", "--net-refuse", "10.1.0.0/16"],
    ["--net-refuse", 'x" }; flush ruleset; {'],
  ]) {
    const { code, stderr } = await skiff.run(["run", "--rm", ...flags, "busybox", "true"])
    expect({ flags, code, ours: stderr.startsWith("skiff: ") }).toEqual({ flags, code: 125, ours: true })
  }
})
