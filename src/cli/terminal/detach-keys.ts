import { InvalidArgument } from "../../base/errors.ts"

/** Docker's own: Ctrl-P, Ctrl-Q. */
const DEFAULT_KEYS = "ctrl-p,ctrl-q"

/** Parses `--detach-keys`: `ctrl-p,ctrl-q`, `ctrl-]`, `a,b`; gives the bytes. Throws InvalidArgument. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(","), (key) => {
    const [, control] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? []
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
    throw new InvalidArgument(`unknown character: '${key}'`, {
      hint: "expected letters or ctrl-<letter>, with commas between: ctrl-p,ctrl-q",
    })
  })
}

/** Finds the detach keys among what is typed. Bytes that may begin them wait for the next key. */
export class DetachKeys {
  readonly #keys: Uint8Array
  #matched = 0

  constructor(keys: Uint8Array = parseDetachKeys(DEFAULT_KEYS)) {
    this.#keys = keys
  }

  /** What goes on to the program, and whether the keys are complete; nothing after them goes on. */
  feed(typed: Uint8Array): { forward: Uint8Array; detached: boolean } {
    const forward: number[] = []
    for (const byte of typed) {
      if (byte !== this.#keys[this.#matched]) {
        forward.push(...this.#keys.subarray(0, this.#matched))
        this.#matched = 0
      }
      if (byte !== this.#keys[this.#matched]) forward.push(byte)
      else if (++this.#matched === this.#keys.length) return { forward: Uint8Array.from(forward), detached: true }
    }
    return { forward: Uint8Array.from(forward), detached: false }
  }
}
