import type { ComplianceInput, ComplianceReport, ProfileName } from "../scan.ts"
import { RULES_OF } from "./profiles.ts"

const NOTE =
  "This is a help to find what breaks a rule, and no certificate: most of each standard is about people, contracts and networks that no scan sees."

/** Holds a report against a profile's rules. Pure. */
export function checkCompliance(profile: ProfileName, input: ComplianceInput): ComplianceReport {
  const { standard, rules } = RULES_OF[profile]
  return {
    profile,
    standard,
    subject: input.report.subject.name,
    createdAt: input.report.createdAt,
    note: NOTE,
    rules: rules.map(({ id, title, check }) => Object.assign({ id, title }, check(input))),
  }
}
