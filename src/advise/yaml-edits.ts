import type { Misconfiguration } from "../scan/scan.ts"
import type { Edit } from "./advice.ts"

/**
 * Settings that only take rights away which programs seldom use, where a block of lines has none of its kind yet: `no-new-privileges` of a
 * service (CIS-5.26), `allowPrivilegeEscalation: false` of a container (KSV001).
 */
export function yamlEdits(text: string, found: readonly Misconfiguration[]): Edit[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""))
  return found.flatMap(({ id, place }) => {
    const line = place.startLine ?? 0
    const before = lines[line - 1] ?? ""
    const after = id === "CIS-5.26" ? ofService(before) : id === "KSV001" ? ofContainer(before) : undefined
    return after === undefined ? [] : [{ line, before, after, ids: [id] }]
  })
}

/** The first line of a service's block. */
function ofService(line: string): string[] | undefined {
  const indent = /^ +(?=[A-Za-z_]\w*:(?: |$))/.exec(line)?.[0]
  return indent === undefined || /security_opt|[{[]/.test(line)
    ? undefined
    : [`${indent}security_opt: [no-new-privileges:true]`, line]
}

/** The first line of an item that has no securityContext. */
function ofContainer(line: string): string[] | undefined {
  const indent = /^( *)- (?:name|image): [^{[|>&*#]+$/.exec(line)?.[1]
  return indent === undefined
    ? undefined
    : [line, `${indent}  securityContext:`, `${indent}    allowPrivilegeEscalation: false`]
}
