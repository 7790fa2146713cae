import { describe, expect, test } from "bun:test"
import { parseDevice } from "./device-request.ts"
import { parseDuration } from "./duration.ts"
import { parseEnv, parseEnvFile, parseKeyValue, parseLabelFile } from "./environment.ts"
import { parseExtraHost } from "./extra-host.ts"
import { isIpAddress } from "./ip-address.ts"
import { parseRestartPolicy } from "./restart-policy.ts"
import { parseTimestamp } from "./timestamp.ts"
import { parseUlimit } from "./ulimit.ts"

describe("parseUlimit()", () => {
  test("reads soft and hard limits", () => {
    expect(parseUlimit("nofile=1024:2048")).toEqual({ name: "nofile", soft: 1024, hard: 2048 })
    expect(parseUlimit("core=0")).toEqual({ name: "core", soft: 0, hard: 0 })
    expect(parseUlimit("memlock=-1:-1")).toEqual({ name: "memlock", soft: -1, hard: -1 })
  })
  test.each([
    ["nofile", "invalid ulimit argument"],
    ["nofile=a", "invalid ulimit argument"],
    ["foo=1", "invalid ulimit type: foo"],
    ["nofile=2:1", "must be less than or equal to hard limit: 2 > 1"],
    ["nofile=-1:5", "must be less than or equal to hard limit"],
    ["nofile=1:2:3", "invalid ulimit argument"],
  ])("refuses %p", (text, words) => expect(() => parseUlimit(text)).toThrow(words))
})

describe("parseDevice()", () => {
  test("reads host path, inner path and permissions", () => {
    expect(parseDevice("/dev/fuse")).toEqual({ hostPath: "/dev/fuse", containerPath: "/dev/fuse", permissions: "rwm" })
    expect(parseDevice("/dev/a:r").permissions).toBe("r")
    expect(parseDevice("/dev/a:/dev/b:rw")).toEqual({ hostPath: "/dev/a", containerPath: "/dev/b", permissions: "rw" })
  })
  test.each([
    ["fuse", "invalid device specification"],
    ["/dev/a:b", "invalid device specification"],
    ["/dev/a:/dev/b:rx", "invalid mode specified for device: rx"],
    ["/dev/a:/dev/b:rr", "invalid mode specified for device: rr"],
  ])("refuses %p", (text, words) => expect(() => parseDevice(text)).toThrow(words))
})

describe("parseRestartPolicy()", () => {
  test("reads names and counts", () => {
    expect(parseRestartPolicy("on-failure:3")).toEqual({ name: "on-failure", maximumRetryCount: 3 })
    expect(parseRestartPolicy("unless-stopped")).toEqual({ name: "unless-stopped", maximumRetryCount: 0 })
  })
  test.each([
    ["sometimes", "unknown policy 'sometimes'"],
    ["always:3", "can only be used with 'on-failure'"],
    ["on-failure:x", "maximum retry count must be an integer"],
    ["on-failure:1:2", "more than one colon"],
  ])("refuses %p", (text, words) => expect(() => parseRestartPolicy(text)).toThrow(words))
})

describe("environments", () => {
  test("parseEnv() takes the host's value for a bare name, and leaves out what the host lacks", () => {
    expect(parseEnv("A=b=c", {})).toBe("A=b=c")
    expect(parseEnv("A=", {})).toBe("A=")
    expect(parseEnv("HOME", { HOME: "/root" })).toBe("HOME=/root")
    expect(parseEnv("NOPE", {})).toBeUndefined()
    expect(() => parseEnv("=x", {})).toThrow("invalid environment variable: =x")
  })
  test("parseEnvFile() keeps quotes and trailing blanks, drops comments, and names the bad line", () => {
    const content = '\uFEFF# comment\nA="1 "\n  B=2 # no comment\r\nHOME\nGONE\n\n'
    expect(parseEnvFile(content, "f", { HOME: "/h" })).toEqual(['A="1 "', "B=2 # no comment", "HOME=/h"])
    expect(() => parseEnvFile("A=1\n=2\n", "f", {})).toThrow("f:2: no variable name on line '=2'")
    expect(() => parseEnvFile("A B=1\n", "f", {})).toThrow("f:1: variable 'A B' contains whitespaces")
  })
  test("parseLabelFile() and parseKeyValue() give a bare key an empty value", () => {
    expect(parseLabelFile("a=1\nb\n", "f")).toEqual([
      ["a", "1"],
      ["b", ""],
    ])
    expect(parseKeyValue("a=b=c")).toEqual(["a", "b=c"])
    expect(() => parseKeyValue("=b")).toThrow("expected KEY=VALUE")
  })
})

test("parseExtraHost() reads names and addresses, and knows host-gateway", () => {
  expect(parseExtraHost("db:10.0.0.2")).toBe("db:10.0.0.2")
  expect(parseExtraHost("db=[::1]")).toBe("db:::1")
  expect(parseExtraHost("h:host-gateway")).toBe("h:host-gateway")
  expect(() => parseExtraHost("db")).toThrow('bad format for add-host: "db"')
  expect(() => parseExtraHost("a\nb:1.2.3.4")).toThrow("bad format for add-host")
  expect(() => parseExtraHost("db:example.com")).toThrow("invalid IP address in add-host")
})

test("isIpAddress() knows addresses from names", () => {
  expect(["1.2.3.4", "::1", "fe80::1", "::ffff:1.2.3.4"].every(isIpAddress)).toBe(true)
  expect(["1.2.3", "01.2.3.4", "1.2.3.256", "::g", "a", "", "1:2", "::1%eth0", "::1:"].some(isIpAddress)).toBe(false)
})

describe("times", () => {
  test("parseDuration() reads Go's durations", () => {
    expect(parseDuration("1m30s")).toBe(90_000)
    expect(parseDuration("1.5h")).toBe(5_400_000)
    expect(parseDuration("250ms")).toBe(250)
    expect(parseDuration("0")).toBe(0)
    expect(parseDuration("-2s")).toBe(-2000)
    for (const bad of ["", "5", "1x", "s", "1m 2s", "1..5s"])
      expect(() => parseDuration(bad)).toThrow("invalid duration")
  })
  test("parseTimestamp() reads moments, seconds and spans", () => {
    const now = new Date("2026-11-21T12:00:00Z")
    expect(parseTimestamp("10m", now)).toEqual(new Date("2026-11-21T11:50:00Z"))
    expect(parseTimestamp("1795000000.5", now).getTime()).toBe(1_795_000_000_500)
    expect(parseTimestamp("2026-11-21T10:00:00.123456789Z", now)).toEqual(new Date("2026-11-21T10:00:00.123Z"))
    expect(parseTimestamp("2026-11-21T10:00:00+02:00", now)).toEqual(new Date("2026-11-21T08:00:00Z"))
    expect(parseTimestamp("2026-11-21", now)).toEqual(new Date(2026, 10, 21))
    expect(parseTimestamp("2026-11-21T10", now)).toEqual(new Date(2026, 10, 21, 10))
    for (const bad of ["", "yesterday", "2026-13-01", "2026-11-21 10:00"])
      expect(() => parseTimestamp(bad, now)).toThrow()
  })
})
