import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DEFAULT_CAPABILITIES } from "./capabilities.ts"
import type { SeccompTarget } from "./seccomp-target.ts"
import { customSeccomp, DEFAULT_PROFILE, defaultSeccomp, resolveProfile } from "./seccomp.ts"

const TARGET: SeccompTarget = {
  capabilities: DEFAULT_CAPABILITIES,
  architecture: "amd64",
  kernel: [6, 1],
  uses32BitSockets: false,
}
const rule = (name: string, conditions: object) => ({ names: [name], action: "SCMP_ACT_ALLOW", ...conditions })

test("rules are kept by capability, architecture and kernel", () => {
  const profile = {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 38,
    archMap: [{ architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] }],
    syscalls: [
      rule("always", {}),
      rule("with-chown", { includes: { caps: ["CAP_CHOWN"] } }),
      rule("with-admin", { includes: { caps: ["CAP_SYS_ADMIN"] } }),
      rule("without-chown", { excludes: { caps: ["CAP_CHOWN"] } }),
      rule("amd64", { includes: { arches: ["amd64"] } }),
      rule("arm64", { includes: { arches: ["arm64"] } }),
      rule("old", { includes: { minKernel: "4.8" } }),
      rule("new", { includes: { minKernel: "6.10" } }),
    ],
  }
  const resolved = resolveProfile(profile, TARGET)
  expect(resolved.syscalls.flatMap(({ names }) => names)).toEqual(["always", "with-chown", "amd64", "old"])
  expect(resolved.architectures).toEqual(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
  expect(resolved.defaultErrnoRet).toBe(38)
})

describe("profiles on disk", () => {
  let directory: string
  beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), "skiff-seccomp-"))))
  afterAll(() => rmSync(directory, { recursive: true }))

  test("a missing default says which package has it", () => {
    expect(() => defaultSeccomp(TARGET, directory, join(directory, "none.json"))).toThrow(
      expect.objectContaining({
        code: "FailedPrecondition",
        hint: [
          expect.stringContaining("install"),
          { do: "set", field: "securityOptions", value: "seccomp=unconfined" },
        ],
      }),
    )
  })

  test.each(["", "[]", "null", "{}", '{"defaultAction":"rm","syscalls":[]}', '{"defaultAction":"SCMP_ACT_ERRNO"}'])(
    "refuses %j",
    (text) => {
      const path = join(directory, "bad.json")
      writeFileSync(path, text)
      expect(() => customSeccomp(TARGET, path)).toThrow(expect.objectContaining({ code: "InvalidArgument" }))
    },
  )

  test.skipIf(!existsSync(DEFAULT_PROFILE))("the default is compiled once for each set of capabilities", () => {
    const cache = join(directory, "cache")
    const first = defaultSeccomp(TARGET, cache)
    expect(defaultSeccomp(TARGET, cache)).toEqual(first)
    expect(readdirSync(cache)).toHaveLength(1)
    defaultSeccomp({ ...TARGET, capabilities: [] }, cache)
    expect(readdirSync(cache)).toHaveLength(2)
    // half a file of a killed process, or a flipped bit: made anew
    for (const name of readdirSync(cache)) writeFileSync(join(cache, name), "{")
    expect(defaultSeccomp(TARGET, cache)).toEqual(first)
  })

  test.skipIf(!existsSync(DEFAULT_PROFILE))("no rule allows what another refuses without looking at arguments", () => {
    for (const capabilities of [DEFAULT_CAPABILITIES, [], ["CAP_SYS_ADMIN"]]) {
      const { syscalls } = defaultSeccomp({ ...TARGET, capabilities }, join(directory, "cache2")).rules
      const plain = syscalls.filter(({ args }) => args === undefined)
      const refused = new Set(plain.filter(({ action }) => action === "SCMP_ACT_ERRNO").flatMap(({ names }) => names))
      const allowed = syscalls.filter(({ action }) => action === "SCMP_ACT_ALLOW").flatMap(({ names }) => names)
      // libseccomp takes the first of two rules, and runc drops the second's error
      expect(allowed.filter((name) => refused.has(name))).toEqual([])
    }
  })

  test.skipIf(!existsSync(DEFAULT_PROFILE))("32-bit x86 is for images made for it", () => {
    const cache = join(directory, "cache3")
    expect(defaultSeccomp(TARGET, cache).rules.architectures).toEqual(["SCMP_ARCH_X86_64"])
    expect(defaultSeccomp({ ...TARGET, uses32BitSockets: true }, cache).rules.architectures).toContain("SCMP_ARCH_X86")
  })
})
