import { expect, test } from "bun:test"
import { contextOf } from "./context.suite.ts"
import { portOptions } from "./ports.ts"

test.each([
  [{ target: 80 }, { containerPort: 80, hostPort: 0, protocol: "tcp" }],
  [
    { target: 80, published: "8080" },
    { containerPort: 80, hostPort: 8080, protocol: "tcp" },
  ],
  [
    { target: 80, published: "8080-8090" },
    { hostPort: 8080, lastHostPort: 8090, containerPort: 80, protocol: "tcp" },
  ],
  [
    { target: 53, published: "53", protocol: "udp", host_ip: "127.0.0.1" },
    { containerPort: 53, hostPort: 53, protocol: "udp", hostAddress: "127.0.0.1" },
  ],
  [
    { target: 80, host_ip: "::1" },
    { containerPort: 80, hostPort: 0, protocol: "tcp", hostAddress: "::1" },
  ],
] as const)("%p is published as %p", (port, mapping) => {
  expect(portOptions(contextOf({ ports: [port] })).ports).toEqual([mapping])
})

test("expose publishes nothing", () => {
  expect(portOptions(contextOf({ expose: ["80", "9000-9001/udp"] }))).toEqual({
    ports: [],
    expose: ["80/tcp", "9000/udp", "9001/udp"],
  })
})

test("a wrong port is refused with its key", () => {
  const ports = [{ target: 80 }, { target: 80, published: "99999" }]
  expect(() => portOptions(contextOf({ ports }))).toThrow("services.web.ports[1]: invalid hostPort: 99999")
})
