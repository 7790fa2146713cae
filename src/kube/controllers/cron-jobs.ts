import type { CronJob, CronJobStatus, Job } from "kubernetes-types/batch/v1"
import { conditionOf } from "./conditions.ts"
import { keyOf } from "./cluster.ts"
import type { Controller } from "./controller.ts"
import { missedTimes, nextTime, parseSchedule } from "./cron-schedule.ts"
import type { Kept } from "./kept.ts"
import { controllerReference, isControlledBy, ownerKeys } from "./owners.ts"
import type { ControllerDeps } from "./pod-control.ts"
import { timeOf, timestamp } from "./times.ts"

const RESOURCE = "cronjobs.batch"
const JOBS = "jobs.batch"
const COMPONENT = "cronjob-controller"
const SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"

type KeptCron = Kept<CronJob>
type KeptJob = Kept<Job>

/** Complete or failed, and since when. */
export function finishOf({ status }: KeptJob): { type: "Complete" | "Failed"; at: number } | undefined {
  for (const type of ["Complete", "Failed"] as const) {
    const condition = conditionOf(status?.conditions, type)
    if (condition?.status === "True") return { type, at: timeOf(condition.lastTransitionTime) ?? 0 }
  }
  return undefined
}

/** Makes Jobs on time. */
export function cronJobController(deps: ControllerDeps): Controller {
  const { cluster, recorder } = deps
  return {
    name: COMPONENT,
    *keysOf(change) {
      const { metadata } = change.object
      if (change.resource === RESOURCE) yield keyOf(metadata.namespace, metadata.name)
      if (change.resource === JOBS) yield* ownerKeys(change, "CronJob")
    },
    reconcile(key) {
      const cron = cluster.byKey<CronJob>(RESOURCE, key)
      if (cron === undefined || cron.metadata.deletionTimestamp !== undefined) return undefined
      const jobs = cluster.ownedBy<Job>(cron.metadata.uid, JOBS).filter((job) => isControlledBy(job, cron))
      forgetHistory(cron, jobs)
      const active = jobs.filter((job) => finishOf(job) === undefined && job.metadata.deletionTimestamp === undefined)
      const again = begin(cron, active)
      writeStatus(cron)
      return again
    },
  }

  /** Makes what is due. In how many milliseconds the next one is. */
  function begin(cron: KeptCron, active: readonly KeptJob[]): number | undefined {
    const { spec, status, metadata } = cron
    if (spec === undefined || spec.suspend) return undefined
    const now = deps.now()
    let schedule: ReturnType<typeof parseSchedule>
    try {
      schedule = parseSchedule(spec.schedule)
      nextTime(schedule, now, spec.timeZone)
    } catch (error) {
      const message = `unparseable schedule: ${spec.schedule.slice(0, 100)} : ${(error as Error).message}`
      recorder.tell(cron, { type: "Warning", reason: "UnparseableSchedule", message, component: COMPONENT })
      return undefined
    }
    const wait = (): number | undefined => {
      const next = nextTime(schedule, now, spec.timeZone)
      return next === undefined ? undefined : next - now + 5
    }
    const deadline = spec.startingDeadlineSeconds
    const begun = Math.max(
      timeOf(status?.lastScheduleTime) ?? timeOf(metadata.creationTimestamp) ?? now,
      deadline === undefined ? 0 : now - deadline * 1000,
    )
    const { last, count } = missedTimes(schedule, { since: begun, now, timeZone: spec.timeZone })
    if (last === undefined) return wait()
    if (count > 100)
      recorder.tell(cron, {
        type: "Warning",
        reason: "TooManyMissedTimes",
        message: `too many missed start times: ${count}. Set or decrease .spec.startingDeadlineSeconds or check clock skew`,
        component: COMPONENT,
      })
    if (deadline !== undefined && last + deadline * 1000 < now) {
      const message = `Missed scheduled time to start a job: ${new Date(last).toUTCString()}`
      recorder.tell(cron, { type: "Warning", reason: "MissSchedule", message, component: COMPONENT })
      return wait()
    }
    if (spec.concurrencyPolicy === "Forbid" && active.length > 0) {
      const message = "Not starting job because prior execution is running and concurrency policy is Forbid"
      recorder.tell(cron, { reason: "JobAlreadyActive", message, component: COMPONENT })
      // its end calls us again
      return wait()
    }
    if (spec.concurrencyPolicy === "Replace")
      for (const job of active) {
        cluster.delete(JOBS, job)
        recorder.tell(cron, {
          reason: "SuccessfulDelete",
          message: `Deleted job ${job.metadata.name}`,
          component: COMPONENT,
        })
      }
    make(cron, last)
    return wait()
  }

  function make(cron: KeptCron, at: number): void {
    const { jobTemplate } = cron.spec ?? {}
    const { namespace } = cron.metadata
    const name = `${cron.metadata.name}-${Math.floor(at / 60_000)}`
    if (cluster.find<Job>(JOBS, name, namespace) === undefined) {
      cluster.create<Job>(JOBS, {
        apiVersion: "batch/v1",
        kind: "Job",
        metadata: {
          name,
          namespace,
          ...(jobTemplate?.metadata?.labels && { labels: jobTemplate.metadata.labels }),
          annotations: { ...jobTemplate?.metadata?.annotations, [SCHEDULED]: timestamp(at) },
          ownerReferences: [controllerReference(cron)],
        },
        spec: { ...jobTemplate?.spec },
        status: {},
      })
      recorder.tell(cron, { reason: "SuccessfulCreate", message: `Created job ${name}`, component: COMPONENT })
    }
    cluster.patchStatus<CronJob>(RESOURCE, cron, ({ status }) => ({ ...status, lastScheduleTime: timestamp(at) }))
  }

  function forgetHistory(cron: KeptCron, jobs: readonly KeptJob[]): void {
    const { successfulJobsHistoryLimit = 3, failedJobsHistoryLimit = 1 } = cron.spec ?? {}
    for (const [type, limit] of [
      ["Complete", successfulJobsHistoryLimit],
      ["Failed", failedJobsHistoryLimit],
    ] as const) {
      const ended = jobs.filter((job) => finishOf(job)?.type === type).toSorted((a, b) => startOf(a) - startOf(b))
      for (const job of ended.slice(0, Math.max(0, ended.length - limit))) cluster.delete(JOBS, job)
    }
  }

  function writeStatus(cron: KeptCron): void {
    const jobs = cluster.ownedBy<Job>(cron.metadata.uid, JOBS).filter((job) => isControlledBy(job, cron))
    const known = new Set((cron.status?.active ?? []).map(({ uid }) => uid))
    for (const job of jobs) {
      const finish = finishOf(job)
      if (finish === undefined || !known.has(job.metadata.uid)) continue
      const message = `Saw completed job: ${job.metadata.name}, condition: ${finish.type}`
      recorder.tell(cron, { reason: "SawCompletedJob", message, component: COMPONENT })
    }
    const active = jobs
      .filter((job) => finishOf(job) === undefined)
      .map(({ apiVersion, kind, metadata: { name, namespace, uid } }) => ({ apiVersion, kind, name, namespace, uid }))
    const lastDone = Math.max(
      ...jobs.flatMap((job) => (finishOf(job)?.type === "Complete" ? [timeOf(job.status?.completionTime) ?? 0] : [])),
      timeOf(cron.status?.lastSuccessfulTime) ?? 0,
    )
    cluster.patchStatus<CronJob>(RESOURCE, cron, ({ status }) => {
      const next: CronJobStatus = {
        ...status,
        ...(lastDone > 0 && { lastSuccessfulTime: timestamp(lastDone) }),
      }
      delete next.active
      return active.length > 0 ? { ...next, active } : next
    })
  }
}

function startOf({ metadata, status }: KeptJob): number {
  return timeOf(status?.startTime) ?? timeOf(metadata.creationTimestamp) ?? 0
}
