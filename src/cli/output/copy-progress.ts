import { formatSize } from "../../base/sizes.ts"
import type { Out } from "../out.ts"
import { writeAll } from "../out.ts"

const REPAINT_MS = 100

/** Says on a terminal how much has been copied, as docker's cp does; elsewhere nothing. Dispose it to clear the line. */
export class CopyProgress implements Disposable {
  readonly #title: string
  readonly #isShown: boolean
  #bytes = 0
  #paintedAt = 0

  constructor(title: string, { out, quiet }: { out: Out; quiet: boolean }) {
    this.#title = title
    this.#isShown = !quiet && out.stdoutIsTerminal && out.stderrIsTerminal
  }

  readonly onContent = (bytes: number): void => {
    this.#bytes += bytes
    if (!this.#isShown || performance.now() - this.#paintedAt < REPAINT_MS) return
    this.#paintedAt = performance.now()
    writeAll(2, `\r\x1b[K${this.#title} - ${formatSize(this.#bytes)}`)
  }

  /** The last line, in docker's words. */
  succeeded(target: string): void {
    this[Symbol.dispose]()
    if (this.#isShown) writeAll(2, `Successfully copied ${formatSize(this.#bytes)} to ${target}\n`)
  }

  [Symbol.dispose](): void {
    if (this.#paintedAt > 0) writeAll(2, "\r\x1b[K")
    this.#paintedAt = 0
  }
}
