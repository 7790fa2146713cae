import { expect, test } from "bun:test"
import { checkSysctls } from "./sysctls.ts"

const ALL = { ipc: true, network: true, uts: true }

test.each([
  ["net.ipv4.ip_forward", "1"],
  ["net.ipv4.tcp_rmem", "4096 87380\t6291456"],
  ["net/ipv4/conf/eth0/rp_filter", "2"],
  ["net.ipv4.tcp_congestion_control", "bbr"],
  ["kernel.sem", "250 32000 32 128"],
  ["kernel.shm_rmid_forced", "1"],
  ["fs.mqueue.msg_max", "20"],
  ["kernel.domainname", "example.org"],
])("allows %s=%j", (name, value) => {
  expect(checkSysctls({ [name]: value }, ALL)).toEqual({ [name.replaceAll("/", ".")]: value })
})

test.each([
  ["kernel.core_pattern", "|/x"],
  ["kernel.hostname", "x"],
  ["vm.swappiness", "1"],
  ["net.ipv4/../../kernel/core_pattern", "x"],
  ["net.ipv4..ip_forward", "1"],
  ["kernel.shm_rmid_forced", "1+kernel.core_pattern=|/x"], // CVE-2022-0811
  ["net.ipv4.ip_forward\nkernel.core_pattern", "1"],
  ["net.ipv4.ip_forward", "1\n0"],
  ["net.ipv4.ip_forward+kernel.x", "1"],
  ["", ""],
])("refuses %j=%j", (name, value) => {
  expect(() => checkSysctls({ [name]: value }, ALL)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
})

test("refuses those of a namespace that is the host's", () => {
  expect(() => checkSysctls({ "kernel.sem": "1" }, { ...ALL, ipc: false })).toThrow(/host's ipc/)
  expect(() => checkSysctls({ "net.core.somaxconn": "1" }, { ...ALL, network: false })).toThrow(/host's network/)
})
