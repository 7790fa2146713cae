import { describe, expect, test } from "bun:test"
import { plannedPodNetwork } from "./pod-network.ts"

const plan = (spec: object, namespace = "shop") =>
  plannedPodNetwork({ metadata: { name: "web-0", namespace }, spec }, "10.244.0.1")

describe("a pod's network", () => {
  test("is the cluster's, with the search domains of its namespace and five dots", () => {
    expect(plan({})).toEqual({
      networks: [{ network: "kube" }],
      hostname: "web-0",
      resolvConf:
        "search shop.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.244.0.1\noptions ndots:5\n",
    })
  })

  test("has what dnsConfig says after the policy's own words, and an option in the place of one of the same name", () => {
    const dnsConfig = {
      nameservers: ["192.0.2.1"],
      searches: ["example.org"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    }
    expect(plan({ dnsConfig }).resolvConf).toBe(
      "search shop.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.244.0.1\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
    )
  })

  test("of policy None is what dnsConfig alone says", () => {
    expect(plan({ dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.1"] } }).resolvConf).toBe(
      "nameserver 192.0.2.1\n",
    )
  })

  test("of policy Default is the engine's own file, as is ClusterFirst with the host's network", () => {
    expect(plan({ dnsPolicy: "Default" }).resolvConf).toBeUndefined()
    expect(plan({ hostNetwork: true })).toEqual({ networks: [], hostname: "web-0" })
    expect(plan({ hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" }).resolvConf).toContain("ndots:5")
  })

  test("has no line that a word of the YAML brings with it", () => {
    const dnsConfig = { nameservers: ["192.0.2.1\nnameserver 192.0.2.9"], searches: ["a\nnameserver 192.0.2.9"] }
    expect(plan({ dnsPolicy: "None", dnsConfig }).resolvConf).toBe("")
  })

  test("gives the name that its subdomain makes", () => {
    expect(plan({ hostname: "db", subdomain: "mysql" })).toMatchObject({
      hostname: "db",
      domainname: "mysql.shop.svc.cluster.local",
    })
  })
})
