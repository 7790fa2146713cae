import { describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { listConfigLists, parseConfigList } from "./config-list.ts"
import { networkOfList } from "./network-of-list.ts"

const parse = (document: unknown) =>
  parseConfigList(typeof document === "string" ? document : JSON.stringify(document), "/etc/cni/net.d/10-x.conflist")

const listWith = (ipam: object) => ({
  ...parse({ name: "x", plugins: [{ type: "bridge", ipam }] }),
  path: "/etc/passwd",
})

describe("a CNI configuration list", () => {
  test("keeps what is its plugins' own", () => {
    const plugins = [{ type: "bridge", bridge: "cni0", ipam: { type: "host-local", subnet: "10.5.0.0/16" } }]
    expect(parse({ cniVersion: "1.0.0", name: "flannel", plugins })).toMatchObject({ name: "flannel", plugins })
  })

  test("of one plugin alone is that plugin", () => {
    const { plugins } = parse({ cniVersion: "0.4.0", name: "one", type: "macvlan", master: "eth0" })
    expect(plugins).toEqual([{ type: "macvlan", master: "eth0" }])
  })

  test.each([
    ["is not JSON", "{"],
    ["is no object", []],
    ['has no valid "name"', { name: "../x", plugins: [{ type: "bridge" }] }],
    ['names no "plugins"', { name: "x", plugins: [] }],
    ['has no valid "plugins[1].type"', { name: "x", plugins: [{ type: "bridge" }, { type: "../../bin/sh" }] }],
    ['has no valid "plugins[0].type"', { name: "x", plugins: [7] }],
  ])("that %s is refused with its file's name", (words, document) => {
    expect(() => parse(document)).toThrow(`"/etc/cni/net.d/10-x.conflist" ${words}`)
  })

  test("that is none keeps no other from its network", () => {
    const directory = mkdtempSync(join(tmpdir(), "skiff-cni-"))
    try {
      writeFileSync(join(directory, "1.conflist"), "{")
      symlinkSync("/etc/shadow", join(directory, "2.conflist"))
      writeFileSync(join(directory, "3.conflist"), JSON.stringify({ name: "good", plugins: [{ type: "bridge" }] }))
      writeFileSync(join(directory, "4.conflist"), JSON.stringify({ name: "good", plugins: [{ type: "other" }] }))
      writeFileSync(join(directory, "README"), "not looked at")
      const found = listConfigLists(directory)
      expect(found.map(({ name, plugins }) => [name, plugins[0]?.type])).toEqual([["good", "bridge"]])
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test("says its range where host-local has one", () => {
    expect(networkOfList(listWith({ subnet: "10.1.0.0/16", gateway: "10.1.0.1" }))).toMatchObject({
      driver: "cni",
      subnet: "10.1.0.0/16",
      gateway: "10.1.0.1",
    })
    const ranges = [[{ subnet: "fd00::/64" }], [{ subnet: "10.2.0.0/24" }]]
    expect(networkOfList(listWith({ ranges }))).toMatchObject({ subnet: "10.2.0.0/24", gateway: "" })
    expect(networkOfList(listWith({ type: "dhcp" }))).toMatchObject({ subnet: "", gateway: "" })
  })
})
