import type { Place, ScanReport, Severity } from "../scan.ts"
import { cleanMarkup } from "./clean-markup.ts"

/** JUnit's XML, as CI systems read it: a suite for each kind of finding, a failed case for each. */
export function junitReport(report: ScanReport): string {
  const where = (place: Place): string => place.path ?? report.subject.name
  const suites = [
    suite("vulnerabilities", report.vulnerabilities, (each) => ({
      className: `${each.package.name}-${each.package.version}`,
      title: `[${each.severity.toUpperCase()}] ${each.id}`,
      text: each.description ?? each.title ?? "",
    })),
    suite("misconfigurations", report.misconfigurations, (each) => ({
      className: where(each.place),
      title: `[${each.severity.toUpperCase()}] ${each.id}`,
      text: each.message,
    })),
    suite("secrets", report.secrets, (each) => ({
      className: where(each.place),
      title: `[${each.severity.toUpperCase()}] ${each.ruleId}`,
      text: each.match,
    })),
    suite("malware", report.malware, (each) => ({
      className: where(each.place),
      title: `[${each.severity.toUpperCase()}] ${each.id}`,
      text: each.message,
    })),
  ]
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${cleanMarkup(report.subject.name)}">\n${suites.join("")}</testsuites>\n`
}

interface Case {
  className: string
  title: string
  text: string
}

function suite<T extends { severity: Severity }>(name: string, list: readonly T[], caseOf: (each: T) => Case): string {
  const cases = list.map((each) => {
    const { className, title, text } = caseOf(each)
    const [shownClass, shownTitle] = [cleanMarkup(className), cleanMarkup(title)]
    return `    <testcase classname="${shownClass}" name="${shownTitle}" time="">\n      <failure message="${shownTitle}" type="description">${cleanMarkup(text)}</failure>\n    </testcase>\n`
  })
  return `  <testsuite name="${name}" tests="${list.length}" failures="${list.length}" errors="0" skipped="0" time="">\n${cases.join("")}  </testsuite>\n`
}
