import { at, listAt, numberAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { labelSelectorTest } from "../selectors.ts"
import type { Faults } from "./faults.ts"
import { labelValueFault, qualifiedNameFault } from "./names.ts"
import { canonical, checkPodSpec } from "./pod.ts"

/** Of an Indexed Job. */
const MAX_INDEXES = 100_000
const NOT_NEGATIVE = "must be greater than or equal to 0"
const CRON =
  /^(?:@(?:yearly|annually|monthly|weekly|daily|midnight|hourly)|@every \S+|(?:TZ=\S+ |CRON_TZ=\S+ )?\S+ \S+ \S+ \S+ \S+)$/

function notNegative(object: Tree, keys: readonly string[], faults: Faults): void {
  for (const key of keys) {
    const value = numberAt(object, "spec", key)
    if (value !== undefined && value < 0) faults.invalid(`spec.${key}`, value, NOT_NEGATIVE)
  }
}

/** A template's pod, and its labels. */
function checkTemplate(object: Tree, path: string, restart: readonly string[], faults: Faults): void {
  const template = treeAt(object, ...path.split("."))
  checkLabels(textsAt(template, "metadata", "labels"), `${path}.metadata.labels`, faults)
  const spec = treeAt(template, "spec")
  checkPodSpec(withClaims(spec, listAt(object, "spec", "volumeClaimTemplates")), `${path}.spec`, faults)
  const policy = textAt(spec, "restartPolicy")
  if (!restart.includes(policy)) faults.unsupported(`${path}.spec.restartPolicy`, policy, restart)
  if (restart.includes("Always") && numberAt(spec, "activeDeadlineSeconds") !== undefined)
    faults.forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ReplicaSet is not Supported`)
}

/** A StatefulSet's pods have a volume for each template of a claim, which their containers mount by its name. */
function withClaims(spec: Tree, claims: readonly unknown[]): Tree {
  if (claims.length === 0) return spec
  const names = claims.map((claim) => textAt(claim, "metadata", "name"))
  const own = listAt(spec, "volumes").filter((volume) => !names.includes(textAt(volume, "name")))
  return {
    ...spec,
    volumes: [...own, ...names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))],
  }
}

/** Keys and values. */
export function checkLabels(labels: Readonly<Record<string, string>>, path: string, faults: Faults): void {
  for (const [key, value] of Object.entries(labels)) {
    const keyFault = qualifiedNameFault(key)
    if (keyFault !== undefined) faults.invalid(path, key, keyFault)
    const valueFault = labelValueFault(value)
    if (valueFault !== undefined) faults.invalid(path, value, valueFault)
  }
}

function checkSelector(object: Tree, faults: Faults): void {
  const selector = at(object, "spec", "selector")
  if (selector === undefined) return faults.required("spec.selector")
  const isEmpty =
    Object.keys(treeAt(selector, "matchLabels")).length === 0 && listAt(selector, "matchExpressions").length === 0
  if (isEmpty) return faults.invalid("spec.selector", selector, "empty selector is invalid for deployment")
  checkLabels(textsAt(selector, "matchLabels"), "spec.selector.matchLabels", faults)
  const labels = textsAt(object, "spec", "template", "metadata", "labels")
  if (!labelSelectorTest(selector)(labels))
    faults.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")
}

/** What nobody changes once it is kept. */
export function immutable(
  object: Tree,
  before: Tree | undefined,
  path: readonly string[],
  faults: Faults,
  text = "field is immutable",
): void {
  if (before === undefined) return
  const value = at(object, ...path)
  if (canonical(value) !== canonical(at(before, ...path))) faults.invalid(path.join("."), value, text)
}

/** Deployment, ReplicaSet, StatefulSet, DaemonSet. */
export function checkController(object: Tree, before: Tree | undefined, faults: Faults): void {
  notNegative(object, ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"], faults)
  checkSelector(object, faults)
  checkTemplate(object, "spec.template", ["Always"], faults)
  immutable(object, before, ["spec", "selector"], faults)
  const strategy = treeAt(object, "spec", "strategy")
  if (strategy["type"] === "Recreate" && strategy["rollingUpdate"] !== undefined)
    faults.forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
  const deadline = numberAt(object, "spec", "progressDeadlineSeconds")
  const ready = numberAt(object, "spec", "minReadySeconds") ?? 0
  if (deadline !== undefined && deadline <= ready)
    faults.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
  const { maxUnavailable, maxSurge } = treeAt(strategy, "rollingUpdate")
  if (isZero(maxUnavailable) && isZero(maxSurge))
    faults.invalid("spec.strategy.rollingUpdate.maxUnavailable", maxUnavailable, "may not be 0 when `maxSurge` is 0")
}

function isZero(value: unknown): boolean {
  return value === 0 || value === "0" || value === "0%"
}

/** Of a StatefulSet, what may change. */
const FREE = new Set([
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
])

/** A StatefulSet changes its replicas, template and a little more. */
export function checkStatefulSet(object: Tree, before: Tree | undefined, faults: Faults): void {
  checkController(object, undefined, faults)
  if (before === undefined) return
  if (fixedPart(object) !== fixedPart(before))
    faults.forbidden(
      "spec",
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    )
}

function fixedPart(set: Tree): string {
  return canonical(Object.fromEntries(Object.entries(treeAt(set, "spec")).filter(([key]) => !FREE.has(key))))
}

/** batch/v1 Job. */
export function checkJob(object: Tree, before: Tree | undefined, faults: Faults): void {
  const counts = ["parallelism", "completions", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes"]
  notNegative(object, [...counts, "activeDeadlineSeconds", "ttlSecondsAfterFinished"], faults)
  checkIndexes(object, faults)
  checkTemplate(object, "spec.template", ["OnFailure", "Never"], faults)
  if (at(object, "spec", "completionMode") === "Indexed" && at(object, "spec", "completions") === undefined)
    faults.required("spec.completions", "when completion mode is Indexed")
  if (
    at(object, "spec", "completionMode") === "Indexed" &&
    (numberAt(object, "spec", "completions") ?? 0) > MAX_INDEXES
  )
    faults.invalid(
      "spec.completions",
      at(object, "spec", "completions"),
      `must be less than or equal to ${MAX_INDEXES}`,
    )
  if (before === undefined) return
  immutable(object, before, ["spec", "completions"], faults)
  immutable(object, before, ["spec", "selector"], faults)
  if (at(before, "spec", "suspend") !== true) immutable(object, before, ["spec", "template"], faults)
  immutable(object, before, ["spec", "completionMode"], faults)
}

/** What only indexes can be told apart by (batch/v1, validateJobSpec). */
function checkIndexes(object: Tree, faults: Faults): void {
  const isIndexed = at(object, "spec", "completionMode") === "Indexed"
  for (const key of ["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"]) {
    const value = at(object, "spec", key)
    if (value !== undefined && !isIndexed) faults.invalid(`spec.${key}`, value, "requires indexed completion mode")
  }
  const perIndex = numberAt(object, "spec", "backoffLimitPerIndex")
  const most = numberAt(object, "spec", "maxFailedIndexes")
  if (most !== undefined && perIndex === undefined)
    faults.required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
  if (most !== undefined && most > (numberAt(object, "spec", "completions") ?? Infinity))
    faults.invalid("spec.maxFailedIndexes", most, "must be less than or equal to completions")
  if (at(object, "spec", "podFailurePolicy") === undefined) return
  const policy = textAt(object, "spec", "template", "spec", "restartPolicy")
  if (policy !== "Never")
    faults.invalid(
      "spec.template.spec.restartPolicy",
      policy,
      'only "Never" is supported when pod failure policy is specified',
    )
  for (const [index, rule] of listAt(object, "spec", "podFailurePolicy", "rules").entries())
    if (textAt(rule, "action") === "FailIndex" && perIndex === undefined)
      faults.invalid(
        `spec.podFailurePolicy.rules[${index}].action`,
        "FailIndex",
        "requires the backoffLimitPerIndex to be set",
      )
}

/** batch/v1 CronJob. */
export function checkCronJob(object: Tree, faults: Faults): void {
  const schedule = textAt(object, "spec", "schedule")
  if (schedule === "") faults.required("spec.schedule")
  else if (!CRON.test(schedule))
    faults.invalid(
      "spec.schedule",
      schedule,
      `expected exactly 5 fields, found ${schedule.split(/\s+/).length}: [${schedule}]`,
    )
  notNegative(object, ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"], faults)
  checkTemplate(object, "spec.jobTemplate.spec.template", ["OnFailure", "Never"], faults)
  const name = textAt(object, "metadata", "name")
  if (name.length > 52) faults.invalid("metadata.name", name, "must be no more than 52 characters")
}

/** autoscaling/v2. */
export function checkAutoscaler(object: Tree, faults: Faults): void {
  const least = numberAt(object, "spec", "minReplicas") ?? 1
  const most = numberAt(object, "spec", "maxReplicas")
  if (least < 1) faults.invalid("spec.minReplicas", least, "must be greater than or equal to 1")
  if (most !== undefined && most < 1) faults.invalid("spec.maxReplicas", most, "must be greater than 0")
  else if (most !== undefined && most < least)
    faults.invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
  for (const key of ["kind", "name"])
    if (textAt(object, "spec", "scaleTargetRef", key) === "") faults.required(`spec.scaleTargetRef.${key}`)
}

/** policy/v1. */
export function checkBudget(object: Tree, faults: Faults): void {
  const spec = treeAt(object, "spec")
  if (spec["minAvailable"] !== undefined && spec["maxUnavailable"] !== undefined)
    faults.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
}
