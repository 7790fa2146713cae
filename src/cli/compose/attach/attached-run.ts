import type { Compose, OnHookLine, Project, VerbOptions } from "../../../compose/compose.ts"
import type { Containers } from "../../../container/container.ts"
import type { Events } from "../../../event/event.ts"
import type { AttachRequest, Created, UpHearing } from "./attach-request.ts"
import { shortName } from "../chosen-containers.ts"
import { logStyle } from "../logs/log-style.ts"
import { monitorProject, type MonitorEvent } from "../logs/project-monitor.ts"
import { ProjectOutput } from "../logs/project-output.ts"
import type { ComposeProgress } from "../progress/compose-progress.ts"
import { cascadeOf } from "./attach-flags.ts"
import { AttachMenu, hasMenu } from "./attach-menu.ts"

/** What a run stands on. */
export interface AttachedRunRequest extends AttachRequest {
  containers: Containers
  events: Events
  domain: Compose
  /** Services whose output is shown. */
  shown: readonly string[]
}

const INTERRUPTED = 130
const SIGNALS = ["SIGINT", "SIGTERM"] as const
/** Docker's sign before lines of the watch. */
const WATCH = "⦿"
/** How long is waited for what must have happened by now. */
const TELL_MS = 1_000

/** One attached `up`: from the first container that is there to the end of the last. */
export class AttachedRun implements AsyncDisposable {
  readonly #request: AttachedRunRequest
  readonly #output: ProjectOutput
  /** Ends the reading of logs and events. */
  readonly #reading = new AbortController()
  /** Ends `up`. */
  readonly #starting = new AbortController()
  readonly #over = Promise.withResolvers<"ended" | "stopped" | "detached">()
  readonly #onSignal = (): void => void this.#interrupt()
  #monitoring: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined
  #killing: Promise<void> | undefined
  #watching: { stop: AbortController; ended: Promise<void> } | undefined
  #menu: AttachMenu | undefined
  #project: Project
  #up: Promise<unknown> = Promise.resolve()
  #hasBegun = false
  #isInterrupted = false
  #isRestarting = false
  #exitCode: number | undefined
  #names: string[] = []

  constructor(request: AttachedRunRequest) {
    this.#request = request
    this.#project = request.project
    const { containers, compose, flags, out } = request
    this.#output = new ProjectOutput(containers, logStyle(compose, flags, out), {
      follow: true,
      since: new Date(),
      signal: this.#reading.signal,
      attachUnreadable: true,
    })
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  /** Does `up`, and stays until all is over; gives the exit code. */
  async during(up: (hearing: UpHearing) => Promise<unknown>): Promise<number> {
    this.#up = up({
      onCreated: (created) => this.#begin(created),
      onHookLine: this.#onHookLine,
      signal: this.#starting.signal,
    })
    try {
      await this.#up
    } catch (error) {
      // it was told to end
      if (!this.#isInterrupted && this.#stopping === undefined) throw error
      if (!this.#hasBegun) return INTERRUPTED
    }
    if (this.#request.flags.watch) await this.#toggleWatch()
    const end = await this.#output.unlessClosed(this.#over.promise)
    await this.#endWatch()
    await this.#menu?.[Symbol.asyncDispose]()
    if (end === "detached") return 0
    await this.#stopping
    await this.#killing
    await Promise.race([this.#monitoring, after(TELL_MS)])
    this.#reading.abort()
    await this.#output.end()
    return this.#isInterrupted ? INTERRUPTED : (this.#exitCode ?? 0)
  }

  /** The containers are there. */
  #begin({ containers, project }: Created): void {
    const { shown, services, events, out } = this.#request
    this.#project = project
    this.#hasBegun = true
    const attached = containers.filter(({ service }) => shown.includes(service))
    this.#names = attached.map(shortName)
    for (const name of this.#names) this.#output.consumer.register(name)
    if (attached.length > 0) out.line(`Attaching to ${this.#names.join(", ")}`)
    for (const one of attached) if (one.container.state.status === "running") this.#output.show(one)
    const watched = services.length > 0 ? services : shown
    const ids = containers.filter(({ service }) => watched.includes(service)).map(({ container }) => container.id)
    this.#monitoring = this.#monitor(watched, ids, { id: events.lastId() }).then(
      () => this.#over.resolve("ended"),
      (error: unknown) => this.#over.reject(error),
    )
    if (hasMenu(this.#request.flags.menu)) this.#openMenu()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endWatch()
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
    this.#reading.abort()
    await this.#menu?.[Symbol.asyncDispose]()
    // whatever failed was thrown before
    await this.#output.end().catch(() => {})
  }

  async #monitor(services: readonly string[], ids: readonly string[], since: { id: number }): Promise<void> {
    const { containers, events } = this.#request
    const monitored = monitorProject({
      containers,
      events,
      project: this.#project.name,
      services,
      ids,
      since,
      signal: this.#reading.signal,
      isHeld: () => this.#isRestarting,
      isEnding: () => this.#stopping !== undefined,
    })
    for await (const event of monitored) {
      if (event.kind === "started" && this.#request.shown.includes(event.one.service)) this.#show(event.one)
      this.#output.tell(event)
      if (event.kind === "exited") this.#noteEnd(event)
    }
  }

  #show(one: Created["containers"][number]): void {
    const name = shortName(one)
    if (!this.#names.includes(name)) this.#names.push(name)
    this.#output.show(one)
  }

  /** The first of the wanted service gives the exit code; without one, the first that ends everything. */
  #noteEnd({ service, exitCode }: MonitorEvent & { kind: "exited" }): void {
    const { flags } = this.#request
    const cascade = cascadeOf(flags)
    if (service === flags.exitCodeFrom) this.#exitCode ??= exitCode
    if (this.#isRestarting || cascade === undefined || this.#stopping !== undefined) return
    if (cascade === "failure" && exitCode === 0) return
    if (flags.exitCodeFrom === undefined) this.#exitCode = exitCode
    this.#teardown("Aborting on container exit...")
  }

  async #interrupt(): Promise<void> {
    if (this.#isInterrupted && this.#stopping !== undefined) {
      this.#killing ??= this.#kill()
      return
    }
    this.#isInterrupted = true
    this.#starting.abort()
    // nothing runs yet: `up` ends by itself
    if (!this.#hasBegun) return
    await this.#menu?.[Symbol.asyncDispose]()
    if (this.#stopping === undefined) this.#teardown("Gracefully Stopping... press Ctrl+C again to force")
  }

  #teardown(message: string): void {
    const { compose, domain, services, flags } = this.#request
    this.#starting.abort()
    const stop = async (): Promise<void> => {
      await this.#menu?.[Symbol.asyncDispose]()
      using display = await compose.display("Stopping", { besideLogs: true })
      display.note(message)
      // what it starts meanwhile would go on
      await Promise.race([this.#up.catch(() => {}), after(TELL_MS)])
      const timeout =
        flags.timeout === undefined ? {} : { timeoutSeconds: flags.timeout < 0 ? Infinity : flags.timeout }
      await domain.stop(
        { name: this.#project.name, project: this.#project, services },
        { ...this.#verbOptions(display), ...timeout },
      )
    }
    this.#stopping = stop()
    this.#stopping.then(
      () => this.#over.resolve("stopped"),
      (error: unknown) => (this.#killing === undefined ? this.#over.reject(error) : this.#over.resolve("stopped")),
    )
  }

  async #kill(): Promise<void> {
    const { compose, domain, services } = this.#request
    using display = await compose.display("Killing", { besideLogs: true })
    await domain.kill({ name: this.#project.name, project: this.#project, services }, this.#verbOptions(display))
  }

  #verbOptions(display: ComposeProgress): VerbOptions {
    const note = (text: string): void => display.note(text)
    const options = this.#request.compose.verbOptions({ onEvent: display.onEvent, note })
    return { ...options, onHookLine: this.#onHookLine }
  }

  /** What hooks write stands among the lines of their containers. */
  readonly #onHookLine: OnHookLine = ({ source, text }) => {
    const line = { time: new Date().toISOString(), stream: "stdout", bytes: Buffer.from(text) } as const
    // whoever waits for the output is told
    this.#output.consumer.write([{ name: `${source} ->`, line }]).catch(() => {})
  }

  /** Begins to watch, or ends it; gives whether it is on now. */
  async #toggleWatch(): Promise<boolean> {
    if (await this.#endWatch()) return false
    const stop = new AbortController()
    const onLine = (text: string): void => {
      const line = { time: new Date().toISOString(), stream: "stdout", bytes: Buffer.from(text) } as const
      this.#output.consumer.write([{ name: WATCH, line }]).catch(() => {})
    }
    const ended = this.#request.watch?.(this.#project, stop.signal, onLine) ?? Promise.resolve()
    ended.catch((error: unknown) => this.#over.reject(error))
    this.#watching = { stop, ended }
    return true
  }

  /** False: it was not on. */
  async #endWatch(): Promise<boolean> {
    const watching = this.#watching
    if (!watching) return false
    this.#watching = undefined
    watching.stop.abort()
    await watching.ended.catch(() => {})
    return true
  }

  #openMenu(): void {
    const menu = new AttachMenu(
      this.#output.consumer,
      {
        detach: () => this.#over.resolve("detached"),
        restart: () => this.#restart(),
        choose: (names) => this.#output.choose(names),
        names: () => this.#names,
        toggleWatch: this.#request.watch && (() => this.#toggleWatch()),
      },
      this.#request.flags.watch,
    )
    this.#menu = menu
    menu.run().catch((error: unknown) => this.#over.reject(error))
  }

  async #restart(): Promise<void> {
    const { compose, domain, services } = this.#request
    this.#isRestarting = true
    try {
      using display = await compose.display("Restarting", { besideLogs: true })
      await domain.restart({ name: this.#project.name, project: this.#project, services }, this.#verbOptions(display))
    } finally {
      this.#isRestarting = false
    }
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
