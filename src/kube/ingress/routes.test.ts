import { describe, expect, test } from "bun:test"
import type { Ingress, IngressClass } from "kubernetes-types/networking/v1"
import type { Kept } from "../controllers/kept.ts"
import type { StoredObject } from "../objects/objects.ts"
import { ingressesOfRoutes } from "./gateway-routes.ts"
import { ownIngresses, Routes } from "./routes.ts"

let count = 0
const ingress = (spec: object, annotations: Record<string, string> = {}, name = `i${count++}`) =>
  ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace: "shop",
      annotations,
      uid: name,
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
    },
    spec,
  }) as unknown as Kept<Ingress>
const to = (name: string) => ({ service: { name, port: { number: 80 } } })
const path = (at: string, name: string, pathType = "Prefix") => ({ path: at, pathType, backend: to(name) })

describe("rules of Ingresses", () => {
  const routes = new Routes([
    ingress({
      rules: [
        {
          host: "web.example",
          http: {
            paths: [path("/", "root"), path("/api", "api"), path("/api/v2/", "v2"), path("/api", "exact", "Exact")],
          },
        },
        { host: "*.example", http: { paths: [path("/only", "wild")] } },
        { http: { paths: [path("/any", "any", "ImplementationSpecific")] } },
      ],
    }),
    ingress({ defaultBackend: to("usual"), rules: [{ host: "Bare.example" }] }),
    ingress({ rules: [{ host: "web.example", http: { paths: [path("/", "late")] } }] }),
    ingress(
      { rules: [{ host: "cut.example", http: { paths: [path("/app", "cut")] } }] },
      { "skiff.dev/rewrite-target": "/" },
    ),
  ])
  const service = (host: string, at: string) => routes.find(host, at)?.backend?.service

  test.each([
    ["web.example", "/", "root"],
    ["WEB.example", "/x", "root"],
    ["web.example", "/api", "exact"],
    ["web.example", "/api/", "api"],
    ["web.example", "/api/x", "api"],
    ["web.example", "/apix", "root"],
    ["web.example", "/api/v2", "v2"],
    ["web.example", "/api/v2/x", "v2"],
    ["other.example", "/only", "wild"],
    ["deep.other.example", "/only", "usual"],
    ["other.example", "/any/x", "any"],
    ["bare.example", "/x", "usual"],
    ["nowhere.test", "/any", "any"],
    ["nowhere.test", "/", "usual"],
  ])("lead %s%s to %s", (host, at, wanted) => expect(service(host, at)).toBe(wanted))

  test("may have the backend asked for another path", () => {
    expect(routes.find("cut.example", "/app")?.path).toBe("/")
    expect(routes.find("cut.example", "/app/a/b")?.path).toBe("/a/b")
  })

  test("are those of our class, or of none", () => {
    const classes = [
      { metadata: { name: "own" }, spec: { controller: "skiff.dev/ingress" } },
      { metadata: { name: "nginx" }, spec: { controller: "k8s.io/ingress-nginx" } },
    ] as unknown as Kept<IngressClass>[]
    const all = ["own", "nginx", "skiff", "unknown", undefined].map((name) =>
      ingress({ ingressClassName: name }, {}, name ?? "none"),
    )
    expect(ownIngresses(all, classes).map(({ metadata }) => metadata.name)).toEqual(["none", "own", "skiff"])
  })
})

const object = (kind: string, name: string, spec: object) =>
  ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind,
    metadata: { name, namespace: "shop", uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec,
  }) as unknown as StoredObject
const rule = (more: object, name: string) => ({ ...more, backendRefs: [{ name, port: 80 }] })

describe("routes of Gateways", () => {
  const route = (parent: string, rules: object[]) =>
    object("HTTPRoute", parent, { parentRefs: [{ name: parent }], hostnames: ["web.example"], rules })
  const gateways = [
    object("Gateway", "own", {
      gatewayClassName: "skiff",
      listeners: [{ name: "tls", hostname: "web.example", tls: { certificateRefs: [{ name: "cert" }] } }],
    }),
    object("Gateway", "theirs", { gatewayClassName: "istio" }),
  ]
  const found = ingressesOfRoutes({
    classes: [],
    gateways,
    routes: [
      route("own", [
        rule({ matches: [{ path: { type: "PathPrefix", value: "/api" } }] }, "api"),
        rule({ matches: [{ path: { type: "Exact", value: "/one" } }] }, "one"),
        rule({ matches: [{ path: { value: "/secret" }, headers: [{ name: "x", value: "y" }] }] }, "secret"),
        rule(
          {
            matches: [{ path: { value: "/cut" } }],
            filters: [
              { type: "URLRewrite", urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } } },
            ],
          },
          "cut",
        ),
      ]),
      route("theirs", [rule({}, "other")]),
    ],
  })
  const routes = new Routes(ownIngresses(found, []))

  test("lead by hosts and paths, of our class alone", () => {
    expect(routes.find("web.example", "/api/x")?.backend?.service).toBe("api")
    expect(routes.find("web.example", "/one")?.backend?.service).toBe("one")
    expect(routes.find("web.example", "/cut/a")).toMatchObject({ backend: { service: "cut" }, path: "/a" })
    expect(routes.find("web.example", "/")).toBeUndefined()
    expect(found[0]?.spec?.tls).toEqual([{ hosts: ["web.example"], secretName: "cert" }])
  })

  test("lead nobody by a rule that means others", () => expect(routes.find("web.example", "/secret")).toBeUndefined())
})
