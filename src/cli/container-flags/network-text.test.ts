import { expect, test } from "bun:test"
import { isSkiffError } from "../../base/errors.ts"
import { parseLink, parseMacAddress } from "../../spec/docker/endpoint-words.ts"
import { readNetwork } from "./network-text.ts"

test.each<[string, object]>([
  ["web", { requests: [{ network: "web" }] }],
  ["web,db", { requests: [{ network: "web" }, { network: "db" }] }],
  ["default", { requests: [{ network: "bridge" }] }],
  ["", { requests: [{ network: "bridge" }] }],
  ["bridge:ip=10.88.0.9", { requests: [{ network: "bridge", address: "10.88.0.9" }] }],
  [
    "web:alias=a,alias=b,mac=92-D0-C6-0A-29-33,interface_name=lan0,ip6=fd00::9",
    {
      requests: [
        {
          network: "web",
          aliases: ["a", "b"],
          macAddress: "92:d0:c6:0a:29:33",
          interface: "lan0",
          address6: "fd00::9",
        },
      ],
    },
  ],
  ["name=web,ip=10.0.0.9,gw-priority=-3", { requests: [{ network: "web", address: "10.0.0.9", gatewayPriority: -3 }] }],
  ["ip=10.0.0.9,name=web", { requests: [{ network: "web", address: "10.0.0.9" }] }],
  [
    "name=web,driver-opt=com.docker.network.endpoint.ifname=lan0",
    {
      requests: [
        { network: "web", interface: "lan0", driverOptions: { "com.docker.network.endpoint.ifname": "lan0" } },
      ],
    },
  ],
  [
    '"name=web","driver-opt=com.docker.network.endpoint.sysctls=net.ipv4.conf.ifname.log_martians=1,net.ipv4.conf.IFNAME.forwarding=0"',
    {
      requests: [
        {
          network: "web",
          sysctls: { "net.ipv4.conf.IFNAME.log_martians": "1", "net.ipv4.conf.IFNAME.forwarding": "0" },
          driverOptions: {
            "com.docker.network.endpoint.sysctls":
              "net.ipv4.conf.ifname.log_martians=1,net.ipv4.conf.IFNAME.forwarding=0",
          },
        },
      ],
    },
  ],
  ["host", { mode: { kind: "host" } }],
  ["none", { mode: { kind: "none" } }],
  ["container:web", { mode: { kind: "container", container: "web" } }],
  ["ns:/run/netns/x", { mode: { kind: "path", path: "/run/netns/x" } }],
])("--network %s", (text, meant) => {
  expect(readNetwork(text)).toEqual(meant as never)
})

test.each([
  "container:",
  "ns:x",
  "name=",
  "alias=a",
  "name=web,gw-priority=first",
  "name=web,driver-opt=x",
  "name=web,driver-opt=colour=red",
  "name=web,link-local-ip=169.254.1.1",
  "name=web,",
  "web:ip",
  "web:ip=fd00::9",
  "web:mtu=9",
  "web:host_interface_name=veth0",
  "slirp4netns",
  "slirp4netns:mtu=1500",
])("--network %s is refused", (text) => {
  expect(() => readNetwork(text)).toThrow()
})

test("whatever is given is read, or refused as a user's mistake", () => {
  const parts = [
    "name=",
    "ip=",
    "=",
    ":",
    ",",
    "web",
    "10.0.0.9",
    "alias=",
    "gw-priority=",
    "9",
    "container:",
    "\0",
    "é",
  ]
  for (let turn = 0; turn < 3000; turn++) {
    const text = Array.from({ length: turn % 7 }, () => parts[Math.floor(Math.random() * parts.length)]).join("")
    try {
      readNetwork(text)
    } catch (error) {
      expect([text, isSkiffError(error, "InvalidArgument")]).toEqual([text, true])
    }
  }
})

test("hardware addresses and links are one of their kind", () => {
  for (const bad of ["02:42", "02:42:0a:00:00:zz", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"])
    expect(() => parseMacAddress(bad)).toThrow("mac address")
  expect(parseLink("db")).toBe("db:db")
  expect(parseLink("db:store")).toBe("db:store")
  for (const bad of ["", ":", "db:", "a:b:c"]) expect(() => parseLink(bad)).toThrow("bad format for links")
})
