/** A number that an advice stands on. */
export interface Measure {
  value: number
  unit: "bytes" | "layers" | "files" | "steps" | "places" | "cores"
}

/** One thing to do, and what it brings. */
export interface Advice {
  /** Of this kind for ever: `lost-bytes`, `DS025`. */
  id: string
  title: string
  /** What was found. */
  message: string
  measured: Measure
  /** Where it is to be changed: the line, from 1, of the file that was asked about, or of `file`. */
  line?: number
  file?: string
  /** As it is: an instruction of the Dockerfile, as far as the history tells. */
  before?: string
  /** As it would be. */
  after?: string
}

/** One place of a text, changed: the line (from 1) becomes these lines. */
export interface Edit {
  line: number
  before: string
  after: readonly string[]
  /** Rules that are kept by it. */
  ids: readonly string[]
}
