import type { BuildEvent, OnComposeEvent } from "../../compose/compose.ts"
import { BuildDisplay, buildMode } from "./build-display.ts"
import type { ComposeSession } from "./compose-session.ts"
import type { ComposeProgress } from "./progress/compose-progress.ts"

/** What of `up` is not shown. */
interface Quietness {
  build: boolean
}

/** Shows builds as `build` does, and all else as compose does: one at a time has the screen. */
export class UpDisplay implements Disposable {
  readonly #compose: ComposeSession
  readonly #open: () => ComposeProgress
  readonly #quiet: Quietness
  #progress: ComposeProgress | undefined
  #build: BuildDisplay | undefined
  #isOver = false

  private constructor(compose: ComposeSession, open: () => ComposeProgress, quiet: Quietness) {
    this.#compose = compose
    this.#open = open
    this.#quiet = quiet
  }

  static async open(compose: ComposeSession, title: string, quiet: Quietness): Promise<UpDisplay> {
    return new UpDisplay(compose, await compose.displays(title), quiet)
  }

  readonly onEvent: OnComposeEvent = (event) => {
    // what is built shows itself, until it is there
    if (this.#isOver || (event.kind === "service" && event.state === "Building")) return
    this.#closeBuild()
    this.#progress ??= this.#open()
    this.#progress.onEvent(event)
  }

  readonly onBuildEvent = (service: string, event: BuildEvent): void => {
    if (this.#build === undefined) {
      this.#progress?.[Symbol.dispose]()
      this.#progress = undefined
      this.#build = new BuildDisplay(buildMode(this.#quiet.build, this.#compose.flags))
    }
    this.#build.onBuildEvent(service, event)
  }

  readonly note = (text: string): void => {
    this.#progress ??= this.#open()
    this.#progress.note(text)
  }

  /** Ends what is drawn, and shows nothing more: lines of others follow. */
  end(): void {
    this.#isOver = true
    this.#close()
  }

  /** After a failure: what a step of a build wrote. */
  explainFailure(): void {
    this.#build?.explainFailure()
  }

  [Symbol.dispose](): void {
    this.#close()
  }

  #close(): void {
    this.#closeBuild()
    this.#progress?.[Symbol.dispose]()
    this.#progress = undefined
  }

  #closeBuild(): void {
    this.#build?.[Symbol.dispose]()
    this.#build = undefined
  }
}
