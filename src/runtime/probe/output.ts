import { PipeReader } from "../../sys/process/pipe.ts"

/** No more of a check's output is ever kept. */
const MOST_BYTES = 1024 * 1024

/** The first bytes of what a check wrote; the rest is read and forgotten, so that it never waits for us. */
export class ProbeOutput {
  readonly #maxBytes: number
  #text = ""

  /** `maxBytes` 0: as much as is ever kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes === 0 ? MOST_BYTES : Math.min(maxBytes, MOST_BYTES)
  }

  add(text: string): void {
    if (this.#text.length <= this.#maxBytes) this.#text += text
  }

  /** `cut`: what comes last and is not the check's. */
  text(cut = 0): string {
    const bytes = Buffer.from(cut === 0 ? this.#text : this.#text.slice(0, -cut))
    return bytes.length <= this.#maxBytes ? bytes.toString() : bytes.subarray(0, this.#maxBytes).toString()
  }

  /** Reads until the writers have closed. */
  async readAll(reader: PipeReader): Promise<void> {
    for (let text = await reader.text(); text !== undefined; text = await reader.text()) this.add(text)
  }

  /** Reads until a line that begins with `mark`, and gives the rest of it; undefined when the writers have closed. */
  async readTo(reader: PipeReader, mark: string): Promise<string | undefined> {
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      if (line.startsWith(mark)) return line.slice(mark.length)
      this.add(`${line}\n`)
    }
    return undefined
  }
}
