import type { Job, JobStatus, PodFailurePolicyRule } from "kubernetes-types/batch/v1"
import type { Pod, PodTemplateSpec } from "kubernetes-types/core/v1"
import { conditionOf, withCondition } from "./conditions.ts"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import { finishOf } from "./cron-jobs.ts"
import { addIndex, indexesOf, indexText, MAX_INDEX } from "./job-indexes.ts"
import type { Kept } from "./kept.ts"
import { controllerOf, ownerKeys } from "./owners.ts"
import { BURST, createPod, deletePod, type ControllerDeps } from "./pod-control.ts"
import { isActive, isFinished, isReady, isTerminating, restartsOf, type KeptPod } from "./pod-state.ts"
import { timeOf, timestamp } from "./times.ts"

const RESOURCE = "jobs.batch"
const COMPONENT = "job-controller"
/** Holds a pod until its end was counted. */
const TRACKING = "batch.kubernetes.io/job-tracking"
/** Of a pod of an indexed Job: which index it works on. */
export const INDEX = "batch.kubernetes.io/job-completion-index"
/** Of a pod: how often its index had failed before. */
const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
const [FIRST_DELAY_MS, LONGEST_DELAY_MS] = [10_000, 360_000]
const DEFAULT_BACKOFF_LIMIT = 6

type KeptJob = Kept<Job>

/** Later fields of the API than the types know. */
type LaterStatus = JobStatus & { failedIndexes?: string; terminating?: number }
type JobSpec = NonNullable<Job["spec"]> & {
  backoffLimitPerIndex?: number
  maxFailedIndexes?: number
  successPolicy?: { rules?: { succeededIndexes?: string; succeededCount?: number }[] }
}

/** What the failure policy makes of a pod's failure: the first rule that fits. Pure. */
export function failureAction(
  pod: KeptPod,
  rules: readonly PodFailurePolicyRule[],
): { action: string; rule: number; message: string } | undefined {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const who = `${pod.metadata.namespace}/${pod.metadata.name}`
  for (const [rule, { action, onExitCodes, onPodConditions }] of rules.entries()) {
    const end = `matching ${action} rule at index ${rule}`
    if (onExitCodes) {
      const { containerName, operator, values } = onExitCodes
      const found = statuses.find(({ name, state }) => {
        const code = state?.terminated?.exitCode
        if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) return false
        return operator === "In" ? values.includes(code) : !values.includes(code)
      })
      const code = found?.state?.terminated?.exitCode
      if (found)
        return { action, rule, message: `Container ${found.name} for pod ${who} failed with exit code ${code} ${end}` }
      continue
    }
    const met = (onPodConditions ?? []).find(
      ({ type, status }) => conditionOf(pod.status?.conditions, type)?.status === (status ?? "True"),
    )
    if (met) return { action, rule, message: `Pod ${who} has condition ${met.type} ${end}` }
  }
  return undefined
}

const indexOf = ({ metadata }: KeptPod): number => Number(metadata.annotations?.[INDEX] ?? Number.NaN)

/** How often the pod's index had failed before it. */
const failuresBefore = ({ metadata }: KeptPod): number => Number(metadata.annotations?.[INDEX_FAILURES] ?? 0) || 0

/** Whether this failure is the last one that its index may have: by its limit, or by the failure policy. Pure. */
export function failsIndex(pod: KeptPod, { backoffLimitPerIndex: limit, podFailurePolicy }: JobSpec): boolean {
  if (limit === undefined) return false
  const action = failureAction(pod, podFailurePolicy?.rules ?? [])?.action
  return action === "FailIndex" || (action !== "Ignore" && failuresBefore(pod) >= limit)
}

/** How long after its last failure a Job makes its next pod. Pure. */
export function jobDelayMs(failures: number): number {
  return failures <= 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1))
}

/** Runs pods to their ends, as many as each Job wants. */
export function jobController(deps: ControllerDeps): Controller {
  const { cluster, recorder } = deps
  return {
    name: COMPONENT,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === RESOURCE) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource === "pods") yield* ownerKeys(change, "Job")
    },
    reconcile(key) {
      const job = cluster.byKey<Job>(RESOURCE, key)
      if (job === undefined) return void freeOrphans(key)
      const counted = count(job)
      if (counted === undefined) return undefined
      if (counted.metadata.deletionTimestamp !== undefined) {
        for (const pod of podsOf(counted)) withoutTracking(pod)
        return undefined
      }
      const ended = finishOf(counted)
      return ended === undefined ? work(counted) : keepEnded(counted, ended.at)
    },
  }

  /** Of a Job that is gone: nobody counts them any more. */
  function freeOrphans(key: string): void {
    const [namespace = "", name = ""] = key.split("/")
    for (const pod of cluster.list<Pod>("pods", namespace)) {
      const owner = controllerOf(pod)
      if (owner?.kind === "Job" && owner.name === name && cluster.byUid(owner.uid) === undefined) withoutTracking(pod)
    }
  }

  function podsOf({ metadata: { uid } }: KeptJob): KeptPod[] {
    return cluster.ownedBy<Pod>(uid, "pods").filter((pod) => controllerOf(pod)?.uid === uid)
  }

  /**
   * Counts what has ended, each pod once whoever is killed at which line: its uid is written down, then its finalizer taken away, then the
   * number goes up and the uid goes (kubernetes: KEP-2307).
   */
  function count(job: KeptJob): KeptJob | undefined {
    const pods = podsOf(job)
    const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {}
    const isNew = ({ metadata: { uid, finalizers } }: KeptPod): boolean =>
      finalizers?.includes(TRACKING) === true && !succeeded.includes(uid) && !failed.includes(uid)
    const ended = pods.filter((pod) => isFinished(pod) && isNew(pod))
    const rules = job.spec?.podFailurePolicy?.rules ?? []
    const ignored = ended.filter(
      (pod) => pod.status?.phase === "Failed" && failureAction(pod, rules)?.action === "Ignore",
    )
    const fresh = ended.filter((pod) => !ignored.includes(pod))
    let current: KeptJob | undefined = job
    if (fresh.length > 0) {
      const uidsOf = (phase: string): string[] =>
        fresh.filter(({ status }) => status?.phase === phase).map(({ metadata }) => metadata.uid)
      const lists = { succeeded: [...succeeded, ...uidsOf("Succeeded")], failed: [...failed, ...uidsOf("Failed")] }
      current = cluster.patchStatus<Job>(RESOURCE, job, ({ status }) => ({ ...status, uncountedTerminatedPods: lists }))
    }
    const noted = current?.status?.uncountedTerminatedPods ?? {}
    const uncounted = new Set([
      ...(noted.succeeded ?? []),
      ...(noted.failed ?? []),
      ...ignored.map(({ metadata }) => metadata.uid),
    ])
    for (const pod of podsOf(job)) if (uncounted.has(pod.metadata.uid)) withoutTracking(pod)
    if (current === undefined || (noted.succeeded ?? []).length + (noted.failed ?? []).length === 0) return current
    return cluster.patchStatus<Job>(RESOURCE, current, ({ status, spec }) => {
      const { succeeded: done = [], failed: broken = [] } = status?.uncountedTerminatedPods ?? {}
      const isIndexed = spec?.completionMode === "Indexed"
      const indexes = pods.filter(({ metadata }) => done.includes(metadata.uid)).map(indexOf)
      const completed = indexes.filter(Number.isInteger).reduce(addIndex, indexesOf(status?.completedIndexes))
      const perIndex = isIndexed && (spec as JobSpec).backoffLimitPerIndex !== undefined
      const failedIndexes = pods
        .filter((pod) => broken.includes(pod.metadata.uid) && failsIndex(pod, spec as JobSpec))
        .map(indexOf)
        .filter((index) => Number.isInteger(index) && !completed.includes(index))
        .reduce(addIndex, indexesOf((status as LaterStatus | undefined)?.failedIndexes))
      return {
        ...status,
        uncountedTerminatedPods: {},
        succeeded: isIndexed ? completed.length : (status?.succeeded ?? 0) + done.length,
        failed: (status?.failed ?? 0) + broken.length,
        ...(isIndexed && { completedIndexes: indexText(completed) }),
        ...(perIndex && { failedIndexes: indexText(failedIndexes) }),
      }
    })
  }

  function withoutTracking(pod: KeptPod): void {
    if (!pod.metadata.finalizers?.includes(TRACKING)) return
    cluster.patch<Pod>("pods", pod, (now) => ({
      ...now,
      metadata: { ...now.metadata, finalizers: (now.metadata.finalizers ?? []).filter((one) => one !== TRACKING) },
    }))
  }

  function work(job: KeptJob): number | undefined {
    const spec = (job.spec ?? {}) as JobSpec
    const now = deps.now()
    const pods = podsOf(job)
    const active = pods.filter(isActive)
    if (spec.suspend) return suspend(job, active)
    if (job.status?.startTime === undefined || conditionOf(job.status.conditions, "Suspended")?.status === "True")
      resume(job)
    const failure = failureOf(job, pods, now)
    if (failure !== undefined) return finish(job, active, { type: "Failed", ...failure })
    const { parallelism = 1 } = spec
    const completions = spec.completions ?? (spec.parallelism === undefined ? 1 : undefined)
    const succeeded = job.status?.succeeded ?? 0
    const met = (spec.successPolicy?.rules ?? []).findIndex((rule) => meets(job, rule))
    // a queue of work is done when one has succeeded and none works any more
    const isDone = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions
    if (isDone || met >= 0)
      return finish(job, active, {
        type: "Complete",
        reason: met >= 0 ? "SuccessPolicy" : "CompletionsReached",
        message: met >= 0 ? `Matched rules at index ${met}` : "Reached expected number of succeeded pods",
      })
    const given = indexesOf(failedIndexesOf(job)).length
    // whatever could succeed has: what is left has failed for good
    if (given > 0 && completions !== undefined && succeeded + given >= completions)
      return finish(job, active, { type: "Failed", reason: "FailedIndexes", message: "Job has failed indexes" })
    const isQueueEnding = completions === undefined && succeeded > 0
    const wanted = isQueueEnding ? active.length : Math.min(parallelism, (completions ?? Infinity) - succeeded - given)
    const wait = make(job, { pods, active, wanted, now, completions: completions ?? 0 })
    writeActive(job)
    const deadline = spec.activeDeadlineSeconds
    const start = timeOf(cluster.byUid(job.metadata.uid)?.object === undefined ? undefined : startTimeOf(job)) ?? now
    const left = deadline === undefined ? undefined : Math.max(1, start + deadline * 1000 - now)
    return wait === undefined ? left : Math.min(wait, left ?? wait)
  }

  function startTimeOf(job: KeptJob): string | undefined {
    return cluster.byKey<Job>(RESOURCE, keyOf(job.metadata.namespace, job.metadata.name))?.status?.startTime
  }

  /** Starts what is missing, stops what is too much. When the next one may be made, if it must wait. */
  function make(
    job: KeptJob,
    {
      pods,
      active,
      wanted,
      now,
      completions,
    }: { pods: readonly KeptPod[]; active: readonly KeptPod[]; wanted: number; now: number; completions: number },
  ): number | undefined {
    for (const pod of active.slice(Math.max(0, wanted))) deletePod(deps, job, pod, COMPONENT)
    // one that is ending may still do its work: only then another takes its place
    const replaces = job.spec?.podReplacementPolicy === "Failed" || job.spec?.podFailurePolicy !== undefined
    const busy = active.length + (replaces ? pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length : 0)
    const missing = wanted - busy
    if (missing <= 0) return undefined
    const perIndex = (job.spec as JobSpec).backoffLimitPerIndex !== undefined
    const ended = pods.filter(({ status }) => status?.phase === "Failed")
    const last = Math.max(0, ...ended.map(endOf))
    const streak = failuresInARow(pods)
    const until = last + jobDelayMs(streak)
    if (!perIndex && streak > 0 && until > now) return until - now
    const most = Math.min(missing, BURST)
    // the others have their turn, and then the rest of this one
    const again = missing > most ? 1 : undefined
    if (job.spec?.completionMode !== "Indexed") {
      for (let at = 0; at < most; at++) create(job, undefined)
      return again
    }
    const done = new Set([...indexesOf(job.status?.completedIndexes), ...indexesOf(failedIndexesOf(job))])
    const taken = new Set(active.map(indexOf))
    const failures = perIndex ? failuresByIndex(ended, job) : new Map<number, { count: number; at: number }>()
    let made = 0
    let wait: number | undefined
    for (let index = 0; index < Math.min(completions, MAX_INDEX) && made < most; index++) {
      if (done.has(index) || taken.has(index)) continue
      const failed = failures.get(index)
      const left = failed === undefined ? 0 : failed.at + jobDelayMs(failed.count) - now
      if (left > 0) wait = Math.min(wait ?? left, left)
      else {
        create(job, index, perIndex ? (failed?.count ?? 0) : undefined)
        made++
      }
    }
    return made < most ? wait : again
  }

  function create(job: KeptJob, index: number | undefined, failures?: number): void {
    const template = (job.spec?.template ?? {}) as PodTemplateSpec
    const { name, uid } = job.metadata
    const labels = {
      "batch.kubernetes.io/controller-uid": uid,
      "batch.kubernetes.io/job-name": name,
      "controller-uid": uid,
      "job-name": name,
    }
    const isPlain = index === undefined
    createPod(deps, job, {
      template: isPlain ? template : { ...template, spec: withIndex(template.spec) },
      labels: isPlain ? labels : { ...labels, [INDEX]: String(index) },
      ...(!isPlain && {
        annotations: {
          [INDEX]: String(index),
          ...(failures !== undefined && { [INDEX_FAILURES]: String(failures) }),
        },
        spec: { hostname: `${name}-${index}` },
      }),
      finalizers: [TRACKING],
      component: COMPONENT,
      prefix: isPlain ? name : `${name}-${index}`,
    })
  }

  function finish(
    job: KeptJob,
    active: readonly KeptPod[],
    { type, reason, message }: { type: "Complete" | "Failed"; reason: string; message: string },
  ): undefined {
    for (const pod of active) deletePod(deps, job, pod, COMPONENT)
    const now = deps.now()
    // terminal only when nothing of it runs any more
    const isOver = podsOf(job).every((pod) => isFinished(pod))
    const first = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget"
    cluster.patchStatus<Job>(RESOURCE, job, ({ status }) => {
      const { active: _, ready: __, ...rest } = status ?? {}
      let conditions = withCondition(status?.conditions, { type: first, status: "True", reason, message }, now)
      if (isOver) conditions = withCondition(conditions, { type, status: "True", reason, message }, now)
      return {
        ...rest,
        ...activeCounts(podsOf(job)),
        conditions,
        ...(isOver && type === "Complete" && { completionTime: status?.completionTime ?? timestamp(now) }),
      }
    })
    if (isOver)
      recorder.tell(job, {
        type: type === "Failed" ? "Warning" : "Normal",
        reason: type === "Failed" ? reason : "Completed",
        message: type === "Failed" ? message : "Job completed",
        component: COMPONENT,
      })
    return undefined
  }

  function keepEnded(job: KeptJob, at: number): number | undefined {
    for (const pod of podsOf(job)) withoutTracking(pod)
    const { ttlSecondsAfterFinished: ttl } = job.spec ?? {}
    if (ttl === undefined) return undefined
    const left = at + ttl * 1000 - deps.now()
    if (left > 0) return left
    cluster.delete(RESOURCE, job)
    return undefined
  }

  function suspend(job: KeptJob, active: readonly KeptPod[]): undefined {
    for (const pod of active) deletePod(deps, job, pod, COMPONENT)
    const isNew = conditionOf(job.status?.conditions, "Suspended")?.status !== "True"
    cluster.patchStatus<Job>(RESOURCE, job, ({ status }) => {
      const { startTime: _, active: __, ready: ___, ...rest } = status ?? {}
      const words = { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" }
      return { ...rest, conditions: withCondition(status?.conditions, words, deps.now()) }
    })
    if (isNew) recorder.tell(job, { reason: "Suspended", message: "Job suspended", component: COMPONENT })
    return undefined
  }

  function resume(job: KeptJob): void {
    const wasSuspended = conditionOf(job.status?.conditions, "Suspended")?.status === "True"
    cluster.patchStatus<Job>(RESOURCE, job, ({ status }) => ({
      ...status,
      startTime: timestamp(deps.now()),
      ...(wasSuspended && {
        conditions: withCondition(
          status?.conditions,
          { type: "Suspended", status: "False", reason: "JobResumed", message: "Job resumed" },
          deps.now(),
        ),
      }),
    }))
    if (wasSuspended) recorder.tell(job, { reason: "Resumed", message: "Job resumed", component: COMPONENT })
  }

  function writeActive(job: KeptJob): void {
    cluster.patchStatus<Job>(RESOURCE, job, ({ status }) => {
      const { active: _, ready: __, terminating: ___, ...rest } = (status ?? {}) as LaterStatus
      return { ...rest, ...activeCounts(podsOf(job)) }
    })
  }
}

/** How often each index has failed, as far as failures count, and when it did last. */
function failuresByIndex(ended: readonly KeptPod[], job: KeptJob): Map<number, { count: number; at: number }> {
  const rules = job.spec?.podFailurePolicy?.rules ?? []
  const found = new Map<number, { count: number; at: number }>()
  for (const pod of ended) {
    const counts = failureAction(pod, rules)?.action !== "Ignore"
    const before = found.get(indexOf(pod))
    const times = failuresBefore(pod) + Number(counts)
    found.set(indexOf(pod), { count: Math.max(times, before?.count ?? 0), at: Math.max(endOf(pod), before?.at ?? 0) })
  }
  return found
}

function activeCounts(pods: readonly KeptPod[]): { active?: number; ready?: number; terminating?: number } {
  const active = pods.filter(isActive)
  return {
    ...(active.length > 0 && { active: active.length }),
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length,
  }
}

function failuresInARow(pods: readonly KeptPod[]): number {
  const ended = pods.filter(isFinished).toSorted((a, b) => endOf(b) - endOf(a))
  const at = ended.findIndex(({ status }) => status?.phase === "Succeeded")
  return at < 0 ? ended.length : at
}

function endOf({ status, metadata }: KeptPod): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) => timeOf(state?.terminated?.finishedAt) ?? 0)
  return Math.max(timeOf(metadata.creationTimestamp) ?? 0, ...ends)
}

function failedIndexesOf({ status }: KeptJob): string | undefined {
  return (status as LaterStatus | undefined)?.failedIndexes
}

function meets(
  { status }: KeptJob,
  { succeededIndexes, succeededCount }: { succeededIndexes?: string; succeededCount?: number },
): boolean {
  const done = new Set(indexesOf(status?.completedIndexes))
  const wanted = succeededIndexes === undefined ? [...done] : indexesOf(succeededIndexes)
  const found = wanted.filter((index) => done.has(index)).length
  return found > 0 && found >= (succeededCount ?? wanted.length)
}

/** Each container learns its index (kubernetes: indexed_job_utils.go, addCompletionIndexEnvVariables). */
function withIndex(spec: PodTemplateSpec["spec"]): PodTemplateSpec["spec"] {
  if (spec === undefined) return spec
  const variable = {
    name: "JOB_COMPLETION_INDEX",
    valueFrom: { fieldRef: { fieldPath: `metadata.annotations['${INDEX}']` } },
  }
  const withVariable = (containers: (typeof spec)["containers"]): (typeof spec)["containers"] =>
    containers.map((one) =>
      one.env?.some(({ name }) => name === variable.name)
        ? one
        : Object.assign({ ...one }, { env: [...(one.env ?? []), variable] }),
    )
  return {
    ...spec,
    containers: withVariable(spec.containers),
    ...(spec.initContainers && { initContainers: withVariable(spec.initContainers) }),
  }
}

function failureOf(
  job: KeptJob,
  pods: readonly KeptPod[],
  now: number,
): { reason: string; message: string } | undefined {
  const spec = (job.spec ?? {}) as JobSpec
  const rules = spec.podFailurePolicy?.rules ?? []
  for (const pod of pods.filter(({ status }) => status?.phase === "Failed")) {
    const found = failureAction(pod, rules)
    if (found?.action === "FailJob") return { reason: "PodFailurePolicy", message: found.message }
  }
  const start = timeOf(job.status?.startTime)
  const { activeDeadlineSeconds: deadline } = spec
  if (deadline !== undefined && start !== undefined && now >= start + deadline * 1000)
    return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" }
  const limit = spec.backoffLimit ?? (spec.backoffLimitPerIndex === undefined ? DEFAULT_BACKOFF_LIMIT : Infinity)
  const restarts =
    spec.template?.spec?.restartPolicy === "OnFailure" ? pods.reduce((sum, pod) => sum + restartsOf(pod), 0) : 0
  const isOver = (job.status?.failed ?? 0) > limit || (restarts > 0 && restarts >= limit && limit > 0)
  const { maxFailedIndexes } = spec
  if (maxFailedIndexes !== undefined && indexesOf(failedIndexesOf(job)).length > maxFailedIndexes)
    return {
      reason: "MaxFailedIndexesExceeded",
      message: "Job has exceeded the specified maximal number of failed indexes",
    }
  return isOver ? { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" } : undefined
}
