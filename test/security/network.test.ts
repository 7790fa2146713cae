/** What a container may do to its neighbours and to the host's network, and others to its ports. */
import { afterEach, describe, expect, test } from "bun:test"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()
afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})
const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "300")
const address = async (name: string) => (await skiff.inspect(name)).NetworkSettings.IPAddress as string

describe("a container with the rights to forge packets", () => {
  const rights = ["--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]

  test("is heard with its own address, and not with another's", async () => {
    await sleeper("victim")
    await sleeper("forger", ...rights)
    const target = await address("victim")
    const heard = (from = "") =>
      skiff.ok("exec", "forger", "sh", "-c", `ping -c1 -W2 ${from} ${target} >/dev/null; echo $?`)
    await eventually(async () => (await heard()) === "0")
    // one of the same range that nobody has
    const forged = target.replace(/\d+$/, (last) => String((Number(last) + 100) % 250))
    await skiff.ok("exec", "forger", "ip", "address", "add", `${forged}/16`, "dev", "eth0")
    expect(await heard(`-I ${forged}`)).toBe("1")
    await skiff.ok("exec", "forger", "ip", "link", "set", "eth0", "down")
    await skiff.ok("exec", "forger", "ip", "link", "set", "eth0", "address", "02:42:00:00:00:63")
    await skiff.ok("exec", "forger", "ip", "link", "set", "eth0", "up")
    expect(await heard()).toBe("1")
  })

  test("cannot take the gateway's address from its neighbours", async () => {
    await sleeper("victim", "--cap-add", "NET_ADMIN")
    const gateway = (await skiff.inspect("victim")).NetworkSettings.Gateway as string
    const hardware = async (): Promise<string> =>
      await skiff.ok("exec", "victim", "sh", "-c", `ping -c1 -W2 ${gateway} >/dev/null; ip neigh show ${gateway}`)
    const before = /lladdr (\S+)/.exec(await hardware())?.[1]
    expect(before).toBeDefined()
    await sleeper("forger", ...rights)
    await skiff.ok("exec", "forger", "ip", "address", "add", `${gateway}/16`, "dev", "eth0")
    // it answers for the gateway from now on, and says so aloud
    await skiff.run(["exec", "forger", "arping", "-c3", "-U", "-I", "eth0", gateway])
    await skiff.ok("exec", "victim", "ip", "neigh", "flush", "dev", "eth0")
    expect(/lladdr (\S+)/.exec(await hardware())?.[1]).toBe(before)
  })
})

const asRoot = testUnless(user.rootless && "an ordinary user's rules are in a namespace of his own")
asRoot(
  "a host's program cannot take a published port while the rules are flushed, and the port comes back",
  async () => {
    const port = await freePort()
    await sleeper("published", "-p", `127.0.0.1:${port}:80`)
    const option = '{{index .Options "com.docker.network.bridge.name"}}'
    const bridge = await skiff.ok("network", "inspect", "bridge", "--format", option)
    const table = bridge === "skiff0" ? "skiff" : `skiff_${bridge.slice(2, -1)}`
    const isThere = () => Bun.spawnSync(["nft", "list", "table", "inet", table]).success
    for (const family of ["inet", "bridge"]) Bun.spawnSync(["nft", "delete", "table", family, table])
    expect(isThere()).toBe(false)
    expect(() => Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } })).toThrow()
    await skiff.ok("ps")
    expect(isThere()).toBe(true)
    expect(Bun.spawnSync(["nft", "list", "table", "bridge", table]).success).toBe(true)
  },
)
