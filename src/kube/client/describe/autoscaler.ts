import { selectorText } from "../../api/selectors.ts"
import { at, listAt, numberAt, textAt, treeAt, type Tree } from "../../field.ts"
import type { Lines } from "./lines.ts"
import { time } from "./time.ts"

/** What `describe horizontalpodautoscaler` says: each metric as it is, and as it is wanted. */
export function describeAutoscaler(lines: Lines, object: Tree): void {
  lines.name(object)
  lines.pair("CreationTimestamp", time(at(object, "metadata", "creationTimestamp")))
  const target = at(object, "spec", "scaleTargetRef")
  lines.pair("Reference", `${textAt(target, "kind")}/${textAt(target, "name")}`)
  lines.pair("Metrics", "( current / target )")
  for (const [index, metric] of listAt(object, "spec", "metrics").entries())
    describeMetric(lines, metric, listAt(object, "status", "currentMetrics")[index])
  lines.pair("Min replicas", numberAt(object, "spec", "minReplicas") ?? "<unset>")
  lines.pair("Max replicas", numberAt(object, "spec", "maxReplicas"))
  describeBehavior(lines, treeAt(object, "spec", "behavior"))
  lines.pair(
    `${textAt(target, "kind")} pods`,
    `${numberAt(object, "status", "currentReplicas") ?? 0} current / ${numberAt(object, "status", "desiredReplicas") ?? 0} desired`,
  )
  const conditions = listAt(object, "status", "conditions")
  if (conditions.length > 0)
    lines.section("Conditions", [
      ["Type", "Status", "Reason", "Message"],
      ["----", "------", "------", "-------"],
      ...conditions.map((one) => ["type", "status", "reason", "message"].map((key) => textAt(one, key))),
    ])
}

function describeMetric(lines: Lines, metric: unknown, current: unknown): void {
  const type = textAt(metric, "type")
  const key = `${type.charAt(0).toLowerCase()}${type.slice(1)}`
  const [wanted, now] = [treeAt(metric, key), treeAt(current, key, "current")]
  const name = textAt(wanted, "name") || textAt(wanted, "metric", "name")
  const utilization = numberAt(wanted, "target", "averageUtilization")
  if (utilization === undefined) {
    const target = at(wanted, "target", "averageValue") ?? at(wanted, "target", "value")
    const value = at(now, "averageValue") ?? at(now, "value") ?? "<unknown>"
    return lines.pair(`resource ${name} on pods`, `${String(value)} / ${String(target)}`, 1)
  }
  const used = numberAt(now, "averageUtilization")
  const shown = used === undefined ? "<unknown>" : `${used}% (${String(at(now, "averageValue"))})`
  lines.pair(`resource ${name} on pods  (as a percentage of request)`, `${shown} / ${utilization}%`, 1)
}

function describeBehavior(lines: Lines, behavior: Tree): void {
  if (Object.keys(behavior).length === 0) return
  lines.line("Behavior:")
  for (const [key, head] of [
    ["scaleUp", "Scale Up"],
    ["scaleDown", "Scale Down"],
  ] as const) {
    const rules = treeAt(behavior, key)
    if (Object.keys(rules).length === 0) continue
    lines.line(`${head}:`, 1)
    const seconds = numberAt(rules, "stabilizationWindowSeconds")
    if (seconds !== undefined) lines.pair("Stabilization Window", `${seconds} seconds`, 2)
    lines.pair("Select Policy", textAt(rules, "selectPolicy") || "Max", 2)
    const policies = listAt(rules, "policies")
    if (policies.length > 0) lines.line("Policies:", 2)
    for (const policy of policies)
      lines.line(
        `- Type: ${textAt(policy, "type")}  Value: ${numberAt(policy, "value")}  Period: ${numberAt(policy, "periodSeconds")} seconds`,
        3,
      )
  }
}

/** What `describe poddisruptionbudget` says. */
export function describeBudget(lines: Lines, budget: Tree): void {
  lines.pair("Name", textAt(budget, "metadata", "name"))
  lines.pair("Namespace", textAt(budget, "metadata", "namespace"))
  for (const [key, head] of [
    ["minAvailable", "Min available"],
    ["maxUnavailable", "Max unavailable"],
  ] as const) {
    const value = at(budget, "spec", key)
    if (value !== undefined) lines.pair(head, value)
  }
  lines.pair("Selector", selectorText(at(budget, "spec", "selector")))
  lines.line("Status:")
  for (const [key, head] of [
    ["disruptionsAllowed", "Allowed disruptions"],
    ["currentHealthy", "Current"],
    ["desiredHealthy", "Desired"],
    ["expectedPods", "Total"],
  ] as const)
    lines.pair(head, numberAt(budget, "status", key) ?? 0, 2)
}
