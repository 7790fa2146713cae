import { describe, expect, test } from "bun:test"
import { checkCompliance } from "./compliance.ts"
import { PROFILES } from "./profile-names.ts"
import type { Malware, Misconfiguration, Publisher, ScanReport, Secret } from "../scan.ts"

const CLEAN: ScanReport = {
  createdAt: "2026-11-30T00:00:00Z",
  subject: { kind: "image", name: "web:1", layers: [] },
  scanners: ["vuln", "misconfig", "secret", "malware"],
  found: {
    distribution: undefined,
    packages: [{ type: "deb", kind: "dpkg", name: "a", version: "1", foundIn: "/s" }],
    leftOut: [],
  },
  vulnerabilities: [],
  misconfigurations: [],
  secrets: [],
  malware: [],
  ignored: [],
  data: [],
  leftOut: [],
}
const SIGNED: Publisher = { repository: "web", trust: "signed", evidence: "signed" }
const statuses = (profile: (typeof PROFILES)[number], report: ScanReport, publisher?: Publisher) =>
  Object.fromEntries(checkCompliance(profile, { report, publisher }).rules.map(({ id, status }) => [id, status]))

const ROOT: Misconfiguration = {
  class: "misconfiguration",
  id: "CIS-4.1",
  aliases: ["DS002"],
  title: "root",
  message: "the image names no user",
  severity: "high",
  resolution: "",
  references: [],
  kind: "image",
  place: {},
}
const SECRET: Secret = {
  class: "secret",
  ruleId: "github-pat",
  category: "",
  title: "token",
  severity: "critical",
  match: "***",
  place: { path: "/a" },
  isDeleted: false,
}
const EVIL: Malware = {
  class: "malware",
  id: "eicar",
  title: "EICAR",
  severity: "critical",
  source: "eicar",
  message: "known",
  place: { path: "/e" },
}

const trust = (publisher?: Publisher) => statuses("cis", CLEAN, publisher)["4.5"]

describe("checkCompliance()", () => {
  for (const profile of PROFILES) {
    test(`${profile}: what is clean and signed fails no rule, says what it stands on, and is no certificate`, () => {
      const { rules, note } = checkCompliance(profile, { report: CLEAN, publisher: SIGNED })
      expect(rules.filter(({ status }) => status === "fail")).toEqual([])
      expect(rules.filter(({ evidence }) => evidence.length === 0)).toEqual([])
      expect(rules.some(({ status }) => status === "not-checkable")).toBe(true)
      expect(note).toContain("no certificate")
    })

    test(`${profile}: without looks nothing passes for it`, () => {
      const passed = checkCompliance(profile, { report: { ...CLEAN, scanners: [] } }).rules.filter(
        ({ status }) => status === "pass",
      )
      expect(passed.map(({ id }) => id).filter((id) => !["11.3", "6.3.2", "32(1)(d)"].includes(id))).toEqual([])
    })
  }

  test("what is found fails its rules", () => {
    const bad = { ...CLEAN, misconfigurations: [ROOT], secrets: [SECRET], malware: [EVIL] }
    expect(statuses("pci-dss", bad)).toMatchObject({
      "7.2": "fail",
      "8.3.2": "fail",
      "5.2": "fail",
      "10.2": "not-checkable",
    })
    expect(statuses("hipaa", bad)).toMatchObject({ "164.312(a)(1)": "fail", "164.312(d)": "fail" })
    expect(statuses("gdpr", bad)).toMatchObject({ "25": "fail", "5(1)(f)": "fail" })
    expect(statuses("cis", bad)).toMatchObject({
      "4.1": "fail",
      "4.10": "fail",
      "4.11": "fail",
      "4.6": "pass",
      "5.5": "not-checkable",
    })
  })

  test("the rules on containers are held against a container", () => {
    const subject = { ...CLEAN.subject, kind: "container" as const }
    expect(statuses("cis", { ...CLEAN, subject })).toMatchObject({
      "5.5": "pass",
      "5.10": "pass",
      "5.24": "not-checkable",
    })
    const privileged = { ...ROOT, id: "CIS-5.5", aliases: [] }
    expect(statuses("cis", { ...CLEAN, subject, misconfigurations: [privileged] })).toMatchObject({ "5.5": "fail" })
  })

  test("publisher and signature are part of it", () => {
    expect([
      trust(SIGNED),
      trust({ ...SIGNED, trust: "accepted" }),
      trust({ trust: "unknown", evidence: "built here" }),
      trust(),
    ]).toEqual(["pass", "fail", "not-checkable", "not-checkable"])
  })
})
