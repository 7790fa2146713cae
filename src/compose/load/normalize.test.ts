import { expect, test } from "bun:test"
import { checkValues } from "./checks.ts"
import { setDefaults } from "./defaults.ts"
import { normalize } from "./normalize.ts"
import { resolvePaths } from "./paths.ts"
import type { TreeMap } from "./tree.ts"

function normalized(tree: TreeMap, environment: Record<string, string> = {}): TreeMap {
  normalize(tree, { name: "p", environment })
  return tree
}

test("a service that says nothing of networks is on default, which is named after the project", () => {
  expect(normalized({ services: { a: { image: "x" }, b: { network_mode: "host" } }, networks: { n: null } })).toEqual({
    name: "p",
    services: { a: { image: "x", networks: { default: null } }, b: { network_mode: "host" } },
    networks: { n: { name: "p_n" }, default: { name: "p_default" } },
  })
})

test("what another key names is depended on", () => {
  const a: TreeMap = {
    network_mode: "service:b",
    links: ["c:d"],
    volumes_from: ["d:ro", "container:f"],
    depends_on: { b: { condition: "service_healthy", required: true } },
  }
  normalized({ services: { a } })
  expect(a.depends_on).toEqual({
    b: { condition: "service_healthy", required: true },
    c: { condition: "service_started", restart: true, required: true },
    d: { condition: "service_started", restart: false, required: true },
  })
})

test("build arguments without a value are the environment's, or not there", () => {
  const build: TreeMap = { args: ["A", "B", "C=1"] }
  normalized({ services: { a: { build } } }, { A: "x" })
  expect(build).toEqual({ context: ".", dockerfile: "Dockerfile", args: ["A=x", "C=1"] })
})

test("an external resource has its key for a name", () => {
  const { volumes } = normalized({ volumes: { v: { external: true }, w: { name: "own" } } })
  expect(volumes).toEqual({ v: { external: true, name: "v" }, w: { name: "own" } })
})

test("paths are taken from the project's directory; URLs and other services are none", () => {
  const tree: TreeMap = {
    services: {
      a: {
        build: { context: "./x", additional_contexts: { a: "../y", b: "service:c", c: "https://x/y.git" } },
        env_file: [{ path: "e" }],
        volumes: [
          { type: "bind", source: "./s/../t", target: "/t" },
          { type: "volume", source: "v", target: "/v" },
        ],
      },
      g: { build: { context: "git@github.com:a/b.git" } },
    },
    volumes: { v: { driver: "local", driver_opts: { o: "bind", device: "d" } } },
    secrets: { s: { file: "s.txt" } },
  }
  resolvePaths(tree, "/srv/p")
  expect(tree).toEqual({
    services: {
      a: {
        build: { context: "/srv/p/x", additional_contexts: { a: "/srv/y", b: "service:c", c: "https://x/y.git" } },
        env_file: [{ path: "/srv/p/e" }],
        volumes: [
          { type: "bind", source: "/srv/p/t", target: "/t" },
          { type: "volume", source: "v", target: "/v" },
        ],
      },
      g: { build: { context: "git@github.com:a/b.git" } },
    },
    volumes: { v: { driver: "local", driver_opts: { o: "bind", device: "/srv/p/d" } } },
    secrets: { s: { file: "/srv/p/s.txt" } },
  })
})

test("defaults: a secret's target, a port's protocol, all devices", () => {
  const a: TreeMap = { secrets: [{ source: "s" }], ports: [{ target: 80 }], gpus: [{ driver: "x" }] }
  setDefaults({ services: { a } })
  expect(a).toEqual({
    secrets: [{ source: "s", target: "/run/secrets/s" }],
    ports: [{ target: 80, protocol: "tcp", mode: "ingress" }],
    gpus: [{ driver: "x", count: "all" }],
  })
})

// by docker compose 2.40.3
test.each<[TreeMap, string]>([
  [{ secrets: { s: {} } }, "secrets.s: one of file|environment must be set"],
  [
    { secrets: { s: { file: "x", environment: "y" } } },
    "secrets.s: file|environment attributes are mutually exclusive",
  ],
  [{ configs: { s: {} } }, "configs.s: one of file|environment|content must be set"],
  [
    { volumes: { v: { external: true, driver: "x" } } },
    'volumes.v: conflicting parameters "external" and "driver" specified',
  ],
  [{ services: { a: { ports: [{ target: 80, host_ip: "foo" }] } } }, "services.a.ports.[]: invalid ip address: foo"],
  [
    { services: { a: { gpus: [{ count: 1, device_ids: ["x"] }] } } },
    'services.a.gpus.[]: "count" and "device_ids" attributes are exclusive',
  ],
  [
    { services: { a: { develop: { watch: [{ path: "", action: "sync" }] } } } },
    "services.a.develop.watch.[].path: value can't be blank",
  ],
])("%j is refused", (tree, message) => {
  expect(() => checkValues(tree)).toThrow(message)
})
