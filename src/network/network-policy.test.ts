import { describe, expect, test } from "bun:test"
import { areOpen, networkPolicy } from "./network-policy.ts"

const policy = (driverOptions: Record<string, string> = {}, internal?: boolean) =>
  networkPolicy({ options: { driverOptions, ...(internal && { internal }) } })

describe("the policy of a network", () => {
  test("that says nothing is docker's: its members reach each other and the outside, other networks do not", () => {
    expect(policy()).toEqual({ internal: false, icc: true, masquerade: true, isolate: "strict" })
  })

  test("is said in docker's and podman's words", () => {
    expect(policy({ "com.docker.network.bridge.enable_icc": "0" }).icc).toBe(false)
    expect(policy({ "com.docker.network.bridge.enable_ip_masquerade": "False" }).masquerade).toBe(false)
    expect(policy({}, true)).toMatchObject({ internal: true, masquerade: false })
    expect(policy({ isolate: "1" }).isolate).toBe("true")
  })

  test.each([
    ["com.docker.network.bridge.enable_icc", "maybe"],
    ["isolate", "sometimes"],
  ])("refuses %s=%s", (key, value) => {
    expect(() => policy({ [key]: value })).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
  })

  test.each([
    [undefined, undefined, false],
    ["false", undefined, false],
    ["false", "strict", false],
    ["false", "true", true],
    ["false", "false", true],
    ["true", "true", false],
  ])("isolate=%s and isolate=%s: open %p", (one, other, isOpen) => {
    const [first, second] = [one, other].map((isolate) => policy(isolate === undefined ? {} : { isolate }))
    expect(first && second && [areOpen(first, second), areOpen(second, first)]).toEqual([isOpen, isOpen])
  })
})
