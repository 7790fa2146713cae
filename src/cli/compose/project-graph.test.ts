import { expect, test } from "bun:test"
import type { Project } from "../../compose/compose.ts"
import { projectGraph } from "./project-graph.ts"

const project = {
  name: "shop",
  services: {
    web: {
      image: "registry.example/web:1",
      depends_on: {
        db: { condition: "service_started", required: true },
        cache: { condition: "service_started", required: true },
      },
      networks: { back: null, front: { priority: 10 } },
      ports: [{ host_ip: "127.0.0.1", published: "8080", target: 80, protocol: "tcp", mode: "ingress" }],
    },
    db: { build: { context: "/srv" } },
    cache: { image: "a<b>&c" },
  },
} as unknown as Project

const plain = { indentation: "\t", image: false, networks: false, ports: false }

test("a project is a digraph of its services and what they depend on", () => {
  expect(projectGraph(project, plain)).toBe(`digraph "shop" {
\tlayout=dot;
\t"cache" [style="filled" label=<<font point-size="15">cache</font>>];
\t"db" [style="filled" label=<<font point-size="15">db</font>>];
\t"web" [style="filled" label=<<font point-size="15">web</font>>];

\t"web" -> "cache";
\t"web" -> "db";
}
`)
})

test("nodes tell images, networks and ports when they are asked for, and never end their own text", () => {
  const graph = projectGraph(project, { indentation: "  ", image: true, networks: true, ports: true })
  expect(graph).toContain("<b>Networks:</b><br/>front<br/>back</font>")
  expect(graph).toContain("<b>Ports:</b><br/>127.0.0.1:8080:80 (tcp, ingress)</font>")
  expect(graph).toContain("<b>Image:</b><br/>shop-db</font>")
  expect(graph).toContain("a&lt;b&gt;&amp;c")
})
