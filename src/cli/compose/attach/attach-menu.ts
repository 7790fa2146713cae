import { enterKeyMode, isForeground, isTerminal, terminalSize } from "../../../sys/terminal/terminal.ts"
import { displayWidth } from "../../output/columns.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"
import type { LogConsumer } from "../logs/log-consumer.ts"

/** What keys do. */
export interface MenuActions {
  detach(): void
  restart(): Promise<void>
  /** Shows the output of these alone, of all without. */
  choose(names: ReadonlySet<string> | undefined): void
  /** Names that can be chosen. */
  names(): readonly string[]
  /** Turns watching on or off; gives whether it is on now. Absent: nothing can be watched. */
  toggleWatch?: (() => Promise<boolean>) | undefined
}

const FALLBACK_COLUMNS = 80
const DIM = "\x1b[2m"
const RESET = "\x1b[0m"
const ENTER = "\n"
const ESCAPE = "\x1b"
const BACKSPACE = new Set(["\x7f", "\b"])
const PRINTABLE = /^[\x20-\x7e]$/

/** Whether keys can be read, and a line of them be shown. */
export function hasMenu(wanted: boolean | undefined, environment = process.env): boolean {
  const asked = wanted ?? !/^(0|f|false|off|no)$/i.test(environment.COMPOSE_MENU ?? "")
  return asked && isTerminal(0) && isTerminal(1) && isForeground()
}

/** The line of keys below the output of an attached `up`. */
export class AttachMenu implements AsyncDisposable {
  readonly #consumer: LogConsumer
  readonly #actions: MenuActions
  readonly #mode = enterKeyMode(0)
  #isOpen = true
  #isBusy = false
  #isWatching: boolean
  /** Names being typed; undefined: keys are commands. */
  #typed: string | undefined

  constructor(consumer: LogConsumer, actions: MenuActions, isWatching: boolean) {
    this.#consumer = consumer
    this.#actions = actions
    this.#isWatching = isWatching
  }

  /** Reads keys until it is disposed. Throws what an action has thrown. */
  async run(): Promise<void> {
    await this.#show()
    for await (const chunk of standardInput()) {
      if (!this.#isOpen) return
      for (const key of Buffer.from(chunk).toString("latin1")) await this.#press(key)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#mode[Symbol.dispose]()
    await this.#consumer.setFooter(undefined)
  }

  async #press(key: string): Promise<void> {
    if (!this.#isOpen || this.#isBusy) return
    if (this.#typed !== undefined) return this.#type(key, this.#typed)
    if (key === "d") return this.#actions.detach()
    if (key === "r") return this.#during(() => this.#actions.restart())
    if (key === "w") return this.#watch()
    if (key !== "l") return
    this.#typed = ""
    await this.#show()
  }

  async #type(key: string, typed: string): Promise<void> {
    if (key === ENTER) {
      this.#actions.choose(matching(typed, this.#actions.names()))
      this.#typed = undefined
    } else if (key === ESCAPE) this.#typed = undefined
    else if (BACKSPACE.has(key)) this.#typed = typed.slice(0, -1)
    else if (PRINTABLE.test(key)) this.#typed = typed + key
    await this.#show()
  }

  async #watch(): Promise<void> {
    const { toggleWatch } = this.#actions
    if (toggleWatch === undefined) return
    await this.#during(async () => {
      this.#isWatching = await toggleWatch()
    })
  }

  /** The action has the screen for itself. */
  async #during(action: () => Promise<void>): Promise<void> {
    this.#isBusy = true
    await this.#consumer.setFooter(undefined)
    try {
      await action()
    } finally {
      this.#isBusy = false
      await this.#show()
    }
  }

  async #show(): Promise<void> {
    if (!this.#isOpen) return
    const columns = (terminalSize(1)?.columns ?? FALLBACK_COLUMNS) - 1
    const text = this.#typed === undefined ? this.#keys() : `Show the output of (all: Enter): ${this.#typed}`
    await this.#consumer.setFooter(displayWidth(text) > columns ? text.slice(0, columns) : this.#dimmed(text))
  }

  #keys(): string {
    const watch = this.#actions.toggleWatch ? [`w ${this.#isWatching ? "Disable" : "Enable"} Watch`] : []
    return [...watch, "d Detach", "r Restart", "l Choose services"].join("   ")
  }

  #dimmed(text: string): string {
    return process.env.NO_COLOR || this.#typed !== undefined ? text : `${DIM}${text}${RESET}`
  }
}

/** `web db-1`: by service or by name; undefined for all, as nothing that fits is. */
function matching(typed: string, names: readonly string[]): ReadonlySet<string> | undefined {
  const words = typed.split(/[\s,]+/).filter((word) => word !== "")
  const found = names.filter((name) => words.some((word) => name === word || name.startsWith(`${word}-`)))
  return found.length === 0 ? undefined : new Set(found)
}
