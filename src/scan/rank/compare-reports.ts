import type { Finding, ReportDifference, ScanReport } from "../scan.ts"

/** Compares by what was found in which package or file: another version of a package that is as weak is no news. */
export function compareReports(before: ScanReport, after: ScanReport): ReportDifference {
  const [old, now] = [keysOf(before), keysOf(after)]
  const isNew = (each: Finding) => !old.has(keyOf(each))
  const same = [...now].filter((key) => old.has(key)).length
  return {
    added: {
      ...after,
      vulnerabilities: after.vulnerabilities.filter(isNew),
      misconfigurations: after.misconfigurations.filter(isNew),
      secrets: after.secrets.filter(isNew),
      malware: after.malware.filter(isNew),
    },
    gone: old.size - same,
    same,
  }
}

function keysOf({ vulnerabilities, misconfigurations, secrets, malware }: ScanReport): Set<string> {
  return new Set([...vulnerabilities, ...misconfigurations, ...secrets, ...malware].map(keyOf))
}

function keyOf(each: Finding): string {
  switch (each.class) {
    case "vulnerability":
      return [each.class, each.id, each.package.type, each.package.name].join("\0")
    case "misconfiguration":
    case "malware":
      return [each.class, each.id, each.place.path ?? ""].join("\0")
    case "secret":
      return [each.class, each.ruleId, each.place.path ?? "", each.match].join("\0")
    case "end-of-life":
      return each.class
  }
}
