import { write } from "node:fs"
import { hasErrno } from "../../base/errors.ts"
import { onResize } from "../../sys/terminal/terminal.ts"
import { standardInput } from "../../sys/terminal/standard-input.ts"
import { InputDecoder } from "../input/decode-input.ts"
import type { InputEvent } from "../input/event.ts"
import type { Frame } from "./frame.ts"
import { paint } from "./paint.ts"
import { screenSize, type ScreenSize } from "./size.ts"
import { takeTerminal, type TerminalModes } from "./terminal-modes.ts"

/** What happens to every program on a screen. */
export type ScreenEvent = InputEvent | { kind: "resize"; size: ScreenSize }
/** What a program may ask of its screen: to end, and to be stopped as ^Z stops programs. */
export type ScreenEffect = { kind: "quit" } | { kind: "suspend" }

/** A state, and what is to be done in the world because of it. */
export interface Step<State, Effect> {
  state: State
  effects: readonly (Effect | ScreenEffect)[]
}

/** A program that has the whole terminal: its state is a plain value, `update` and `view` are pure functions of it. */
export interface Program<State, Event, Effect extends { kind: string }> {
  start(size: ScreenSize): Step<State, Effect>
  update(state: State, event: Event | ScreenEvent): Step<State, Effect>
  view(state: State): Frame
  /** Does what an effect says; what comes of it goes to `dispatch`. What it throws ends the program. */
  perform(effect: Effect, dispatch: (event: Event) => void): void | Promise<void>
}

/** Where a program is shown. */
export interface ProgramTerminal extends TerminalModes {
  hasColour: boolean
}

/** A lone ESC is the key when nothing follows it for so long; over a slow line a sequence may come in pieces. */
const ESCAPE_MS = 100
/** How long a signal that stops this process may take to do so. */
const STOP_MS = 100
const RETRY_MS = 2
/** Written at once: the end is heard between two. */
const PIECE_BYTES = 4096
const ENDING: readonly NodeJS.Signals[] = ["SIGHUP", "SIGTERM", "SIGINT", "SIGQUIT"]
// the terminal shows what is between them at once, where it knows how (mode 2026); else they are passed by
const SYNC = ["\x1b[?2026h", "\x1b[?2026l"] as const

/**
 * Runs a program until it asks for its end, its terminal hangs up, or something it does throws. The terminal is as it was before,
 * whatever happens but SIGKILL: also while the process is stopped by ^Z, after which the screen is painted anew.
 */
export async function runProgram<State, Event, Effect extends { kind: string }>(
  program: Program<State, Event, Effect>,
  terminal: ProgramTerminal,
): Promise<void> {
  await using cleanup = new AsyncDisposableStack()
  const done = Promise.withResolvers<void>()
  const screen = new Screen(terminal, done.reject)
  cleanup.use(screen)

  let { state, effects } = program.start(screenSize(terminal.output))
  const dispatch = (event: Event | ScreenEvent): void => {
    try {
      const next = program.update(state, event)
      state = next.state
      perform(next.effects)
    } catch (error) {
      done.reject(error)
    }
    screen.paintSoon(() => program.view(state))
  }
  const perform = (wanted: Step<State, Effect>["effects"]): void => {
    for (const effect of wanted) {
      if (effect.kind === "quit") done.resolve()
      else if (effect.kind === "suspend") screen.stop(true)
      else Promise.resolve(program.perform(effect as Effect, dispatch)).catch(done.reject)
    }
  }
  screen.onSize = (size) => dispatch({ kind: "resize", size })
  screen.take()
  perform(effects)
  screen.paintSoon(() => program.view(state))
  readInput(dispatch).then(done.resolve, done.reject)
  await done.promise
}

/** Dispatches what is typed until the terminal hangs up. */
async function readInput(dispatch: (event: InputEvent) => void): Promise<void> {
  const decoder = new InputDecoder()
  let timer: NodeJS.Timeout | undefined
  for await (const bytes of standardInput()) {
    clearTimeout(timer)
    for (const event of decoder.feed(bytes)) dispatch(event)
    if (decoder.isWaiting)
      timer = setTimeout(() => {
        for (const event of decoder.flush()) dispatch(event)
      }, ESCAPE_MS)
  }
}

/** The terminal while a program has it: painted as fast as it takes it, given back and taken again. */
class Screen implements AsyncDisposable {
  readonly #terminal: ProgramTerminal
  readonly #fail: (error: unknown) => void
  readonly #listeners = new DisposableStack()
  #taken: Disposable | undefined
  /** What the terminal shows; undefined when that is not known. */
  #shown: Frame | undefined
  #next: (() => Frame) | undefined
  #painting: Promise<void> | undefined
  #isEnding = false
  onSize: (size: ScreenSize) => void = () => {}

  constructor(terminal: ProgramTerminal, fail: (error: unknown) => void) {
    this.#terminal = terminal
    this.#fail = fail
  }

  take(): void {
    const resized = () => {
      this.#shown = undefined
      this.onSize(screenSize(this.#terminal.output))
    }
    this.#listeners.use(onResize(resized))
    for (const signal of ENDING) this.#listen(signal, () => void this.#die(signal))
    // stopped from outside, and by nobody's order to us
    this.#listen("SIGTSTP", () => this.stop(false))
    this.#listen("SIGCONT", () => this.#retake())
    this.#taken = takeTerminal(this.#terminal)
  }

  /** Stops the process as ^Z does, with the terminal given back; `group`: and those that were started with it. */
  stop(group: boolean): void {
    this.#giveBack()
    if (group) {
      process.off("SIGTSTP", this.#onStop)
      process.kill(0, "SIGTSTP")
      process.on("SIGTSTP", this.#onStop)
    } else process.kill(process.pid, "SIGSTOP")
    // a process that nobody could continue is not stopped by SIGTSTP: it goes on
    setTimeout(() => this.#taken ?? this.#retake(), STOP_MS)
  }

  /** Paints what `view` gives by then, soon: all that has happened meanwhile is in it. */
  paintSoon(view: () => Frame): void {
    if (this.#isEnding) return
    this.#next = view
    this.#painting ??= this.#paintAll().catch(this.#fail)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endPainting()
    this.#giveBack()
    this.#listeners.dispose()
  }

  readonly #onStop = () => this.stop(false)

  #listen(signal: NodeJS.Signals, act: () => void): void {
    const listener = signal === "SIGTSTP" ? this.#onStop : act
    process.on(signal, listener)
    this.#listeners.defer(() => void process.off(signal, listener))
  }

  #giveBack(): void {
    this.#taken?.[Symbol.dispose]()
    this.#taken = undefined
    this.#shown = undefined
  }

  #retake(): void {
    this.#giveBack()
    try {
      this.#taken = takeTerminal(this.#terminal)
    } catch (error) {
      return this.#fail(error)
    }
    this.onSize(screenSize(this.#terminal.output))
  }

  async #die(signal: NodeJS.Signals): Promise<void> {
    await this.#endPainting()
    this.#giveBack()
    this.#listeners.dispose()
    process.removeAllListeners(signal)
    process.kill(process.pid, signal) // no handler is left: it ends the process
  }

  /** What is on its way to the terminal must not come after the screen was left. */
  async #endPainting(): Promise<void> {
    this.#next = undefined
    this.#isEnding = true
    await Promise.race([this.#painting, new Promise((resolve) => setTimeout(resolve, STOP_MS))])
  }

  async #paintAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve)) // what came with it is in the same picture
    for (let view = this.#next; view; view = this.#next) {
      this.#next = undefined
      if (!this.#taken) continue
      const frame = view()
      const text = paint(this.#shown, frame, this.#terminal.hasColour)
      this.#shown = frame
      if (text !== "") await this.#write(Buffer.from(`${SYNC[0]}${text}${SYNC[1]}`))
    }
    this.#painting = undefined
  }

  /** Without waiting in the call: a slow line must not keep signals from being heard. */
  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length && this.#taken && !this.#isEnding;) {
      try {
        done += await writeOnce(this.#terminal.output, bytes.subarray(done, done + PIECE_BYTES))
      } catch (error) {
        if (!hasErrno(error, "EAGAIN")) throw error
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      }
    }
  }
}

function writeOnce(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, null, (error, size) => (error ? reject(error) : resolve(size)))
  })
}
