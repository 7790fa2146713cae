/** `port --reach` and `port --check`: from where published ports are reached, and whether somebody answers. */
import { afterEach, describe, expect, test } from "bun:test"
import { networkInterfaces } from "node:os"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const port = 22_000 + Math.floor(Math.random() * 9_000)
const hostAddress = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry !== undefined && entry.family === "IPv4" && !entry.internal)?.address

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

const nft = (text: string) => Bun.spawnSync(["nft", "-f", "-"], { stdin: Buffer.from(text) })

interface Row {
  Container: string
  ContainerPort: string
  From: string
  Address: string
  State: string
  Reason: string
}
const rows = async (...args: string[]): Promise<{ code: number; rows: Row[] }> => {
  const { code, stdout, stderr } = await skiff.run(["port", ...args, "--json"])
  if (code > 1) throw new Error(stderr)
  return { code, rows: JSON.parse(stdout) as Row[] }
}
/** Serves at once, and says when: what is asked before that is closed. */
const serve = async (name: string, listen: string, ...flags: string[]) => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    name,
    ...flags,
    "busybox",
    "sh",
    "-c",
    `mkdir /www; exec httpd -f -p ${listen} -h /www`,
  )
  await eventually(() => skiff.ok("exec", name, "sh", "-c", "cat /proc/net/tcp /proc/net/tcp6 | grep :0050"))
}

describe("port --reach", () => {
  test("names the ways to each port", async () => {
    await serve("all", "80", "-p", `${port}:80`, "-p", `127.0.0.1:${port + 1}:81`)
    const { rows: all } = await rows("--reach", "all")
    const ways = (inside: string, from: string) =>
      all.filter((row) => row.ContainerPort === inside && row.From === from).map(({ Address }) => Address)
    expect(ways("80/tcp", "this host")).toContain(`127.0.0.1:${port}`)
    expect(ways("81/tcp", "this host")).toEqual([`127.0.0.1:${port + 1}`])
    expect(ways("81/tcp", "other hosts")).toEqual([])
    if (hostAddress !== undefined) expect(ways("80/tcp", "other hosts")).toContain(`${hostAddress}:${port}`)
    const { IPAddress } = (await skiff.inspect("all")).NetworkSettings
    expect(ways("80/tcp", "containers")).toContain(`${IPAddress}:80`)
    const table = await skiff.ok("port", "--reach", "all", "81")
    expect(table).toMatch(/^PORT +FROM +ADDRESS/)
    expect(table).not.toContain("80/tcp")
  })
})

describe("port --check", () => {
  test("finds what answers open", async () => {
    await serve("open", "80", "-p", `${port}:80`)
    const { code, rows: all } = await rows("--check", "open")
    expect(all.filter(({ Address, State }) => !Address.includes("[") && State !== "open")).toEqual([])
    expect(code).toBe(all.every(({ State }) => State === "open") ? 0 : 1)
  })

  test("says that nothing listens, or on the container's loopback alone", async () => {
    await serve("shy", "127.0.0.1:80", "-p", `${port}:80`, "-p", `${port + 1}:81`, "-p", `${port + 2}:82/udp`)
    const { code, rows: all } = await rows("--check", "shy")
    expect(code).toBe(1)
    const reasons = (inside: string) => [
      ...new Set(all.filter((row) => row.ContainerPort === inside).map((row) => `${row.State}: ${row.Reason}`)),
    ]
    expect(reasons("80/tcp")).toEqual(["closed: the service listens on the container's loopback alone"])
    expect(reasons("81/tcp")).toEqual(["closed: nothing listens on that port in the container"])
    expect(reasons("82/udp")).toEqual(["closed: nothing listens on that port in the container"])
  })

  testUnless(asRootOnly || (hostAddress === undefined && "this host has no address"))(
    "names the chain of the host's firewall that drops what comes from other hosts",
    async () => {
      await serve("walled", "80", "-p", `${port}:80`)
      nft(`table inet wall_${process.pid} { chain shut { type filter hook forward priority 0; tcp dport 80 drop; }; }`)
      try {
        const { rows: all } = await rows("--check", "walled", "80")
        const outside = all.find(({ From, Address }) => From === "other hosts" && Address.startsWith(`${hostAddress}:`))
        expect(outside).toMatchObject({
          State: "filtered",
          Reason: expect.stringContaining(`inet wall_${process.pid} shut`),
        })
        expect(all.find(({ Address }) => Address === `127.0.0.1:${port}`)).toMatchObject({ State: "open" })
      } finally {
        nft(`delete table inet wall_${process.pid}`)
      }
    },
  )
})
