import { describe, expect, test } from "bun:test"
import {
  parseDeviceBytes,
  parseDeviceOperations,
  parseDeviceWeight,
  parseHugepages,
  parseRdma,
} from "./device-limit.ts"
import { formatDeviceCgroupRule, parseDeviceCgroupRule } from "./device-rule.ts"

describe("limits of devices", () => {
  test("are read as docker writes them", () => {
    expect(parseDeviceWeight("/dev/sda:200")).toEqual({ device: "/dev/sda", weight: 200 })
    expect(parseDeviceBytes("/dev/sda:1mb")).toEqual({ device: "/dev/sda", rate: 1024 * 1024 })
    expect(parseDeviceOperations("/dev/disk/by-path/pci-0:1:100")).toEqual({
      device: "/dev/disk/by-path/pci-0:1",
      rate: 100,
    })
    expect(parseHugepages("2m:64M")).toEqual({ pageSize: "2MB", limitBytes: 64 * 1024 * 1024 })
    expect(parseRdma("mlx5_0:handles=2,objects=2000")).toEqual({ device: "mlx5_0", handles: 2, objects: 2000 })
  })

  test.each([
    [parseDeviceWeight, ["", "200", "/dev/sda", "/dev/sda:", "/dev/sda:5", "/dev/sda:1001", "sda:200", "/dev/sda:x"]],
    [parseDeviceBytes, ["/dev/sda:fast", "/dev/sda:-1", "/etc/passwd:1mb", ":1mb"]],
    [parseDeviceOperations, ["/dev/sda:1mb", "/dev/sda:1.5", "/dev/sda:-1", "/dev/sda:99999999999999999"]],
    [parseHugepages, ["64m", "2MB:", "2XB:64m", "../2MB:64m"]],
    [parseRdma, ["mlx5_0", "mlx5_0:", "mlx5_0:handles", "mlx5_0:handles=-1", "a b:handles=1", "mlx5_0:others=1"]],
    [parseDeviceCgroupRule, ["c", "c 1:3", "d 1:3 r", "c 1:3 x", "c 1:3 rwm\nc *:* rwm", "c -1:3 r", "c 1:3  r"]],
  ] as const)("%p refuses nonsense", (parse, words) => {
    for (const word of words) expect(() => parse(word)).toThrow()
  })

  test("a rule of devices is shown as it was written", () => {
    expect(parseDeviceCgroupRule("c 42:* rmw")).toEqual({ type: "c", major: 42, access: "rmw" })
    for (const rule of ["c 42:* rmw", "a *:* rwm", "b 8:0 r"])
      expect(formatDeviceCgroupRule(parseDeviceCgroupRule(rule))).toBe(rule)
  })
})
