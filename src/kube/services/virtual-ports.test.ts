/** Where Services may lead. */
import { expect, test } from "bun:test"
import { isEndpointAddress } from "./virtual-ports.ts"

test("nobody is led to the loopback, a link or many at once, however it is written", () => {
  for (const address of [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "0::0001",
    "::ffff:127.0.0.1",
    "0:0:0:0:0:FFFF:7f00:1",
    "::127.0.0.1",
    "fe80::1",
    "FE80:0:0:0:0:0:0:1",
    "ff02::1",
    "localhost",
    "10.0.0.1; flush ruleset",
    "",
  ])
    expect([address, isEndpointAddress(address)]).toEqual([address, false])
  for (const address of ["10.0.0.1", "192.0.2.1", "fd00::7", "2001:db8:0:0:0:0:0:1"])
    expect([address, isEndpointAddress(address)]).toEqual([address, true])
})
