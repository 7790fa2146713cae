import { expect, test } from "bun:test"
import { fillTemplate } from "./fill-template.ts"

test("Trivy's own functions: text for XML, a sentence's end, the time", () => {
  const report = { Results: [{ Target: `a<b>&"c"`, Class: "OS" }] }
  const template =
    '{{range .}}{{escapeXML .Target}} {{toLower .Class}} {{endWithPeriod "so"}} {{endWithPeriod "so."}}{{end}}'
  expect(fillTemplate(template, report)).toBe("a&#60;b&#62;&#38;&#34;c&#34; os so. so.")
  expect(Date.parse(fillTemplate("{{now}}", report))).toBeCloseTo(Date.now(), -5)
})

test("what Trivy's templates for others call: the environment, sums, patterns, lists with the value last", () => {
  const vulnerability = { VulnerabilityID: "CVE-1", PkgName: "a", Title: 'say "x"', CVSS: { nvd: { V3Score: 9.8 } } }
  const filled = (template: string) =>
    fillTemplate(template, { Results: [{ Target: "a:1 (debian 12)", Vulnerabilities: [vulnerability] }] })
  process.env["SKIFF_TEST_REGION"] = "eu"
  expect(filled('{{ getEnv "SKIFF_TEST_REGION" }}{{ getEnv "SKIFF_TEST_NOT_THERE" }}')).toBe("eu")
  expect(filled('{{ range . }}{{ .Target | regexFind "[^\\\\s]+" }}{{ end }}')).toBe("a:1")
  expect(
    filled(
      "{{ range . }}{{ len .Misconfigurations }}{{ range .Vulnerabilities }}{{ .Vulnerability.Title }}{{ end }}{{ end }}",
    ),
  ).toBe('0say "x"')
  expect(
    filled('{{ range . }}{{ range .Vulnerabilities }}{{ (index .CVSS (sourceID "nvd")).V3Score }}{{ end }}{{ end }}'),
  ).toBe("9.8")
  expect(filled('{{ list "a" "b" | join " - " | printf "%q" }} {{ list "a" "b" | join "" | sha1sum }}')).toBe(
    '"a - b" da23614e02469a0d7c7bd1bdab5c9c474b1904dc',
  )
  expect(
    filled(
      '{{ abbrev 6 "longer text" }} {{ trimPrefix "v" "v1" }} {{ default "d" "" }} {{ add 1 2 3 }} {{ escapeString "<\'>" }}',
    ),
  ).toBe("lon... 1 d 6 &lt;&#39;&gt;")
  expect(filled("{{ appVersion }}")).toMatch(/^\d+\./)
  expect(filled('{{ "2026-11-30T01:02:03Z" | date "2006-01-02T15:04:05" }}')).toBe("2026-11-30T01:02:03")
})
