import type { Severity } from "../../scan.ts"
import type { Rule } from "../rule.ts"

/** A rule on Kubernetes' objects, by Trivy's number. */
export function kubeRule(number: number, severity: Severity, title: string, resolution: string): Rule {
  const digits = String(number)
  const id = `KSV${digits.padStart(3, "0")}`
  // Trivy writes this one with five
  const long = number === 1010 ? "01010" : digits.padStart(4, "0")
  return {
    id,
    aliases: [`AVD-KSV-${long}`, `KSV-${long}`],
    severity,
    title,
    resolution,
    references: [`https://avd.aquasec.com/misconfig/${id.toLowerCase()}`],
  }
}
