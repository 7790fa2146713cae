import { at, isTree, listAt, numberAt, textAt, type Tree } from "../../field.ts"
import { ageOf } from "./age.ts"

/** What `kubectl get pods` says of one (printers/internalversion, printPod). */
export interface PodRow {
  ready: string
  status: string
  restarts: string
}

/** Pure. */
export function podRow(pod: Tree): PodRow {
  const plain = plainRow(pod)
  if (plain !== undefined) return plain
  const containers = listAt(pod, "spec", "containers")
  const statuses = listAt(pod, "status", "containerStatuses")
  const inits = listAt(pod, "spec", "initContainers")
  const initStatuses = listAt(pod, "status", "initContainerStatuses")
  const sidecars = new Set(
    inits.filter((one) => at(one, "restartPolicy") === "Always").map((one) => textAt(one, "name")),
  )
  let reason = textAt(pod, "status", "reason") || textAt(pod, "status", "phase")
  for (const one of listAt(pod, "status", "conditions"))
    if (textAt(one, "type") === "PodScheduled" && textAt(one, "reason") === "SchedulingGated")
      reason = "SchedulingGated"

  let restarts = 0
  let sidecarRestarts = 0
  let last = ""
  const count = (status: unknown): void => {
    const finished = textAt(status, "lastState", "terminated", "finishedAt")
    if (finished > last) last = finished
  }
  let readyContainers = 0
  let isInitializing = false
  for (const [index, status] of initStatuses.entries()) {
    const isSidecar = sidecars.has(textAt(status, "name"))
    restarts += numberAt(status, "restartCount") ?? 0
    count(status)
    if (isSidecar) {
      sidecarRestarts += numberAt(status, "restartCount") ?? 0
      if (at(status, "ready") === true && at(status, "started") === true) readyContainers++
    }
    const ended = at(status, "state", "terminated")
    if (ended !== undefined && at(ended, "exitCode") === 0) continue
    if (isSidecar && at(status, "started") === true) continue
    const waiting = textAt(status, "state", "waiting", "reason")
    if (ended !== undefined) reason = `Init:${endReason(ended)}`
    else if (waiting !== "" && waiting !== "PodInitializing") reason = `Init:${waiting}`
    else reason = `Init:${index}/${inits.length}`
    isInitializing = true
    break
  }
  if (!isInitializing || isInitialized(pod)) {
    restarts = sidecarRestarts
    let hasRunning = false
    for (const status of statuses.toReversed()) {
      restarts += numberAt(status, "restartCount") ?? 0
      count(status)
      const waiting = textAt(status, "state", "waiting", "reason")
      const ended = at(status, "state", "terminated")
      if (waiting !== "") reason = waiting
      else if (isTree(ended)) reason = endReason(ended)
      else if (at(status, "ready") === true && at(status, "state", "running") !== undefined) {
        hasRunning = true
        readyContainers++
      }
    }
    if (reason === "Completed" && hasRunning) reason = hasReady(pod) ? "Running" : "NotReady"
  }
  if (textAt(pod, "metadata", "deletionTimestamp") !== "")
    reason = textAt(pod, "status", "reason") === "NodeLost" ? "Unknown" : isFinished(pod) ? reason : "Terminating"
  return {
    ready: `${readyContainers}/${containers.length + sidecars.size}`,
    status: reason,
    restarts: restarts > 0 && last !== "" ? `${restarts} (${ageOf(last)} ago)` : `${restarts}`,
  }
}

/** Of most pods of a long list: all containers are ready and none was ever started again. Undefined: it is not such a one. */
function plainRow(pod: Tree): PodRow | undefined {
  const [metadata, spec, status] = [own(pod, "metadata"), own(pod, "spec"), own(pod, "status")]
  const [containers, statuses] = [own(spec, "containers"), own(status, "containerStatuses")]
  if (own(metadata, "deletionTimestamp") !== undefined || own(status, "reason") !== undefined) return undefined
  if (own(status, "phase") !== "Running" || own(spec, "initContainers") !== undefined) return undefined
  if (!Array.isArray(containers) || !Array.isArray(statuses) || containers.length !== statuses.length) return undefined
  for (const one of statuses as unknown[]) {
    const state = own(one, "state")
    const isPlain = own(one, "ready") === true && own(one, "restartCount") === 0 && own(state, "running") !== undefined
    if (!isPlain || own(state, "waiting") !== undefined || own(state, "terminated") !== undefined) return undefined
  }
  return { ready: `${statuses.length}/${containers.length}`, status: "Running", restarts: "0" }
}

/** As `at`, of one key: a list of keys for each look costs more than the looks. */
function own(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key) ? (value as Tree)[key] : undefined
}

function endReason(ended: unknown): string {
  const reason = textAt(ended, "reason")
  if (reason !== "") return reason
  const signal = numberAt(ended, "signal") ?? 0
  return signal === 0 ? `ExitCode:${numberAt(ended, "exitCode") ?? 0}` : `Signal:${signal}`
}

function condition(pod: Tree, type: string): boolean {
  return listAt(pod, "status", "conditions").some(
    (one) => textAt(one, "type") === type && textAt(one, "status") === "True",
  )
}

function isInitialized(pod: Tree): boolean {
  return condition(pod, "Initialized")
}

function hasReady(pod: Tree): boolean {
  return condition(pod, "Ready")
}

function isFinished(pod: Tree): boolean {
  return ["Succeeded", "Failed"].includes(textAt(pod, "status", "phase"))
}
