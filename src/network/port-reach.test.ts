import { expect, test } from "bun:test"
import { placesOf } from "./port-reach.ts"

const host = [
  { address: "192.0.2.7", interface: "eth0" },
  { address: "2001:db8::7", interface: "eth0" },
]
const words = (hostAddress: string | undefined, addresses = ["172.17.0.2"]) => {
  const port = { protocol: "tcp", hostPort: 8080, containerPort: 80, ...(hostAddress && { hostAddress }) } as const
  return placesOf({ port, addresses }, host).map(({ from, address, port: number }) => `${from} ${address} ${number}`)
}

test("a port of all addresses is reached from everywhere, by the families that the container has", () => {
  expect(words(undefined)).toEqual([
    "this host 127.0.0.1 8080",
    "other hosts 192.0.2.7 8080",
    "containers 172.17.0.2 80",
  ])
  expect(words("", ["172.17.0.2", "fd00::2"])).toContain("other hosts 2001:db8::7 8080")
})

test("a port of one address is reached by that alone, and by containers", () => {
  expect(words("127.0.0.1")).toEqual(["this host 127.0.0.1 8080", "containers 172.17.0.2 80"])
  expect(words("192.0.2.7")).toEqual(["other hosts 192.0.2.7 8080", "containers 172.17.0.2 80"])
  expect(words("::", [])).toEqual(["this host ::1 8080", "other hosts 2001:db8::7 8080"])
})
