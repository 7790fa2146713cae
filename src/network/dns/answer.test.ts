import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../../base/database.ts"
import { parseIpv4Range } from "../ipv4.ts"
import { insertNetwork } from "../network-records.ts"
import type { Network } from "../network.ts"
import { EndpointRecords } from "../records.ts"
import { networkSchema } from "../schema.ts"
import { addressText, answer, ELSEWHERE, type Answer } from "./answer.ts"
import { parseQuery, RecordType, ResponseCode } from "./message.ts"
import { readName, writeName } from "./name.ts"
import type { NameSource } from "./name-source.ts"
import { Zones } from "./zones.ts"

/** The records of a store, and one who reads them as the resolver does: by a connection of its own. */
class Store implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "skiff-zones-"))
  readonly db = new Database(join(this.#directory, "skiff.db"))
  readonly records = new EndpointRecords(this.db)
  readonly #reader = new Database(join(this.#directory, "skiff.db"))
  readonly zones = new Zones(this.#reader)

  constructor() {
    this.db.migrate([networkSchema])
  }

  network(name: string, subnet: string, more: Partial<Network> = {}): Network {
    const range = parseIpv4Range(subnet)
    return this.db.transaction(() => insertNetwork(this.db, { name, bridge: `br-${name}`, range, ...more }))
  }

  join(network: Network, containerId: string, names: readonly string[], address6 = ""): void {
    this.db.transaction(() => this.records.add(network, { containerId, hostInterface: `v${containerId}`, names }))
    this.db.run("UPDATE network_endpoints SET address6 = ? WHERE container_id = ?", address6, containerId)
  }

  publish(network: Network, containerId: string, port: number): void {
    const endpoint = this.records.get(containerId, network.id)
    if (endpoint === undefined) throw new Error("no endpoint")
    const { address } = endpoint
    const place = {
      protocol: "tcp" as const,
      hostPort: 1000 + (address % 1000),
      hostAddress: "",
      address6: "",
      containerPort: port,
      innerPort: port,
      address,
    }
    this.records.addPort(endpoint, place)
  }

  /** What the container at `from` is answered; undefined: it is nobody of ours. */
  ask(
    from: string,
    name: string,
    type: number = RecordType.a,
    source?: NameSource,
  ): Answer | typeof ELSEWHERE | undefined {
    const query = parseQuery(new Uint8Array([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...writeName(name), 0, type, 0, 1]))
    const asker = this.zones.asker(from)
    return query === undefined || asker === undefined ? undefined : answer(query, asker, this.zones, source)
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
    this.db[Symbol.dispose]()
    rmSync(this.#directory, { recursive: true })
  }
}

const NO_SUCH_NAME = { code: ResponseCode.noSuchName }
const NO_DATA = { code: ResponseCode.success }

/** The addresses of an answer, in order. */
function addresses(given: ReturnType<Store["ask"]>): string[] {
  if (given === undefined || given === ELSEWHERE) throw new Error(`no answer of ours: ${given}`)
  return (given.answers ?? []).map(({ data }) => addressText(data))
}

/** web (172.20.0.2) and db (172.20.0.3) on blue; web is on green, too (172.21.0.2), beside cache (172.21.0.3). */
function openTwoNetworks(): Store & { blue: Network; green: Network } {
  const store = new Store()
  const blue = store.network("blue", "172.20.0.0/24", { subnet6: "fd00:1::/64", gateway6: "fd00:1::1" })
  const green = store.network("green", "172.21.0.0/24")
  store.join(blue, "aaaa", ["web", "Front.Example"])
  store.join(blue, "bbbb", ["db", "bbbb"], "fd00:1::3")
  store.join(green, "aaaa", ["web"])
  store.join(green, "cccc", ["cache"])
  return Object.assign(store, { blue, green })
}

describe("a name", () => {
  test("is known on its network by each that it has, in letters of either case", () => {
    using store = openTwoNetworks()
    for (const name of ["db", "DB", "bbbb", "db.blue", "db.dns.podman"])
      expect(addresses(store.ask("172.20.0.2", name))).toEqual(["172.20.0.3"])
    expect(addresses(store.ask("172.20.0.3", "front.example"))).toEqual(["172.20.0.2"])
  })

  test("is found on each network of who asks, first on that by which he asks", () => {
    using store = openTwoNetworks()
    expect(addresses(store.ask("172.20.0.2", "cache"))).toEqual(["172.21.0.3"])
    expect(addresses(store.ask("172.20.0.2", "web"))).toEqual(["172.20.0.2"])
    expect(addresses(store.ask("172.21.0.2", "web"))).toEqual(["172.21.0.2"])
    expect(addresses(store.ask("172.21.0.2", "web.blue"))).toEqual(["172.20.0.2"])
  })

  test("of another network is not known, nor told to anybody", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.3", "cache")).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.3", "cache.dns.podman")).toEqual(NO_SUCH_NAME)
  })

  test("that is known has no address of the other family: that is said, and nobody else is asked", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.3", "web", RecordType.aaaa)).toEqual(NO_DATA)
    expect(addresses(store.ask("172.20.0.2", "db", RecordType.aaaa))).toEqual(["fd00:1::3"])
    expect(store.ask("172.20.0.2", "db", 16)).toEqual(NO_DATA)
  })

  test("of several is answered with all, each time beginning with another", () => {
    using store = openTwoNetworks()
    store.join(store.blue, "dddd", ["db"])
    const answers = Array.from({ length: 4 }, () => addresses(store.ask("172.20.0.2", "db")))
    for (const given of answers) expect(given.toSorted()).toEqual(["172.20.0.3", "172.20.0.4"])
    expect(new Set(answers.map(([first]) => first)).size).toBe(2)
  })

  test("is known from the moment that it is written down, and not after", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.2", "late")).toEqual(NO_SUCH_NAME)
    store.join(store.blue, "dddd", ["late"])
    expect(addresses(store.ask("172.20.0.2", "late"))).toEqual(["172.20.0.4"])
    store.records.rename("dddd", store.blue.id, ["later"])
    expect(store.ask("172.20.0.2", "late")).toEqual(NO_SUCH_NAME)
    expect(addresses(store.ask("172.20.0.2", "later"))).toEqual(["172.20.0.4"])
    store.db.transaction(() => store.records.remove("dddd", store.blue.id))
    expect(store.ask("172.20.0.2", "later")).toEqual(NO_SUCH_NAME)
  })

  test("with a dot that is none of ours is asked elsewhere; without one it is not, but for a top-level domain's own records", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.2", "www.example.org")).toBe(ELSEWHERE)
    expect(store.ask("172.20.0.2", "printer")).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.2", "printer", 65)).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.2", "org", RecordType.ns)).toBe(ELSEWHERE)
    expect(store.ask("172.20.0.2", "", RecordType.ns)).toBe(ELSEWHERE)
  })
})

describe("who asks", () => {
  test("is nobody on the default network, nor where names are disabled", () => {
    using store = new Store()
    store.join(store.network("bridge", "172.17.0.0/16"), "aaaa", ["web"])
    store.join(store.network("mute", "172.20.0.0/24", { options: { dns: { disabled: true } } }), "bbbb", ["db"])
    for (const from of ["172.17.0.2", "172.20.0.2", "127.0.0.1"]) expect(store.ask(from, "web")).toBeUndefined()
    expect(store.zones.isEmpty).toBe(true)
  })

  test("from an internal network is told of nothing outside, unless he is on another, too (CVE-2024-29018)", () => {
    using store = openTwoNetworks()
    const inner = store.network("inner", "172.22.0.0/24", { options: { internal: true } })
    store.join(inner, "eeee", ["vault"])
    store.join(inner, "cccc", ["cache"])
    expect(store.ask("172.22.0.2", "secret.attacker.example")).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.22.0.2", "9.9.9.9.in-addr.arpa", RecordType.ptr)).toEqual(NO_SUCH_NAME)
    expect(addresses(store.ask("172.22.0.2", "cache"))).toEqual(["172.22.0.3"])
    expect(store.ask("172.22.0.3", "www.example.org")).toBe(ELSEWHERE)
  })
})

/** The name that an answer gives. */
function named(given: ReturnType<Store["ask"]>): string | undefined {
  if (given === undefined || given === ELSEWHERE || given.answers?.[0] === undefined) return undefined
  return readName(given.answers[0].data, 0).name
}

describe("the other way round", () => {
  test("an address gives a name that can be asked for again", () => {
    using store = openTwoNetworks()
    expect(named(store.ask("172.20.0.2", "3.0.20.172.in-addr.arpa", RecordType.ptr))).toBe("db.blue")
    const nibbles = "3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa"
    expect(named(store.ask("172.20.0.2", nibbles, RecordType.ptr))).toBe("db.blue")
    expect(store.ask("172.20.0.2", "3.0.20.172.in-addr.arpa", RecordType.a)).toEqual(NO_DATA)
  })

  test("an address of a network of ours is told to nobody; of others the world knows", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.3", "3.0.21.172.in-addr.arpa", RecordType.ptr)).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.3", "99.0.20.172.in-addr.arpa", RecordType.ptr)).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.3", "8.8.8.8.in-addr.arpa", RecordType.ptr)).toBe(ELSEWHERE)
    expect(store.ask("172.20.0.3", "300.8.8.8.in-addr.arpa", RecordType.ptr)).toBe(ELSEWHERE)
  })
})

describe("a service", () => {
  test("is where its port is published, by a name and its address", () => {
    using store = openTwoNetworks()
    store.publish(store.blue, "bbbb", 80)
    const given = store.ask("172.20.0.2", "_http._tcp.db", RecordType.srv)
    if (given === undefined || given === ELSEWHERE) throw new Error("no answer of ours")
    const [record] = given.answers ?? []
    expect([...(record?.data.slice(0, 6) ?? [])]).toEqual([0, 0, 0, 0, 0, 80])
    expect(readName(record?.data ?? new Uint8Array(), 6).name).toBe("db.blue")
    expect(given.additional?.map(({ name, data }) => `${name} ${addressText(data)}`)).toEqual([
      "db.blue 172.20.0.3",
      "db.blue fd00:1::3",
    ])
    expect(store.ask("172.20.0.2", "_80._tcp.db", RecordType.srv)).toMatchObject({ code: 0 })
    expect(store.ask("172.20.0.2", "_http._tcp.db", RecordType.a)).toEqual(NO_DATA)
  })

  test("that nobody publishes is not there; one of the world's is asked elsewhere", () => {
    using store = openTwoNetworks()
    expect(store.ask("172.20.0.2", "_http._tcp.web", RecordType.srv)).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.2", "_http._udp.db", RecordType.srv)).toEqual(NO_SUCH_NAME)
    expect(store.ask("172.20.0.2", "_xmpp._tcp.example.org", RecordType.srv)).toBe(ELSEWHERE)
  })
})

describe("names of a source beside those of members", () => {
  const source = {
    find: (name: string) =>
      name === "far.x" ? { alias: "api.example.org" } : name === "web.x" ? { records: [V4, V6] } : undefined,
    nameOf: (address: string) => (address === "10.96.0.7" ? "web.x" : undefined),
  }

  test("are answered on networks with virtual ranges alone, where members have no names of their own", () => {
    using store = new Store()
    const virtual = { services: "10.96.0.0/16", balanced: "10.112.0.0/16" }
    const kube = store.network("kube", "10.244.0.0/16", { options: { virtual } })
    const plain = store.network("plain", "10.1.0.0/16")
    store.join(kube, "1".repeat(64), ["pod"])
    store.join(plain, "2".repeat(64), ["other"])
    const ask = (from: string, name: string, type: number = RecordType.a) => store.ask(from, name, type, source)
    expect(ask("10.244.0.2", "web.x")).toMatchObject({ code: 0, answers: [{ type: RecordType.a }] })
    expect(ask("10.244.0.2", "web.x", RecordType.any)).toMatchObject({ answers: [{}, {}] })
    expect(ask("10.244.0.2", "web.x", RecordType.srv)).toMatchObject({ code: 0, answers: [] })
    expect(ask("10.244.0.2", "far.x")).toMatchObject({
      alias: "api.example.org",
      answers: [{ type: RecordType.cname }],
    })
    expect(ask("10.244.0.2", "7.0.96.10.in-addr.arpa", RecordType.ptr)).toMatchObject({
      answers: [{ type: RecordType.ptr }],
    })
    expect(ask("10.244.0.2", "pod")).toMatchObject({ code: ResponseCode.noSuchName })
    // the host asks by its own address
    expect(ask("10.244.0.1", "web.x")).toMatchObject({ code: 0 })
    expect(ask("10.1.0.2", "web.x")).toBe(ELSEWHERE)
  })
})

const V4 = { type: "address" as const, address: "10.96.0.7" }
const V6 = { type: "address" as const, address: "fd00::7" }
