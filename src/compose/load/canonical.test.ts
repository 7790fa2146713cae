import { describe, expect, test } from "bun:test"
import { canonical } from "./canonical.ts"
import type { Tree, TreeMap } from "./tree.ts"
import { enforceUnique } from "./unique.ts"

function long(key: string, value: Tree, skipInterpolation = false): Tree | undefined {
  const { services } = canonical({ services: { a: { [key]: value } } }, () => {}, { skipInterpolation })
  return ((services as TreeMap).a as TreeMap)[key]
}

const unique = (keys: TreeMap) => (enforceUnique({ services: { a: keys } }).services as TreeMap).a as TreeMap

const port = (target: number, published?: string, protocol = "tcp"): TreeMap => ({
  mode: "ingress",
  target,
  ...(published !== undefined && { published }),
  protocol,
})

// by docker compose 2.40.3
describe("ports", () => {
  test.each<[string, TreeMap[]]>([
    ["80-81", [port(80), port(81)]],
    ["8000-8001:80-81/udp", [port(80, "8000", "udp"), port(81, "8001", "udp")]],
    ["8000-8002:80", [port(80, "8000-8002")]],
    ["127.0.0.1::80", [{ ...port(80), host_ip: "127.0.0.1" }]],
    ["[::1]:80:80", [{ ...port(80, "80"), host_ip: "::1" }]],
    ["0080:0080", [port(80, "80")]],
    ["80/TCP", [port(80)]],
  ])("%s", (text, expected) => {
    expect(long("ports", [text])).toEqual(expected)
  })

  test.each([
    ["8000-8002:80-81", "Invalid ranges specified for container and host Ports: 80-81 and 8000-8002"],
    ["127.0.0.1:80", "Invalid hostPort: 127.0.0.1"],
    ["localhost:80:80", "Invalid ip address: localhost"],
    ["::1:80:80", "Invalid ip address ::1: address ::1:: too many colons in address"],
    ["80:80/foo", "Invalid proto: foo"],
    ["99999:80", "Invalid hostPort: 99999"],
    ["80:", "No port specified: 80:<empty>"],
  ])("%s is refused", (text, message) => {
    expect(() => long("ports", [text])).toThrow(message)
  })

  test("what holds a variable stays as it is where none is put in its place", () => {
    expect(long("ports", ["${P}:80", "1:1"], true)).toEqual(["${P}:80", "1:1"])
  })
})

describe("volumes", () => {
  const bind = { create_host_path: true }
  test.each<[string, TreeMap]>([
    ["./a:/b:ro", { type: "bind", source: "./a", target: "/b", read_only: true, bind }],
    [
      "/a:/b:shared,Z,nocopy",
      {
        type: "bind",
        source: "/a",
        target: "/b",
        bind: { ...bind, propagation: "shared", selinux: "Z" },
        volume: { nocopy: true },
      },
    ],
    ["data:/b/../c/", { type: "volume", source: "data", target: "/c", volume: {} }],
    ["/anon", { type: "volume", target: "/anon", volume: {} }],
    ["C:\\a:/b", { type: "bind", source: "C:\\a", target: "/b", bind }],
    // docker takes the letter for a Windows drive
    ["v:/b", { type: "volume", source: "v", target: "/b", volume: {} }],
  ])("%s", (text, expected) => {
    expect(long("volumes", [text])).toEqual([expected])
  })

  test.each([
    ["", "invalid empty volume spec"],
    [":/x", "invalid spec: :/x: empty section between colons"],
  ])("%p is refused", (text, message) => {
    expect(() => long("volumes", [text])).toThrow(message)
  })
})

test.each<[string, Tree, Tree]>([
  ["build", ".", { context: "." }],
  ["depends_on", ["b"], { b: { condition: "service_started", required: true } }],
  ["env_file", "x", [{ path: "x", required: true }]],
  ["gpus", "all", [{ count: "all" }]],
  ["networks", ["n"], { n: null }],
  ["secrets", ["s"], [{ source: "s" }]],
  ["dns", "1.1.1.1", ["1.1.1.1"]],
  [
    "devices",
    ["/dev/a", "/dev/a:/dev/b:r"],
    [
      { source: "/dev/a", target: "/dev/a", permissions: "rwm" },
      { source: "/dev/a", target: "/dev/b", permissions: "r" },
    ],
  ],
])("the short form of %s", (key, short, expected) => {
  expect(long(key, short)).toEqual(expected)
})

test("external.name is a name, with a warning", () => {
  const warnings: string[] = []
  const tree = canonical({ networks: { n: { external: { name: "x" } } } }, ({ message }) => warnings.push(message))
  expect(tree).toEqual({ networks: { n: { external: true, name: "x" } } })
  expect(warnings).toEqual(["networks.n: external.name is deprecated. Please set name and external: true"])
})

test("of items that mean the same the last one stays, in the place of the first", () => {
  expect(unique({ environment: ["A=1", "B=2", "A=3"] })).toEqual({ environment: ["A=3", "B=2"] })
  expect(unique({ volumes: ["/a:/x", { type: "bind", source: "/b", target: "/x" }] })).toEqual({
    volumes: [{ type: "bind", source: "/b", target: "/x" }],
  })
  expect(() => unique({ volumes: [{ type: "bind" }] })).toThrow(
    "service volume services.a.volumes.[0] is missing a mount target",
  )
})
