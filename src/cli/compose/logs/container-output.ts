import { isSkiffError } from "../../../base/errors.ts"
import { log } from "../../../base/log.ts"
import type { ProjectContainer } from "../../../compose/compose.ts"
import type { Containers, LogOptions } from "../../../container/container.ts"
import { attachedLines } from "./attached-lines.ts"
import type { LogConsumer } from "./log-consumer.ts"
import { LineMerger } from "./merge-lines.ts"
import { shortName } from "../chosen-containers.ts"
import { LineSplitter, type ShownLine } from "./shown-line.ts"

/** Which lines of a container, and what is done where its log cannot be read. */
export interface OutputOptions extends LogOptions {
  /** Then its streams are joined, and what it wrote before is lost. Else it is said, and left out. */
  attachUnreadable?: boolean
}

/** Shows what containers write, all together and in the order of time, until each of them has ended. */
export class ContainerOutput {
  readonly #containers: Containers
  readonly #consumer: LogConsumer
  readonly #merger: LineMerger<string>
  readonly #run: Promise<void>
  /** By container: of the last line that went out. One that is started again goes on from there. */
  readonly #lastTimes = new Map<string, string>()
  /** Those whose lines are shown now; undefined: all. By names as they are shown. */
  #shown: ReadonlySet<string> | undefined

  /** `idleMs`: how long one that is silent holds up the others, whose lines may be later than its next. */
  constructor(containers: Containers, consumer: LogConsumer, idleMs: number) {
    this.#containers = containers
    this.#consumer = consumer
    this.#merger = new LineMerger({ idleMs })
    this.#run = this.#pump()
    // told by `close`
    this.#run.catch(() => {})
  }

  /** Resolves when all that it has written is shown. Followed: when it has ended. */
  follow(one: ProjectContainer, options: OutputOptions = {}): Promise<void> {
    const name = shortName(one)
    this.#consumer.register(name)
    return this.#merger.add(name, this.#lines(one, options))
  }

  /** From now on lines of others are left out. */
  choose(names: ReadonlySet<string> | undefined): void {
    this.#shown = names
  }

  /** Shows what is left. Throws what writing has thrown. */
  async close(): Promise<void> {
    this.#merger.seal()
    await this.#run
  }

  /** Resolves when nothing can be written any more, with why. */
  get failed(): Promise<unknown> {
    return this.#run.then(
      () => new Promise(() => {}),
      (error: unknown) => error,
    )
  }

  async #pump(): Promise<void> {
    for await (const batch of this.#merger.batches()) {
      const shown = this.#shown === undefined ? batch : batch.filter(({ source }) => this.#shown?.has(source))
      await this.#consumer.write(shown.map(({ source, line }) => ({ name: source, line })))
    }
  }

  async *#lines(
    { container: { id, name } }: ProjectContainer,
    { attachUnreadable, ...options }: OutputOptions,
  ): AsyncGenerator<ShownLine[]> {
    const last = this.#lastTimes.get(id)
    const since = last === undefined ? options.since : new Date(last)
    const splitter = new LineSplitter()
    try {
      for await (const text of this.#containers.logText(id, { ...options, ...(since && { since }), timestamps: true }))
        yield this.#newer(id, splitter.split(text), last)
      yield this.#newer(id, splitter.flush(), last)
    } catch (error) {
      // it was removed meanwhile
      if (isSkiffError(error, "NotFound")) return
      if (!isSkiffError(error, "FailedPrecondition")) throw error
      if (attachUnreadable) yield* attachedLines(this.#containers, id)
      else log.warn(`the log of "${name}" cannot be read: ${error.message}`)
    }
  }

  #newer(id: string, lines: ShownLine[], last: string | undefined): ShownLine[] {
    const time = lines.at(-1)?.time
    if (time !== undefined) this.#lastTimes.set(id, time)
    return last === undefined ? lines : lines.filter((line) => line.time > last)
  }
}
