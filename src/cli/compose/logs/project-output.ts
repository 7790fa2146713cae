import type { ProjectContainer } from "../../../compose/compose.ts"
import type { Containers } from "../../../container/container.ts"
import { ContainerOutput, type OutputOptions } from "./container-output.ts"
import { LogConsumer, type LogStyle } from "./log-consumer.ts"
import type { MonitorEvent } from "./project-monitor.ts"

/** While following: how long the lines of one wait for earlier ones of others. */
const FOLLOW_IDLE_MS = 20

/** Shows the output of a project's containers, and what becomes of them, in the order in which it happens. */
export class ProjectOutput {
  readonly consumer: LogConsumer
  readonly #output: ContainerOutput
  readonly #options: OutputOptions
  /** By container: resolves when all that it wrote is shown. */
  readonly #reads = new Map<string, Promise<void>>()
  /** By container that has ended: called when it is started again, for then its output goes on. */
  readonly #restarts = new Map<string, () => void>()
  /** What is to be told when the lines before it are out. */
  readonly #notices = new Set<Promise<void>>()

  constructor(containers: Containers, style: LogStyle, options: OutputOptions) {
    this.#options = options
    this.consumer = new LogConsumer(style)
    this.#output = new ContainerOutput(containers, this.consumer, options.follow ? FOLLOW_IDLE_MS : Infinity)
  }

  /** Shows its output, from where it was left when it was shown before. */
  show(one: ProjectContainer): void {
    const { id } = one.container
    this.#restarts.get(id)?.()
    const before = this.#reads.get(id)
    const read = async (): Promise<void> => {
      await before
      await this.#output.follow(one, before === undefined ? this.#options : { ...this.#options, tail: undefined })
    }
    const reading = read()
    // whoever waits for it is told
    reading.catch(() => {})
    this.#reads.set(id, reading)
  }

  /** Tells of it, after the lines that came before it; does not wait for them. */
  tell(event: MonitorEvent): void {
    if (event.kind === "recreated") this.#notice(this.consumer.status(event.replaced, "has been recreated"))
    if (event.kind === "exited") this.#notice(this.#tellEnd(event))
  }

  /** From now on only these are shown, by their names; undefined: all. */
  choose(names: ReadonlySet<string> | undefined): void {
    this.#output.choose(names)
  }

  /** Runs `body`; ends it by throwing when nothing can be written any more. */
  async unlessClosed<T>(body: Promise<T>): Promise<T> {
    const failed = this.#output.failed.then((error) => {
      throw error
    })
    return Promise.race([body, failed])
  }

  /** Resolves when all is shown. Throws what reading and writing have thrown. */
  async end(): Promise<void> {
    await this.unlessClosed(Promise.all([...this.#reads.values(), ...this.#notices]))
    await this.#output.close()
  }

  async #tellEnd({ id, source, exitCode, isRestarting }: MonitorEvent & { kind: "exited" }): Promise<void> {
    const restarted = new Promise<void>((resolve) => this.#restarts.set(id, resolve))
    if (!isRestarting) await Promise.race([this.#reads.get(id), restarted])
    await this.consumer.status(source, `exited with code ${exitCode}${isRestarting ? " (restarting)" : ""}`)
  }

  #notice(telling: Promise<void>): void {
    this.#notices.add(telling)
    // whoever waits for the end is told
    telling.then(
      () => this.#notices.delete(telling),
      () => {},
    )
  }
}
