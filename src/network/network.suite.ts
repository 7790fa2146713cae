/** What every driver of networks does, whatever it makes its interfaces of. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { closeSync } from "node:fs"
import { openNetns } from "../sys/net/netns.ts"
import { contains, formatIpv4, parseIpv4, parseIpv4Range } from "./ipv4.ts"
import { kernelHasIpv6 } from "../sys/net/has-ipv6.ts"
import { formatIpv6, parseIpv6Range } from "./ipv6.ts"
import type { Endpoint, EndpointStatus, Network, Networks } from "./network.ts"
import type { Peer } from "./test-host.ts"

export interface NetworkHost extends AsyncDisposable {
  networks: Networks
  /** Two networks of the driver. */
  first: Network
  second: Network
  /** A network namespace that a process holds. */
  peer(): Promise<Peer>
  /** A caller on the host: what a server at this address says; "closed". */
  call(protocol: "tcp" | "udp", address: string, port: number): Promise<string>
}

/** An id that begins with `text`. */
const id = (text: string): string => text.padEnd(64, "0")

const endpoint = (peer: Peer, text: string, extra: Partial<Endpoint> = {}): Endpoint => ({
  containerId: id(text),
  netns: `/proc/${peer.pid}/ns/net`,
  holder: peer.pid,
  hostname: text,
  ports: [],
  ...extra,
})

export function networkSuite(name: string, open: () => Promise<NetworkHost>, options: { skip: string | false }): void {
  if (options.skip !== false) console.log(`network suite of ${name} skipped: ${options.skip}`)

  describe.skipIf(options.skip !== false)(`network contract: ${name}`, () => {
    let host: NetworkHost
    beforeAll(async () => void (host = await open()))
    afterAll(async () => await host?.[Symbol.asyncDispose]())

    test("setup() gives each endpoint an address of the network's range, and no other's", async () => {
      const [one, other] = [await host.peer(), await host.peer()]
      const statuses = [
        await host.networks.setup(host.first, endpoint(one, "a1")),
        await host.networks.setup(host.first, endpoint(other, "a2")),
      ]
      const addresses = statuses.map(({ address }) => address)
      expect(new Set([...addresses, host.first.gateway]).size).toBe(3)
      for (const address of addresses)
        expect(contains(parseIpv4Range(host.first.subnet), parseIpv4(address))).toBe(true)
      expect(await one.run("ip", "-4", "-o", "addr", "show", "dev", "eth0")).toContain(` ${addresses[0]}/`)
      for (const text of ["a1", "a2"]) await host.networks.teardown(host.first, id(text), undefined)
    })

    test.skipIf(!kernelHasIpv6())(
      "setup() gives each endpoint the IPv6 address with the same number, and neighbours reach it",
      async () => {
        const [one, other] = [await host.peer(), await host.peer()]
        const first = await host.networks.setup(host.first, endpoint(one, "a4"))
        const { address6 = "" } = await host.networks.setup(host.first, endpoint(other, "a5"))
        const range = parseIpv6Range(first.gateway6 === undefined ? "::/128" : (host.first.subnet6 ?? "::/128"))
        const number = parseIpv4(first.address) - parseIpv4Range(host.first.subnet).address
        expect(first).toMatchObject({
          address6: formatIpv6(range.address + BigInt(number)),
          prefixLength6: range.prefixLength,
          gateway6: host.first.gateway6,
        })
        expect(await one.run("ip", "-6", "-o", "addr", "show", "dev", "eth0")).toContain(` ${first.address6}/`)
        expect(await one.run("ping", "-c1", "-W2", address6)).toContain("1 received")
        expect(await one.run("ping", "-c1", "-W2", host.first.gateway6 ?? "")).toContain("1 received")
        for (const text of ["a4", "a5"]) await host.networks.teardown(host.first, id(text), undefined)
      },
    )

    test("setup(), cancelled, has made nothing", async () => {
      const peer = await host.peer()
      const signal = AbortSignal.abort()
      const cancelled = host.networks.setup(host.first, endpoint(peer, "a3"), { signal })
      await expect(cancelled).rejects.toMatchObject({ code: "Cancelled" })
      expect(await peer.run("ip", "-br", "link")).not.toContain("eth0")
      await host.networks.setup(host.first, endpoint(peer, "a3"))
      await host.networks.teardown(host.first, id("a3"), undefined)
    })

    test("an endpoint leaves a living namespace: interface, address, and the route that another one takes over", async () => {
      const peer = await host.peer()
      const netns = `/proc/${peer.pid}/ns/net`
      const first = await host.networks.setup(host.first, endpoint(peer, "e1"))
      await host.networks.setup(host.second, endpoint(peer, "e1", { interface: "eth1", defaultRoute: false }))
      const second = { containerId: id("e1"), netns, interface: "eth1" }
      for (let time = 0; time < 2; time++) await host.networks.routeBy(host.second, second)
      expect((await peer.run("ip", "-4", "route")).match(/^default .*$/gm)).toEqual([expect.stringContaining("eth1")])
      const live = { containerId: id("e1"), netns, interface: "eth0" }
      for (let time = 0; time < 2; time++) await host.networks.leave(host.first, live, first)
      const links = await peer.run("ip", "-br", "link")
      expect(links).not.toContain("eth0")
      expect(links).toContain("eth1")
      const other = await host.peer()
      const again = await host.networks.setup(host.first, endpoint(other, "e2", { address: first.address }))
      expect(again.address).toBe(first.address)
      await host.networks.teardown(host.second, id("e1"), undefined)
      await host.networks.teardown(host.first, id("e2"), undefined)
    })

    test("a leased address is given to its owner alone, and a preferred one where it is free", async () => {
      const [one, other] = [await host.peer(), await host.peer()]
      const live = { containerId: id("e4"), netns: `/proc/${other.pid}/ns/net`, interface: "eth0" }
      const { address } = await host.networks.setup(host.first, endpoint(one, "e3"))
      await host.networks.teardown(host.first, id("e3"), undefined)
      for (let time = 0; time < 2; time++) host.networks.lease(host.first, { containerId: id("e3"), address })
      expect(() => host.networks.lease(host.first, { containerId: id("e4"), address })).toThrow("in use")
      await expect(host.networks.setup(host.first, endpoint(other, "e4", { address }))).rejects.toMatchObject({
        code: "AlreadyExists",
      })
      const next = await host.networks.setup(host.first, endpoint(other, "e4", { preferredAddress: address }))
      expect(next.address).not.toBe(address)
      await host.networks.leave(host.first, live, undefined)
      for (let time = 0; time < 2; time++) host.networks.release(id("e3"))
      const had = await host.networks.setup(host.first, endpoint(other, "e4", { preferredAddress: address }))
      expect(had.address).toBe(address)
      await host.networks.leave(host.first, live, undefined)
      for (const bad of [host.first.gateway, "192.0.2.1"])
        expect(() => host.networks.lease(host.first, { containerId: id("e3"), address: bad })).toThrow(
          "cannot be given",
        )
    })

    test("ports move to another endpoint of the same namespace, and are led there", async () => {
      const peer = await host.peer()
      await peer.serve("tcp", 7700, "moved")
      const port = { protocol: "tcp", containerPort: 7700, hostPort: 0 } as const
      const { ports } = await host.networks.setup(host.first, endpoint(peer, "e5", { ports: [port] }))
      const [published] = ports
      await host.networks.setup(host.second, endpoint(peer, "e5", { interface: "eth1", defaultRoute: false }))
      const netns = `/proc/${peer.pid}/ns/net`
      await host.networks.routeBy(host.second, { containerId: id("e5"), netns, interface: "eth1" })
      for (let time = 0; time < 2; time++)
        expect(await host.networks.movePorts(host.first, host.second, id("e5"))).toEqual(ports)
      await host.networks.leave(host.first, { containerId: id("e5"), netns, interface: "eth0" }, undefined)
      expect(await host.call("tcp", "127.0.0.1", published?.hostPort ?? 0)).toStartWith("moved")
      await host.networks.teardown(host.second, id("e5"), undefined)
      expect(await host.call("tcp", "127.0.0.1", published?.hostPort ?? 0)).toBe("closed")
    })

    test("a namespace may be on several networks, and its uplink leads through the first", async () => {
      const peer = await host.peer()
      const first = await host.networks.setup(host.first, endpoint(peer, "b1"))
      const second = await host.networks.setup(
        host.second,
        endpoint(peer, "b1", { interface: "eth1", defaultRoute: false }),
      )
      expect([first.interface, second.interface]).toEqual(["eth0", "eth1"])
      expect(second).toMatchObject({ network: host.second.name, gateway: host.second.gateway })
      const routes = await peer.run("ip", "-4", "route")
      expect(routes.match(/^default .*$/gm)).toEqual([expect.stringContaining("dev eth0")])
      expect(routes).toContain(`${host.second.subnet} dev eth1`)

      await host.networks.teardown(host.second, id("b1"), second)
      // the first is still the container's: nobody else may have its address
      const other = await host.peer()
      const taken = host.networks.setup(host.first, endpoint(other, "b2", { address: first.address }))
      await expect(taken).rejects.toMatchObject({ code: "AlreadyExists" })
      await host.networks.teardown(host.first, id("b1"), first)
    })

    test("a namespace that no process lives in is set up by its descriptor, and found dead when it is gone", async () => {
      const peer = await host.peer()
      const netns = openNetns(`/proc/${peer.pid}/ns/net`)
      peer[Symbol.dispose]()
      const held: Endpoint = { containerId: id("c1"), netns, hostname: "c1", ports: [] }
      let status: EndpointStatus
      try {
        status = await host.networks.setup(host.first, held)
        await host.networks.sweep(new Set())
        const taken = host.networks.setup(host.first, endpoint(await host.peer(), "c2", { address: status.address }))
        await expect(taken).rejects.toMatchObject({ code: "AlreadyExists" })
      } finally {
        closeSync(netns)
      }
      const next = await host.peer()
      for (let tries = 0; ; tries++)
        try {
          const again = await host.networks.setup(host.first, endpoint(next, "c3", { address: status.address }))
          expect(again.address).toBe(status.address)
          break
        } catch (error) {
          // the kernel ends a namespace when it finds time
          if (tries > 200 || (error as { code?: unknown }).code !== "AlreadyExists") throw error
          await Bun.sleep(20)
        }
      await host.networks.teardown(host.first, id("c3"), undefined)
    })

    test("a published port leads to the endpoint, is refused to others by name, and is closed by teardown()", async () => {
      const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8480 }] as const
      const peer = await host.peer()
      const status = await host.networks.setup(host.first, endpoint(peer, "d1", { ports }))
      expect(status.ports).toEqual([...ports])
      await peer.serve("tcp", 80, "d1")
      expect(await host.call("tcp", "127.0.0.1", 8480)).toStartWith("d1")
      const other = await host.peer()
      await expect(host.networks.setup(host.first, endpoint(other, "d2", { ports }))).rejects.toMatchObject({
        code: "AlreadyExists",
        data: { takenBy: id("d1") },
      })
      // what was refused has left nothing: the same namespace can be set up without the port
      await host.networks.setup(host.first, endpoint(other, "d2"))
      await host.networks.teardown(host.first, id("d1"), status)
      expect(await host.call("tcp", "127.0.0.1", 8480)).toBe("closed")
      await host.networks.teardown(host.first, id("d2"), undefined)
    })

    test("containers at the same place of two networks publish beside each other", async () => {
      const published = async (network: Network, text: string, hostPort: number): Promise<void> => {
        const peer = await host.peer()
        const range = parseIpv4Range(network.subnet)
        const ports = [{ protocol: "tcp", containerPort: 80, hostPort }] as const
        await host.networks.setup(network, endpoint(peer, text, { ports, address: formatIpv4(range.address + 77) }))
        await peer.serve("tcp", 80, text)
      }
      await published(host.first, "h1", 8482)
      await published(host.second, "h2", 8483)
      expect(await host.call("tcp", "127.0.0.1", 8482)).toStartWith("h1")
      expect(await host.call("tcp", "127.0.0.1", 8483)).toStartWith("h2")
      await host.networks.teardown(host.first, id("h1"), undefined)
      expect(await host.call("tcp", "127.0.0.1", 8483)).toStartWith("h2")
      await host.networks.teardown(host.second, id("h2"), undefined)
    })

    test("setup() again for the same container takes back what a killed one made", async () => {
      const [killed, peer] = [await host.peer(), await host.peer()]
      const ports = [{ protocol: "tcp", containerPort: 80, hostPort: 8481 }] as const
      await host.networks.setup(host.first, endpoint(killed, "e1", { ports }))
      await host.networks.setup(host.first, endpoint(peer, "e1", { ports }))
      await peer.serve("tcp", 80, "e1")
      expect(await host.call("tcp", "127.0.0.1", 8481)).toStartWith("e1")
      await host.networks.teardown(host.first, id("e1"), undefined)
    })

    test("setup() refuses a namespace that is gone, and our own", async () => {
      const gone = await host.peer()
      const netns = `/proc/${gone.pid}/ns/net`
      gone[Symbol.dispose]()
      while (await Bun.file(`/proc/${gone.pid}/stat`).exists()) await Bun.sleep(5)
      for (const path of [netns, "/proc/self/ns/net"])
        await expect(
          host.networks.setup(host.first, { containerId: id("f1"), netns: path, hostname: "f1", ports: [] }),
        ).rejects.toMatchObject({ code: "FailedPrecondition" })
    })

    test("teardown() may be repeated, and does nothing for what it does not know", async () => {
      const peer = await host.peer()
      await host.networks.setup(host.first, endpoint(peer, "g1"))
      for (let times = 0; times < 2; times++) await host.networks.teardown(host.first, id("g1"), undefined)
      await host.networks.teardown(host.first, id("g2"), undefined)
    })
  })
}
