/** Networks beside each other, and what is outside: who reaches whom, by every way that engines have left open. */
import { ten } from "../support/ranges.ts"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { NameServer, ownLoopback } from "../support/name-server.ts"
import { OUR_ADDRESS, OUTSIDE_ADDRESS, OutsideHost } from "../support/outside-host.ts"
import { needPrograms } from "../support/programs.ts"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

needPrograms("ip", "nsenter", "nft", "socat", "ss")
const skiff = openStore()
const asRoot = testUnless(asRootOnly)
const networks: string[] = []

async function network(name: string, ...flags: string[]): Promise<string> {
  await skiff.ok("network", "create", ...flags, name)
  networks.push(name)
  return name
}
/** A container that answers on port 80. */
const member = async (name: string, on: string, ...flags: string[]): Promise<void> => {
  const serve = "while :; do echo from-$HOSTNAME | nc -l -p 80; done"
  const named = ["--name", name, "--hostname", name, "--network", on]
  await skiff.ok("run", "-d", ...named, ...flags, "busybox", "sh", "-c", serve)
}
const endpoint = async (name: string, on: string) => {
  const found = (await skiff.inspect(name)).NetworkSettings.Networks[on]
  if (found === undefined) throw new Error(`${name} is not on ${on}`)
  return found
}
const sh = async (name: string, words: string): Promise<string> =>
  (await skiff.run(["exec", name, "sh", "-c", words])).stdout.trim()
const pings = async (name: string, address: string): Promise<boolean> =>
  (await sh(name, `ping -c1 -W1 ${address} > /dev/null 2>&1 && echo yes`)) === "yes"
/** Of a server that answers one at a time: asked again. */
const reads = async (name: string, address: string, port = 80): Promise<string> =>
  await sh(name, `for try in 1 2 3; do timeout 2 nc -w 1 ${address} ${port} < /dev/null && break; done 2>/dev/null`)

/** Of somebody who should not answer: asked three times at once, as between two answers nobody listens. */
const readsAny = async (name: string, address: string): Promise<string> =>
  await sh(name, `for try in 1 2 3; do timeout 2 nc -w 1 ${address} 80 < /dev/null & done 2>/dev/null; wait`)
/** Those of them that answer. */
const pinged = async (name: string, addresses: readonly string[]): Promise<string[]> => {
  const given = addresses.filter(Boolean)
  const answers = await Promise.all(given.map((address) => pings(name, address)))
  return given.filter((_, index) => answers[index])
}

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
  for (const name of networks.splice(0)) await skiff.ok("network", "rm", name)
})

describe("two networks", () => {
  test("do not reach each other by any address, nor the host by the other's gateway", async () => {
    const [one, two] = [await network("one"), await network("two")]
    await member("a", one)
    await member("near", one)
    await member("b", two)
    const [near, far] = [await endpoint("near", one), await endpoint("b", two)]
    await eventually(async () => (await reads("a", near.IPAddress)) === "from-near")
    expect(await readsAny("a", far.IPAddress)).toBe("")
    expect(await pinged("a", [far.IPAddress, far.Gateway, far.GlobalIPv6Address, far.IPv6Gateway])).toEqual([])
    expect(await pings("a", (await endpoint("a", one)).Gateway)).toBe(true)
    // the link's own address is of one link: b's, and that of the host on b's bridge
    const linkLocal = /inet6 (fe80:[0-9a-f:]+)/.exec(await sh("b", "ip -6 addr show dev eth0"))?.[1]
    if (linkLocal !== undefined) expect(await pings("a", `${linkLocal}%eth0`)).toBe(false)
  })

  test("are apart after the rules were flushed and any command looked", async () => {
    const [one, two] = [await network("one"), await network("two")]
    await member("a", one)
    await member("b", two)
    const { IPAddress } = await endpoint("b", two)
    await skiff.ok("network", "reload", "a", "b")
    expect(await readsAny("a", IPAddress)).toBe("")
  })

  test("published ports are reached from the other, at the host's address", async () => {
    const [one, two] = [await network("one"), await network("two")]
    const port = await freePort()
    await member("a", one)
    await member("b", two, "-p", `${port}:80`)
    const { Gateway } = await endpoint("a", one)
    await eventually(async () => (await reads("a", Gateway, port)) === "from-b")
  })
})

describe("a network with enable_icc=false", () => {
  test("keeps its members from each other, by IPv4, IPv6 and the link's own addresses", async () => {
    const shy = await network("shy", "-o", "com.docker.network.bridge.enable_icc=false")
    await member("a", shy, "--cap-add", "NET_ADMIN")
    await member("b", shy)
    const [own, other] = [await endpoint("a", shy), await endpoint("b", shy)]
    expect(await pings("a", own.Gateway)).toBe(true)
    expect(await readsAny("a", other.IPAddress)).toBe("")
    const linkLocal = /inet6 (fe80:[0-9a-f:]+)/.exec(await sh("b", "ip -6 addr show dev eth0"))?.[1]
    const ofOther = [other.IPAddress, other.GlobalIPv6Address, ...(linkLocal ? [`${linkLocal}%eth0`] : [])]
    expect(await pinged("a", ofOther)).toEqual([])
    // by way of the host neither
    await sh(
      "a",
      `ip route del ${other.IPAddress.replace(/\d+$/, "0")}/24 dev eth0; ip route add ${other.IPAddress} via ${own.Gateway}`,
    )
    expect(await readsAny("a", other.IPAddress)).toBe("")
  })
})

describe("an internal network", () => {
  const SERVER = ownLoopback(0)
  let names: NameServer
  beforeAll(async () => {
    names = await NameServer.open(SERVER, { "x.example.test": "192.0.2.7" })
  })
  afterAll(() => names?.[Symbol.asyncDispose]())

  test("has no way out, and no question for a name leaves it (CVE-2024-29018)", async () => {
    const inner = await network("inner", "--internal", "--dns", SERVER)
    await member("a", inner, "--cap-add", "NET_ADMIN", "--dns", SERVER)
    await member("b", inner)
    expect(await sh("a", "ip route | grep default; ip -6 route | grep default")).toBe("")
    const { Gateway, IPAddress } = await endpoint("b", inner)
    await eventually(async () => (await reads("a", IPAddress)) === "from-b")
    expect(await sh("a", "nslookup b")).toContain(IPAddress)
    for (const name of ["x.example.test", "secret.in.a.name.example.test"])
      expect(await sh("a", `nslookup ${name}; nslookup ${name} ${SERVER}; cat /etc/resolv.conf`)).not.toContain(
        "192.0.2",
      )
    expect(names.asked).toEqual([])
    await sh("a", `ip route add default via ${Gateway}`)
    expect(await pings("a", `${ten(99)}.0.2`)).toBe(false)
  })

  test("publishes no port, and says why", async () => {
    const inner = await network("inner", "--internal")
    const { code, stderr } = await skiff.run(["run", "--rm", "--network", inner, "-p", "80", "busybox", "true"])
    expect([code, stderr]).toEqual([125, expect.stringContaining("internal")])
  })
})

test("a network without IPv6 gives none (CVE-2024-32473)", async () => {
  const plain = await network("plain", "--ipv6=false")
  await member("a", plain)
  expect(await sh("a", "ip -6 -o addr show | grep -v ' lo '")).toBe("")
  expect(await sh("a", "ip -6 -o route show | grep -v ' lo '")).toBe("")
})

test("nothing of ours listens on an address that a container or the link reaches (CVE-2021-4024, CVE-2025-9074)", async () => {
  const one = await network("one")
  await member("a", one)
  await sh("a", "nslookup a")
  const ours = spawnSync("ss", ["-Hltunp"]).stdout.toString().split("\n")
  const open = ours.filter((line) => /"skiff/.test(line) && !/ 127\.0\.0\.1:\d+ /.test(line))
  expect(open).toEqual([])
})

describe("from outside", () => {
  let outside: OutsideHost
  beforeAll(() => void (outside = new OutsideHost()))
  afterAll(() => outside?.[Symbol.dispose]())

  test("a container's address is not reached by way of the host, published or not", async () => {
    const one = await network("one")
    const port = await freePort()
    await member("a", one, "-p", `${port}:80`)
    const { IPAddress, GlobalIPv6Address } = await endpoint("a", one)
    await eventually(async () => outside.reaches(OUR_ADDRESS, port))
    expect(outside.reaches(IPAddress, 80)).toBe(false)
    expect(outside.run(`ping -c1 -W1 ${IPAddress} > /dev/null && echo yes`)).toBe("")
    if (GlobalIPv6Address !== "")
      expect(outside.run(`ping -c1 -W1 ${GlobalIPv6Address} > /dev/null && echo yes`)).toBe("")
  })

  test("what is published on 127.0.0.1 is not reached, rules or none (CVE-2020-8558, CVE-2025-54388)", async () => {
    const one = await network("one")
    const port = await freePort()
    await member("a", one, "-p", `127.0.0.1:${port}:80`)
    const local = () =>
      spawnSync("timeout", ["3", "socat", "-u", "OPEN:/dev/null", `TCP:127.0.0.1:${port},connect-timeout=1`]).status
    await eventually(() => Promise.resolve(local() === 0))
    outside.run(`ip route add 127.0.0.1/32 via ${OUR_ADDRESS} table 5; ip rule add to 127.0.0.1 table 5 pref 0`)
    outside.run("ip rule del pref 0 from all lookup local; ip rule add pref 10 from all lookup local")
    const isReached = () => outside.reaches("127.0.0.1", port) || outside.reaches(OUR_ADDRESS, port)
    expect(isReached()).toBe(false)
    if (!user.rootless) spawnSync("nft", ["flush", "ruleset"])
    expect(isReached()).toBe(false)
    await skiff.ok("ps")
    expect([isReached(), local()]).toEqual([false, 0])
  })

  test("a caller is seen with his own address, never as 127.0.0.1 (CVE-2021-20199)", async () => {
    const one = await network("one")
    const port = await freePort()
    const serve = "while :; do nc -l -p 80 -e sh -c 'netstat -tn | grep :80'; sleep 1; done"
    await skiff.ok("run", "-d", "--name", "a", "--network", one, "-p", `${port}:80`, "busybox", "sh", "-c", serve)
    await eventually(async () => {
      outside.run(
        `(sleep 2) | timeout 3 socat - TCP:${OUR_ADDRESS}:${port},connect-timeout=1 > /tmp/skt-seen-${process.pid}`,
      )
      const seen = outside.run(`cat /tmp/skt-seen-${process.pid}; rm -f /tmp/skt-seen-${process.pid}`)
      expect(seen).toContain(OUTSIDE_ADDRESS)
      expect(seen).not.toContain("127.0.0.1")
      return true
    })
  })

  asRoot("nothing is heard of a confined container, not even as a message for neighbours on its link", async () => {
    const one = await network("one", "--ipv6", "--subnet", "2001:db8:88::/64")
    await member("confined", one, "--allow-net", "198.51.100.0/24:443/tcp")
    await member("free", one)
    const file = `/tmp/skt-heard-${process.pid}`
    outside.run(`timeout 20 socat -u IP6-RECV:58 - > ${file} 2>&1 & until grep -q :003A /proc/net/raw6; do :; done`)
    const send = async (name: string, type: number, words: string): Promise<void> => {
      const { Pid } = (await skiff.inspect(name)).State
      const last = (await endpoint(name, one)).GlobalIPv6Address.replace("2001:db8:88::", "").padStart(4, "0")
      // an advertisement may have an own address alone as its target
      const target = `20010db80088${"0".repeat(16)}${last}`
      const message = Buffer.from(`${type.toString(16)}${"0".repeat(14)}${target}`, "hex")
      const socat = ["socat", "-u", "-", "IP6-SENDTO:[2001:db8:77::2]:58"]
      const sent = spawnSync("nsenter", [`--net=/proc/${Pid}/ns/net`, ...socat], {
        input: Buffer.concat([message, Buffer.from(words)]),
      })
      expect([sent.status, sent.stderr.toString()]).toEqual([0, ""])
    }
    for (const type of [128, 130, 131, 132, 133, 134, 135, 136, 137, 143]) await send("confined", type, "secret")
    await eventually(async () => {
      await send("free", 128, "allowed")
      return outside.run(`cat ${file}`).includes("allowed")
    })
    expect(outside.run(`cat ${file}; rm -f ${file}`)).not.toContain("secret")
  })

  asRoot("a rule of the host on forwarded packets closes a published port (moby#22054)", async () => {
    const one = await network("one")
    const port = await freePort()
    await member("a", one, "-p", `${port}:80`)
    await eventually(async () => outside.reaches(OUR_ADDRESS, port))
    spawnSync("nft", ["add", "table", "inet", "skt_mine"])
    try {
      spawnSync("nft", ["add", "chain", "inet", "skt_mine", "forward", "{ type filter hook forward priority 0; }"])
      const match = ["meta", "l4proto", "tcp", "ct", "original", "proto-dst", `${port}`, "drop"]
      expect(spawnSync("nft", ["add", "rule", "inet", "skt_mine", "forward", ...match]).status).toBe(0)
      expect(outside.reaches(OUR_ADDRESS, port)).toBe(false)
    } finally {
      spawnSync("nft", ["delete", "table", "inet", "skt_mine"])
    }
    expect(outside.reaches(OUR_ADDRESS, port)).toBe(true)
  })
})

const ROUTES = "ip -6 route; ip -6 addr show dev eth0 | grep inet6"

describe("a container with every right on its own network", () => {
  test("cannot make itself its neighbours' IPv6 router (CVE-2020-10749, CVE-2020-13401)", async () => {
    const one = await network("one")
    await member("victim", one)
    await member("forger", one, "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW")
    const before = await sh("victim", ROUTES)
    const { State } = await skiff.inspect("forger")
    // a router advertisement (RFC 4861, section 4.2): hop limit, life of 1800 s, a prefix to make addresses of
    const prefix =
      "\\x03\\x04\\x40\\xc0\\x00\\x00\\x0e\\x10\\x00\\x00\\x0e\\x10\\x00\\x00\\x00\\x00\\x20\\x01\\x0d\\xb8\\xba\\xd0" +
      "\\x00".repeat(10)
    const advertisement = `\\x86\\x00\\x00\\x00\\x40\\x00\\x07\\x08${"\\x00".repeat(8)}${prefix}`
    const send = `printf '${advertisement}' | socat -u - 'IP6-SENDTO:[ff02::1%eth0]:58,setsockopt-int=41:18:255'`
    const sent = spawnSync("nsenter", [`--net=/proc/${State.Pid}/ns/net`, "bash", "-c", send])
    expect([sent.status, sent.stderr.toString()]).toEqual([0, ""])
    // what is sent later has come
    expect(await pings("forger", (await endpoint("victim", one)).IPAddress)).toBe(true)
    expect(await sh("victim", ROUTES)).toBe(before)
    expect(spawnSync("ip", ["-6", "addr"]).stdout.toString()).not.toContain("2001:db8:bad0")
  })
})
