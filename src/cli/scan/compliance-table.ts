import { printable } from "../../base/printable.ts"
import type { ComplianceReport } from "../../scan/scan.ts"
import { alignCells } from "../output/columns.ts"

const WORDS = { pass: "PASS", fail: "FAIL", "not-checkable": "-" } as const

/** A profile's rules for people: each with its verdict, and what it stands on below it. */
export function complianceTable({ standard, subject, note, rules }: ComplianceReport): string {
  const rows = [["RULE", "RESULT", "TITLE"], ...rules.map(({ id, status, title }) => [id, WORDS[status], title])]
  const [titles = "", ...lines] = alignCells(rows)
  const count = (status: keyof typeof WORDS) => rules.filter((rule) => rule.status === status).length
  const text = [printable(`${subject}: ${standard}`), "", titles.trimEnd()]
  for (const [index, line] of lines.entries()) {
    text.push(line.trimEnd())
    for (const one of rules[index]?.evidence ?? []) text.push(`    ${printable(one.replaceAll(/[\r\n\t]+/g, " "))}`)
  }
  const counts = `${count("pass")} passed, ${count("fail")} failed, ${count("not-checkable")} not checkable (-)`
  return [...text, "", counts, note, ""].join("\n")
}
