import { describe, expect, test } from "bun:test"
import type { Ingress, IngressClass } from "kubernetes-types/networking/v1"
import type { Kept } from "../controllers/kept.ts"
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
