import { describe, expect, test } from "bun:test"
import { kindsOf, rulesFor, violations } from "./check-policy.ts"
import { parsePolicy } from "./policy-file.ts"
import type { Finding, Malware, Misconfiguration, Vulnerability } from "../scan.ts"
import { cpuMs } from "../../../test/support/cpu-time.ts"

const ROOT = {
  class: "misconfiguration",
  id: "CIS-4.1",
  aliases: ["DS002"],
  severity: "high",
  message: "root",
  place: {},
} as unknown as Misconfiguration
const EVIL = {
  class: "malware",
  id: "eicar",
  severity: "critical",
  message: "known",
  place: { path: "/e" },
} as unknown as Malware
const HOLE = {
  class: "vulnerability",
  id: "CVE-1",
  aliases: [],
  severity: "critical",
  fixedVersions: [],
  package: { name: "a", version: "1" },
} as unknown as Vulnerability
const broken = async (text: string, findings: Finding[], trust?: "signed" | "accepted") =>
  violations(await parsePolicy(text, "p"), { findings }, trust && { trust, evidence: trust }).map(
    ({ rule, found }) => `${rule} | ${found}`,
  )

describe("a policy", () => {
  test("forbids by any name of a rule", async () => {
    const policy = '[[rule]]\nname = "no root"\ndeny = ["DS002"]'
    expect(await broken(policy, [ROOT, EVIL])).toEqual(["no root | CIS-4.1: root"])
    expect(await broken(policy, [EVIL])).toEqual([])
  })

  test("forbids by severity, of some kinds, of what can be mended", async () => {
    expect(await broken('[[rule]]\nname = "r"\nseverity = "critical"', [ROOT, EVIL, HOLE])).toEqual([
      "r | eicar: known (/e)",
      "r | CVE-1: a 1",
    ])
    expect(await broken('[[rule]]\nname = "r"\nseverity = "high"\nkinds = ["misconfig"]', [ROOT, EVIL, HOLE])).toEqual([
      "r | CIS-4.1: root",
    ])
    expect(await broken('[[rule]]\nname = "r"\nseverity = "high"\nkinds = ["vuln"]\nfixable = true', [HOLE])).toEqual(
      [],
    )
  })

  test("takes what was not looked at for broken, by rules on what is found alone", async () => {
    const rules = await parsePolicy(
      '[[rule]]\nname = "holes"\nseverity = "critical"\n[[rule]]\nname = "signed"\nunsigned = true',
      "p",
    )
    const unseen = ["all but the first 100000 packages"]
    expect(violations(rules, { findings: [], unseen }, { trust: "signed", evidence: "signed" })).toEqual([
      { rule: "holes", found: "not looked at: all but the first 100000 packages" },
    ])
  })

  test("asks for a signature", async () => {
    const policy = '[[rule]]\nname = "signed"\nunsigned = true'
    expect(await broken(policy, [], "accepted")).toEqual(["signed | accepted"])
    expect(await broken(policy, [], "signed")).toEqual([])
    expect(kindsOf(await parsePolicy(policy, "p"))).toEqual([])
  })

  test("concerns the images that it names", async () => {
    const rules = await parsePolicy(
      '[[rule]]\nname = "a"\nunsigned = true\nexcept = ["localhost/*"]\n[[rule]]\nname = "b"\nunsigned = true\nimages = ["*.example/*:1*"]',
      "p",
    )
    const called = (names: readonly string[], isProven = true, digests: readonly string[] = []) =>
      rulesFor(rules, { names, digests, isProven: () => isProven }).map(({ name }) => name)
    const of = (...names: string[]) => called(names)
    expect(of("localhost/x:1")).toEqual([])
    expect(of("r.example/x/y:1.2")).toEqual(["a", "b"])
    expect(of("r.example/x/y:2")).toEqual(["a"])
    expect(of()).toEqual(["a"])
    // another name of the same image is no way round
    expect(of("localhost/x:1", "evil.example/x:1")).toEqual(["a", "b"])
    expect(of("localhost/x:1", "localhost/x@sha256:1")).toEqual([])
    // what an archive calls itself is no proof; a digest is
    expect(called(["localhost/x:1"], false)).toEqual(["a"])
    const excepted = await parsePolicy('[[rule]]\nname = "a"\nunsigned = true\nexcept = ["sha256:1"]', "p")
    const digested = { names: ["localhost/x:1"], digests: ["sha256:1"], isProven: () => false }
    expect(rulesFor(excepted, digested)).toEqual([])
    expect(rulesFor(excepted, { ...digested, digests: ["sha256:2"] })).toHaveLength(1)
    const started = cpuMs()
    rulesFor(
      rules.map((rule) => Object.assign(rule, { images: ["*a".repeat(5_000)] })),
      { names: ["a".repeat(100_000)], digests: [], isProven: () => true },
    )
    expect(cpuMs() - started).toBeLessThan(1_000)
  })

  test("says what is wrong with its file", async () => {
    const cases: [text: string, message: string][] = [
      ["[[rule]]\n", '"p", rule 1 has no name'],
      ['[[rule]]\nname = "a"', "forbids nothing"],
      ['[[rule]]\nname = "a"\ndeny = "x"', "deny is no list"],
      ['[[rule]]\nname = "a"\nseverity = "bad"', 'severity is "bad"'],
      ['[[rule]]\nname = "a"\nunsigned = true\nfoo = 1', 'unknown key "foo"'],
      ['[[rule]]\nname = "a"\nunsigned = true\nkinds = ["x"]', 'kinds has "x"'],
      ["foo = 1", "is no policy"],
      ["x", "is not TOML"],
    ]
    for (const [text, message] of cases) await expect(parsePolicy(text, "p")).rejects.toThrow(message)
  })
})
