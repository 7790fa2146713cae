import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { tempDirectory } from "../../../test/support/temp-directory.ts"
import { Database } from "../../base/database.ts"
import type { NameSource } from "../../network/network.ts"
import type { KubeObjects } from "../objects/objects.ts"
import { openObjects } from "../objects/open.ts"
import { kubeSchema } from "../objects/schema.ts"
import { clusterNames } from "./names.ts"
import { SLICES } from "./slices.ts"

const addresses = (...list: string[]) => ({ records: list.map((address) => ({ type: "address" as const, address })) })

describe("names of the cluster", () => {
  const directory = tempDirectory("skiff-names-")
  let db: Database
  let objects: KubeObjects
  let names: NameSource

  beforeAll(() => {
    db = new Database(`${directory}/skiff.db`)
    db.migrate([kubeSchema])
    objects = openObjects({ db, root: directory })
    names = clusterNames(objects)
    objects.create("namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } })
    service("web", { clusterIPs: ["10.96.0.7", "fd00::7"], ports: [{ name: "http", port: 80 }] })
    service("db", { clusterIPs: ["None"], ports: [{ name: "mysql", port: 3306 }] })
    service("empty", { clusterIPs: ["None"] })
    service("far", { type: "ExternalName", externalName: "API.example.org." })
    objects.create(SLICES, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "db-1", namespace: "shop", labels: { "kubernetes.io/service-name": "db" } },
      addressType: "IPv4",
      ports: [{ name: "mysql", port: 3307, protocol: "TCP" }],
      endpoints: [
        { addresses: ["10.244.0.5"], hostname: "db-0", conditions: { ready: true } },
        { addresses: ["10.244.0.6"], conditions: { ready: true } },
        { addresses: ["10.244.0.9"], hostname: "db-9", conditions: { ready: false } },
      ],
    })
  })
  afterAll(() => {
    db[Symbol.dispose]()
  })

  function service(name: string, spec: object): void {
    objects.create("services", { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "shop" }, spec })
  }
  const find = (name: string) => names.find(name === "" ? "cluster.local" : `${name}.cluster.local`)

  test("are those of Services: their addresses, or those of ready endpoints", () => {
    expect(find("web.shop.svc")).toEqual(addresses("10.96.0.7", "fd00::7"))
    expect(find("db.shop.svc")).toEqual(addresses("10.244.0.5", "10.244.0.6"))
    expect(find("db-0.db.shop.svc")).toEqual(addresses("10.244.0.5"))
    expect(find("10-244-0-6.db.shop.svc")).toEqual(addresses("10.244.0.6"))
    expect(find("10-244-3-4.shop.pod")).toEqual(addresses("10.244.3.4"))
    expect(find("far.shop.svc")).toEqual({ alias: "api.example.org" })
  })

  test("say which port a service of a protocol is on", () => {
    expect(find("_http._tcp.web.shop.svc")).toMatchObject({
      records: [{ type: "service", port: 80, target: "web.shop.svc.cluster.local" }],
    })
    expect(find("_mysql._tcp.db.shop.svc")).toMatchObject({
      records: [
        { port: 3307, target: "db-0.db.shop.svc.cluster.local" },
        { port: 3307, target: "10-244-0-6.db.shop.svc.cluster.local" },
      ],
      additional: [{ name: "db-0.db.shop.svc.cluster.local", address: "10.244.0.5" }, { address: "10.244.0.6" }],
    })
  })

  test.each([
    "web.default.svc",
    "web.nowhere.svc",
    "empty.shop.svc",
    "db-9.db.shop.svc",
    "x.web.shop.svc",
    "_http._udp.web.shop.svc",
    "_https._tcp.web.shop.svc",
    "a.b.c.web.shop.svc",
    "not-an-address.shop.pod",
    "other",
  ])("are none: %s", (name) => expect(find(name)).toBe("none"))

  test("are without records where only longer ones are, and nobody's outside the cluster", () => {
    for (const name of ["", "svc", "shop.svc"]) expect(find(name)).toEqual({ records: [] })
    expect(find("dns-version")).toEqual({ records: [{ type: "text", text: "1.1.0" }] })
    for (const name of ["example.org", "notcluster.local", "web"]) expect(names.find(name)).toBeUndefined()
  })

  test("are known by their addresses too, as they are now", () => {
    expect(names.nameOf("10.96.0.7")).toBe("web.shop.svc.cluster.local")
    expect(names.nameOf("10.244.0.5")).toBe("db-0.db.shop.svc.cluster.local")
    expect(names.nameOf("10.244.0.77")).toBeUndefined()
    objects.delete("services", "web", "shop")
    expect(names.nameOf("10.96.0.7")).toBeUndefined()
    expect(find("web.shop.svc")).toBe("none")
  })
})
