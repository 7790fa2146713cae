import { join } from "node:path"
import type { Hook } from "../project.ts"
import { pathBelow, type WatchTrigger } from "./watch-triggers.ts"

/** A file or directory of the host, and where it belongs in the containers. */
export interface SyncedPath {
  from: string
  to: string
  trigger: WatchTrigger
}

/** What one batch of changes means for one service. */
export interface ServiceChanges {
  service: string
  /** Nothing else is done then: the new container has all. */
  rebuilds: boolean
  restarts: boolean
  synced: SyncedPath[]
  execs: Hook[]
  /** The first path, and the rule that it fits. */
  cause: { path: string; trigger: WatchTrigger }
}

/** What is to be done for changed paths, by service in their order. Pure but for the ignore files that triggers hold. */
export function planBatch(triggers: readonly WatchTrigger[], paths: Iterable<string>): ServiceChanges[] {
  const found = new Map<string, ServiceChanges>()
  const ordered = [...paths].toSorted()
  for (const trigger of triggers)
    for (const path of ordered) {
      if (!trigger.concerns(path)) continue
      const changes = found.get(trigger.service) ?? newChanges(trigger, path)
      found.set(trigger.service, changes)
      add(changes, trigger, path)
    }
  return [...found.values()]
}

function newChanges(trigger: WatchTrigger, path: string): ServiceChanges {
  return {
    service: trigger.service,
    rebuilds: false,
    restarts: false,
    synced: [],
    execs: [],
    cause: { path, trigger },
  }
}

function add(changes: ServiceChanges, trigger: WatchTrigger, path: string): void {
  const { action, exec } = trigger.rule
  if (action === "rebuild") changes.rebuilds = true
  if (action === "restart" || action === "sync+restart") changes.restarts = true
  if (action === "sync+exec" && exec && !changes.execs.includes(exec)) changes.execs.push(exec)
  if (action.startsWith("sync")) changes.synced.push({ from: path, to: targetOf(trigger, path), trigger })
}

/** Where a path of the host belongs in the containers of a rule that syncs. Pure. */
export function targetOf({ rule }: WatchTrigger, path: string): string {
  return join(rule.target ?? "/", pathBelow(rule.path, path) ?? "")
}
