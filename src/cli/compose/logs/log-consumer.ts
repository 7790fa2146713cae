import { printable } from "../../../base/printable.ts"
import { displayWidth, pad } from "../../output/columns.ts"
import { writeOutput } from "../../terminal/standard-output.ts"
import type { ShownLine } from "./shown-line.ts"

/** How lines are shown. */
export interface LogStyle {
  hasColour: boolean
  hasPrefix: boolean
  hasTimestamps: boolean
  /** Standard output is one: a status line takes the place of what was typed. */
  onTerminal: boolean
}

/** SGR numbers, as docker's: cyan, yellow, green, magenta, blue, then the same bright. */
const COLOURS = ["36", "33", "32", "35", "34"]
const RESET_LINE = "\r\x1b[K"
const NEWLINE = 0x0a
const BUFFER_BYTES = 64 * 1024

interface Presenter {
  name: string
  colour: string
  prefix: Uint8Array
}

/** Writes lines of containers, each behind the name of its own: `web-1  | text`. Names get their colours in the order in which they come. */
export class LogConsumer {
  readonly #style: LogStyle
  readonly #presenters = new Map<string, Presenter>()
  #colours = 0
  #width = 0
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #used = 0
  #stream: ShownLine["stream"] = "stdout"
  #footer: string | undefined
  /** One text after the other. */
  #turn: Promise<void> = Promise.resolve()

  constructor(style: LogStyle) {
    this.#style = style
  }

  /** Makes the name known: prefixes are as wide as the longest of them. */
  register(name: string): void {
    this.#presenter(name)
  }

  /** A line that stays below all others, on a terminal; undefined: none. It must fit. */
  setFooter(text: string | undefined): Promise<void> {
    return this.#inTurn(async () => {
      await this.#hideFooter()
      this.#footer = text
      await this.#showFooter()
    })
  }

  /** Resolves when all of them are written. */
  write(lines: readonly { name: string; line: ShownLine }[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#hideFooter()
      for (const { name, line } of lines) {
        if (line.stream !== this.#stream) await this.#flush()
        this.#stream = line.stream
        const { prefix } = this.#presenter(name)
        const stamp = this.#style.hasTimestamps ? Buffer.from(`${line.time} `) : undefined
        const size = prefix.length + (stamp?.length ?? 0) + line.bytes.length + 1
        if (this.#used + size > this.#buffer.length) await this.#flush()
        if (size > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(size)
        this.#append(prefix)
        if (stamp) this.#append(stamp)
        this.#append(line.bytes)
        this.#buffer[this.#used++] = NEWLINE
      }
      await this.#flush()
      await this.#showFooter()
    })
  }

  /** `web-1 exited with code 0`, in the colour of its name. */
  status(name: string, text: string): Promise<void> {
    return this.#inTurn(async () => {
      const line = this.#paint(this.#presenter(name), printable(`${name} ${text}`))
      await writeOutput(1, Buffer.from(`${this.#style.onTerminal ? RESET_LINE : ""}${line}\n`))
      await this.#showFooter()
    })
  }

  #presenter(name: string): Presenter {
    const known = this.#presenters.get(name)
    if (known !== undefined) return known
    // `web-1 ->` is a hook of web-1
    const [parent = name] = name.split(" ")
    const colour = parent === name ? this.#nextColour() : this.#presenter(parent).colour
    const presenter: Presenter = { name, colour, prefix: new Uint8Array(0) }
    this.#presenters.set(name, presenter)
    this.#width = Math.max(this.#width, displayWidth(name) + 1)
    if (this.#style.hasPrefix)
      for (const one of this.#presenters.values())
        one.prefix = Buffer.from(this.#paint(one, `${pad(printable(one.name), this.#width)} | `))
    return presenter
  }

  async #inTurn(body: () => Promise<void>): Promise<void> {
    const before = this.#turn
    const own = Promise.withResolvers<void>()
    this.#turn = own.promise
    await before
    try {
      await body()
    } finally {
      own.resolve()
    }
  }

  async #hideFooter(): Promise<void> {
    if (this.#footer !== undefined) await writeOutput(1, Buffer.from(RESET_LINE))
  }

  async #showFooter(): Promise<void> {
    if (this.#footer !== undefined) await writeOutput(1, Buffer.from(this.#footer))
  }

  #append(part: Uint8Array): void {
    this.#buffer.set(part, this.#used)
    this.#used += part.length
  }

  async #flush(): Promise<void> {
    const size = this.#used
    this.#used = 0
    if (size > 0) await writeOutput(this.#stream === "stdout" ? 1 : 2, this.#buffer.subarray(0, size))
  }

  #nextColour(): string {
    const index = this.#colours++ % (COLOURS.length * 2)
    const colour = COLOURS[index % COLOURS.length] ?? ""
    return index < COLOURS.length ? colour : `${colour};1`
  }

  #paint({ colour }: Presenter, text: string): string {
    return this.#style.hasColour ? `\x1b[${colour}m${text}\x1b[0m` : text
  }
}
