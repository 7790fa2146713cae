/** Where HTTPRoutes lead, and what is said of them. */
import { describe, expect, test } from "bun:test"
import type { StoredObject } from "../objects/objects.ts"
import { intersection, resolveGateways } from "./gateway-routes.ts"
import { gatewayStatuses } from "./gateway-status.ts"
import { redirectLocation, withChanges } from "./request-head.ts"
import { Routes, type RequestFacts } from "./routes.ts"

let age = 0
const object = (kind: string, name: string, spec: object, metadata: object = {}): StoredObject =>
  ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name, namespace: "default", creationTimestamp: `2026-01-01T00:00:${10 + age++}Z`, ...metadata },
    spec,
  }) as unknown as StoredObject
const gateway = (name: string, spec: object, metadata = {}) =>
  object("Gateway", name, { gatewayClassName: "skiff", ...spec }, metadata)
const http = { name: "http", protocol: "HTTP", port: 80 }
const route = (name: string, spec: object, metadata = {}) =>
  object("HTTPRoute", name, { parentRefs: [{ name: "own" }], hostnames: ["web.example"], ...spec }, metadata)
const to = (...names: string[]) => names.map((name) => ({ name, port: 80 }))
const resolve = (gateways: StoredObject[], routes: StoredObject[], namespaces: StoredObject[] = []) =>
  resolveGateways({
    classes: [],
    gateways,
    routes,
    namespaces,
    hasService: (_, name) => !name.startsWith("no"),
    hasSecret: (_, name) => name === "cert",
  })
const asks = (given: { method?: string; headers?: Record<string, string>; query?: string } = {}): RequestFacts => ({
  method: given.method ?? "GET",
  header: (name) => given.headers?.[name],
  query: (name) => new URLSearchParams(given.query).get(name) ?? undefined,
})
const routesOf = (...rules: object[]) =>
  new Routes([], resolve([gateway("own", { listeners: [http] })], [route("r", { rules })]).routes)
const NOW = new Date("2026-02-01T00:00:00Z")
const AT = { address: "192.0.2.1", http: 80, https: 443 }
const conditions = (list: readonly { type: string; status: string; reason: string }[] = []) =>
  list.map(({ type, status, reason }) => `${type} ${status} ${reason}`)

const filter = (type: string, more: object) => ({ filters: [{ type, ...more }], backendRefs: to("a") })
const match = (value: string) => ({ matches: [{ path: { type: "PathPrefix", value } }] })
const replace = (replacePrefixMatch: string) => ({ type: "ReplacePrefixMatch", replacePrefixMatch })

describe("routes of Gateways", () => {
  test("lead by host, path, method, header and question, the most specific first", () => {
    const path = { type: "PathPrefix", value: "/api" }
    const routes = routesOf(
      { matches: [{ path }], backendRefs: to("usual") },
      { matches: [{ path, method: "POST" }], backendRefs: to("post") },
      { matches: [{ path, headers: [{ name: "X-Kind", value: "b" }] }], backendRefs: to("header") },
      { matches: [{ path, queryParams: [{ name: "v", value: "2" }] }], backendRefs: to("query") },
      { matches: [{ path: { type: "Exact", value: "/api" } }], backendRefs: to("exact") },
    )
    const service = (at: string, given = {}) => routes.find("web.example", at, asks(given))?.backend?.service
    expect(service("/api/x")).toBe("usual")
    expect(service("/api/x", { method: "POST", headers: { "x-kind": "b" } })).toBe("post")
    expect(service("/api/x", { headers: { "x-kind": "b" }, query: "v=2" })).toBe("header")
    expect(service("/api/x", { query: "a=1&v=2" })).toBe("query")
    expect(service("/api", { query: "v=2" })).toBe("exact")
    expect(service("/apix")).toBeUndefined()
    expect(routes.find("other.example", "/api", asks())).toBeUndefined()
  })

  test("share requests by weights, and answer for a backend that is not there by themselves", () => {
    const routes = routesOf({
      backendRefs: [
        { name: "a", port: 80, weight: 3 },
        { name: "b", port: 80, weight: 1 },
        { name: "c", port: 80, weight: 0 },
      ],
    })
    const heard = Array.from({ length: 2000 }, () => routes.find("web.example", "/", asks())?.backend?.service ?? "")
    const count = (name: string) => heard.filter((one) => one === name).length
    expect(count("a") + count("b")).toBe(2000)
    expect(count("b")).toBeGreaterThan(350)
    expect(count("b")).toBeLessThan(650)
    const broken = routesOf({ backendRefs: to("none") }).find("web.example", "/", asks())
    expect(broken).toMatchObject({ backend: undefined, isBroken: true })
    expect(routesOf({}).find("web.example", "/", asks())).toMatchObject({ isBroken: true })
  })

  test("exchange hosts and paths, change headers, and redirect", () => {
    const full = { type: "ReplaceFullPath", replaceFullPath: "/all" }
    const routes = routesOf(
      { ...match("/cut"), ...filter("URLRewrite", { urlRewrite: { hostname: "in.example", path: replace("/") } }) },
      { ...match("/full"), ...filter("URLRewrite", { urlRewrite: { path: full } }) },
      {
        ...match("/go"),
        ...filter("RequestRedirect", { requestRedirect: { scheme: "https", path: replace("/gone") } }),
      },
      {
        ...match("/head"),
        ...filter("RequestHeaderModifier", { requestHeaderModifier: { set: [{ name: "X-A", value: "1" }] } }),
      },
    )
    const at = (path: string) => routes.find("web.example", path, asks())
    expect(at("/cut/a/b")).toMatchObject({ path: "/a/b", host: "in.example", backend: { service: "a" } })
    expect(at("/cut")).toMatchObject({ path: "/" })
    expect(at("/full/a")).toMatchObject({ path: "/all" })
    const redirect = at("/go/x")?.redirect
    expect(redirect).toEqual({ status: 302, scheme: "https", path: "/gone/x" })
    const asked = { full: "web.example:8080", query: "?q", isTls: false }
    expect(redirect && redirectLocation(redirect, asked)).toBe("https://web.example/gone/x?q")
    expect(redirectLocation({ status: 301, path: "/x" }, asked)).toBe("http://web.example:8080/x?q")
    expect(redirectLocation({ status: 301, path: "/x", host: "b.example", port: 81 }, asked)).toBe(
      "http://b.example:81/x?q",
    )
    const changes = at("/head")?.requestHeaders
    expect(withChanges({ "x-a": "0", b: "1" }, changes)).toEqual({ "x-a": "1", b: "1" })
    const hostile = {
      set: [
        ["host", "x"],
        ["x-forwarded-for", "1"],
        ["transfer-encoding", "chunked"],
      ],
      add: [["b", "2"]],
      remove: ["content-length"],
    } as const
    expect(withChanges({ b: "1", "content-length": "3" }, hostile)).toEqual({ b: ["1", "2"], "content-length": "3" })
  })

  test.each<[string, object]>([
    ["an expression", { matches: [{ path: { type: "RegularExpression", value: "/(a+)+$" } }] }],
    ["an expression of a header", { matches: [{ headers: [{ type: "RegularExpression", name: "a", value: ".*" }] }] }],
    ["a filter that is not known", { filters: [{ type: "RequestMirror" }] }],
    ["a host that is none", { filters: [{ type: "URLRewrite", urlRewrite: { hostname: "a\r\nx: y" } }] }],
    [
      "a header of two lines",
      {
        filters: [
          { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "a", value: "b\r\nc: d" }] } },
        ],
      },
    ],
    [
      "a path that is none",
      { filters: [{ type: "URLRewrite", urlRewrite: { path: { type: "ReplaceFullPath", replaceFullPath: "x y" } } }] },
    ],
    ["a method that is none", { matches: [{ method: "get /" }] }],
    ["another status", { filters: [{ type: "RequestRedirect", requestRedirect: { statusCode: 200 } }] }],
  ])("lead nobody by a rule with %s", (_, rule) => {
    expect(routesOf({ ...rule, backendRefs: to("a") }).find("web.example", "/", asks())).toBeUndefined()
  })

  test("are attached by the listeners' hosts, names and namespaces", () => {
    expect(
      [
        ["", ""],
        ["a.example", ""],
        ["", "*.example"],
        ["a.b.example", "*.example"],
        ["*.b.example", "*.example"],
        ["*.example", "a.example"],
        ["example", "*.example"],
        ["a.example", "b.example"],
      ].map(([one = "", other = ""]) => intersection(one, other)),
    ).toEqual(["", "a.example", "*.example", "a.b.example", "*.b.example", "a.example", undefined, undefined])
    const wild = gateway("own", { listeners: [{ ...http, hostname: "*.example" }] })
    const routes = new Routes(
      [],
      resolve([wild], [route("r", { hostnames: [], rules: [{ backendRefs: to("a") }] })]).routes,
    )
    expect(routes.find("a.b.example", "/", asks())?.backend?.service).toBe("a")
    expect(routes.find("example", "/", asks())).toBeUndefined()
    const shared = (from: object) =>
      gateway("shared", { listeners: [{ ...http, allowedRoutes: { namespaces: from } }] })
    const far = route(
      "far",
      { parentRefs: [{ name: "shared", namespace: "default" }], rules: [{ backendRefs: to("a") }] },
      { namespace: "team" },
    )
    const team = object("Namespace", "team", {}, { labels: { kind: "team" } })
    const led = (from: object) => resolve([shared(from)], [far], [team]).routes.length
    expect([
      led({ from: "Same" }),
      led({ from: "All" }),
      led({ from: "Selector", selector: { matchLabels: { kind: "team" } } }),
      led({ from: "Selector", selector: { matchLabels: { kind: "other" } } }),
      led({ from: "Selector", selector: { matchExpressions: [] } }),
    ]).toEqual([0, 1, 1, 0, 0])
    const other = object("Gateway", "own", { gatewayClassName: "istio", listeners: [http] })
    expect(resolve([other], [route("r", { rules: [{ backendRefs: to("a") }] })])).toMatchObject({
      routes: [],
      parents: [],
    })
  })
})

describe("the status of a Gateway and its routes", () => {
  const listeners = [
    http,
    {
      name: "tls",
      protocol: "HTTPS",
      port: 443,
      hostname: "web.example",
      tls: { certificateRefs: [{ name: "cert" }] },
    },
    { name: "lost", protocol: "HTTPS", port: 443, tls: { certificateRefs: [{ name: "nowhere" }] } },
    { name: "tcp", protocol: "TCP", port: 9 },
  ]
  const own = gateway("own", { listeners })
  const routes = [
    route("good", { rules: [{ backendRefs: to("a") }] }),
    route("lost", { rules: [{ backendRefs: to("none") }, { filters: [{ type: "RequestMirror" }] }] }),
    route("odd", { rules: [{ matches: [{ path: { type: "RegularExpression", value: "/" } }] }] }),
    route("host", { parentRefs: [{ name: "own", sectionName: "tls" }], hostnames: ["other.example"], rules: [{}] }),
    route("tcp", { parentRefs: [{ name: "own", sectionName: "tcp" }] }),
  ]
  const resolved = resolve([own], routes)
  const statuses = gatewayStatuses(resolved, { ...AT, http: 8080 }, NOW)
  const of = (name: string) =>
    statuses.find(({ object: { metadata } }) => metadata.name === name)?.status as {
      addresses?: object[]
      conditions?: never[]
      listeners?: {
        name: string
        attachedRoutes: number
        conditions: { type: string; status: string; reason: string; message: string }[]
      }[]
      parents?: { conditions: never[] }[]
    }

  const said = (name: string) => conditions(of(name).parents?.[0]?.conditions)

  test("says what is heard where, and what is wrong", () => {
    expect(of("own").addresses).toEqual([{ type: "IPAddress", value: "192.0.2.1" }])
    expect(conditions(of("own").conditions)).toEqual(["Accepted True ListenersNotValid", "Programmed True Programmed"])
    const all = of("own").listeners ?? []
    expect(all.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
      ["http", 2],
      ["tls", 2],
      ["lost", 2],
      ["tcp", 0],
    ])
    expect(all[0]?.conditions.find(({ type }) => type === "Programmed")?.message).toBe("answered at port 8080")
    expect(conditions(all[2]?.conditions)).toEqual([
      "Accepted True Accepted",
      "Programmed False Invalid",
      "ResolvedRefs False InvalidCertificateRef",
    ])
    expect(conditions(all[3]?.conditions)[0]).toBe("Accepted False UnsupportedProtocol")
    expect(resolved.tls).toEqual([{ hosts: ["web.example"], namespace: "default", secretName: "cert" }])
  })

  test("says of each route whether it leads, and to whom it cannot", () => {
    expect(said("good")).toEqual(["Accepted True Accepted", "ResolvedRefs True ResolvedRefs"])
    expect(said("lost")).toEqual([
      "Accepted True Accepted",
      "ResolvedRefs False BackendNotFound",
      "PartiallyInvalid True UnsupportedValue",
    ])
    expect(said("odd")[0]).toBe("Accepted False UnsupportedValue")
    expect(said("host")[0]).toBe("Accepted False NoMatchingListenerHostname")
    expect(said("tcp")[0]).toBe("Accepted False NoMatchingParent")
  })

  test("is written once, keeps its times, and what others say", () => {
    const theirs = { controllerName: "istio.io/gateway", parentRef: { name: "x" }, conditions: [] }
    const again: StoredObject[] = []
    for (const one of routes) {
      const found = statuses.find(({ object: { metadata } }) => metadata.name === one.metadata.name)
      again.push({ ...one, status: found?.status } as StoredObject)
    }
    const [first, ...others] = again
    const known = { ...own, status: of("own") } as StoredObject
    const later = new Date("2026-03-01T00:00:00Z")
    expect(gatewayStatuses(resolve([known], again), { ...AT, http: 8080 }, later)).toEqual([])
    const status = { parents: [theirs, ...(of("good").parents ?? [])] }
    const shared = { ...first, status } as StoredObject
    expect(gatewayStatuses(resolve([known], [shared, ...others]), { ...AT, http: 8080 }, later)).toEqual([])
  })
})
