import { isSkiffError } from "../../base/errors.ts"
import type { Containers } from "../../container/container.ts"
import type { ComposeDeps } from "../deps.ts"
import { LABEL } from "../labels.ts"
import { projectContainers, type ProjectContainer } from "../project-containers.ts"
import type { Project } from "../project.ts"
import { runHooks } from "../run/hooks.ts"
import { restartProject } from "../run/restart.ts"
import { upProject } from "../run/up.ts"
import type { WatchOptions } from "../watch-options.ts"
import { planBatch, targetOf, type ServiceChanges } from "./plan-batch.ts"
import { compareAndSync, syncFiles } from "./sync-files.ts"
import { TreeWatcher, type ChangeBatch } from "./tree-watcher.ts"
import { watchTriggers, type WatchTriggers } from "./watch-triggers.ts"

/** See `Compose.watch`. */
export async function watchProject(deps: ComposeDeps, project: Project, options: WatchOptions): Promise<void> {
  const watch = new ProjectWatch(deps, project, options)
  await watch.run()
}

/** One thing at a time, in the order in which they came. */
class ProjectWatch {
  readonly #deps: ComposeDeps
  readonly #options: WatchOptions
  #project: Project
  #found: WatchTriggers
  #queue: Promise<void> = Promise.resolve()

  constructor(deps: ComposeDeps, project: Project, options: WatchOptions) {
    this.#deps = deps
    this.#options = options
    this.#project = project
    this.#found = watchTriggers(project, options.services)
    for (const warning of this.#found.warnings) options.onWarning(warning)
  }

  async run(): Promise<void> {
    const { signal, onLine } = this.#options
    const containers = await this.#deps.containers()
    let watcher = this.#openWatcher()
    const replaced = this.#followContainers()
    const reloader = this.#options.reload && new TreeWatcher(this.#project.files, () => this.#then(reload))
    const reload = async (): Promise<void> => {
      if (!(await this.#reload())) return
      watcher[Symbol.dispose]()
      watcher = this.#openWatcher()
    }
    try {
      this.#then(async () => {
        for (const service of this.#services()) await this.#compare(containers, service, "the start")
      })
      onLine("Watch enabled")
      await untilAborted(signal)
    } finally {
      watcher[Symbol.dispose]()
      reloader?.[Symbol.dispose]()
      await this.#queue
      await replaced
    }
  }

  /** After all that came before; what fails is told, and the watch goes on. */
  #then(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#options.signal.aborted) return
      try {
        await work()
      } catch (error) {
        if (!isSkiffError(error, "Cancelled")) this.#options.onFailure(error)
      }
    })
  }

  #openWatcher(): TreeWatcher {
    return new TreeWatcher(
      this.#found.triggers.map(({ rule }) => rule.path),
      (batch) => this.#then(() => this.#handle(batch)),
    )
  }

  #services(): string[] {
    return [...new Set(this.#found.triggers.map(({ service }) => service))]
  }

  async #handle({ paths, isIncomplete }: ChangeBatch): Promise<void> {
    const containers = await this.#deps.containers()
    const changes = planBatch(this.#found.triggers, paths)
    const rebuilt = changes.filter(({ rebuilds }) => rebuilds)
    if (rebuilt.length > 0) await this.#rebuild(rebuilt)
    for (const one of changes.filter(({ rebuilds }) => !rebuilds)) await this.#apply(containers, one)
    if (isIncomplete)
      for (const service of this.#services())
        await this.#compare(containers, service, "more changes than could be counted")
  }

  async #apply(containers: Containers, changes: ServiceChanges): Promise<void> {
    const { onLine, signal, quiet } = this.#options
    const { service, synced, restarts, execs, cause } = changes
    const ones = this.#containersOf(containers, service)
    if (ones.length === 0) return
    if (synced.length > 0) {
      if (!quiet) onLine(`Syncing service "${service}" after ${synced.length} changes were detected${because(cause)}`)
      await syncFiles(synced, { containers, ids: ones.map(({ container }) => container.id), signal })
    }
    for (const target of execs.length > 0 ? ones : [])
      await runHooks(execs, { containers, target, signal, onHookLine: this.#options.onHookLine })
    if (!restarts) return
    const names = [service]
    await restartProject(
      this.#deps,
      { name: this.#project.name, project: this.#project, services: names },
      { signal, withoutDependents: true, onHookLine: this.#options.onHookLine },
    )
    onLine(`service(s) ${JSON.stringify(names)} restarted${because(cause)}`)
  }

  async #rebuild(changes: readonly ServiceChanges[]): Promise<void> {
    const { onLine, signal, onEvent, onBuildEvent } = this.#options
    const names = changes.map(({ service }) => service)
    const list = JSON.stringify(names).replaceAll(",", " ")
    onLine(`Rebuilding service(s) ${list} after changes were detected...${because(changes[0]?.cause)}`)
    await upProject(this.#deps, this.#project, {
      services: names,
      withoutDependencies: true,
      build: "always",
      recreate: "diverged",
      signal,
      onEvent,
      onBuildEvent,
    })
    onLine(`service(s) ${list} successfully built`)
    if (this.#options.prune) await this.#options.prune()
  }

  /** Brings all that differs into the containers of a service. */
  async #compare(containers: Containers, service: string, when: string): Promise<void> {
    const { signal, onLine } = this.#options
    const all = this.#found.triggers
      .filter((trigger) => trigger.service === service && trigger.rule.action.startsWith("sync"))
      .map((trigger) => ({ from: trigger.rule.path, to: targetOf(trigger, trigger.rule.path), trigger }))
    const ids = this.#containersOf(containers, service).map(({ container }) => container.id)
    if (all.length === 0 || ids.length === 0) return
    const differed = await compareAndSync(all, { containers, ids, signal })
    if (differed > 0) onLine(`Syncing service "${service}": ${differed} files differed at ${when}`)
  }

  #containersOf(containers: Containers, service: string): ProjectContainer[] {
    return projectContainers(containers, this.#project.name).filter(
      (one) => one.service === service && !one.isOneOff && one.container.state.status === "running",
    )
  }

  /** A container that was started by whomever has the files of its image: those of today come into it again. */
  async #followContainers(): Promise<void> {
    const [events, containers] = await Promise.all([this.#deps.events(), this.#deps.containers()])
    const filter = { types: ["container"], actions: ["start"], labels: [`${LABEL.project}=${this.#project.name}`] }
    await using watch = events.watch({ filter, signal: this.#options.signal })
    for await (const { actor } of watch) {
      const service = actor.attributes[LABEL.service] ?? ""
      if (actor.attributes[LABEL.oneOff] === "True" || !this.#services().includes(service)) continue
      this.#then(() => this.#compare(containers, service, "its start"))
    }
  }

  /** The files of the project were changed: the new one is brought up. False: they are wrong, and the old one stays. */
  async #reload(): Promise<boolean> {
    const { reload, onLine, signal, onEvent, onBuildEvent } = this.#options
    const project = await reload?.()
    if (!project) return false
    this.#found = watchTriggers(project, this.#options.services)
    this.#project = project
    onLine("the compose file has changed: bringing the project up to it")
    await upProject(this.#deps, project, { services: this.#options.services, signal, onEvent, onBuildEvent })
    return true
  }
}

function because(cause: ServiceChanges["cause"] | undefined): string {
  return cause === undefined ? "" : ` (${cause.path}: ${cause.trigger.called})`
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((done) => signal.addEventListener("abort", () => done(), { once: true }))
}
