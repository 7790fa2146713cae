import type { FileStat } from "../sys/fs/directory.ts"

/**
 * The files of an image that nobody trusts, to be read, wherever they lie. Nothing large is read, links lead nowhere but inside; paths that are
 * asked for are as people write them.
 */
export interface FileTree extends Disposable {
  /** What was to be looked at, and was not, up to now: for people, by the first names of each kind. */
  readonly leftOut: string[]
  /** A path of this host with the files, for programs that this process starts, as long as the tree is open; undefined: they lie in none. */
  readonly hostPath: string | undefined
  /** The file at `path`, links followed inside the tree; undefined when there is none of at most `maxBytes`. */
  read(path: string, maxBytes: number): Buffer | undefined
  /** The file at `path`, as `read` finds it, to be read here and there as long as the tree is open. */
  open(path: string, maxBytes: number): RandomFile | undefined
  /** The names in a directory, at most 100,000 of them. */
  names(path: string): string[]
  /** Everything, by the order of names; no link is followed. Nothing is told of what `skips` says, nor of what is below it. */
  walk(skips?: (path: string, isDirectory: boolean) => boolean): Generator<TreeEntry>
}

/** One name in a directory of the tree; both are raw. */
export interface TreeEntry {
  /** Relative to the root. */
  path: string
  name: string
  isDirectory: boolean
  /** What stat(2) says of it, no link followed; undefined when it has gone. */
  stat(): FileStat | undefined
  /** Of a file, not a link: its bytes; undefined when it has more than `maxBytes`, or is none. */
  read(maxBytes: number): Buffer | undefined
  /** Of a file, not a link: gives its bytes in pieces, which are the reader's own; false when it is none. */
  chunks(onBytes: (bytes: Uint8Array) => void): boolean
  /** Of a file, not a link: what `use` makes of it; undefined when it is none. */
  at<T>(use: (file: RandomFile) => T): T | undefined
}

/** A file that is read here and there. */
export interface RandomFile {
  sizeBytes: number
  /** Fewer bytes at its end; none beyond it. */
  read(offset: number, length: number): Buffer
}

const MAX_TOLD = 10

/** What a tree did not look at. */
export class LeftOut {
  readonly #told = { large: new Set<string>(), deep: new Set<string>(), many: new Set<string>() }

  get texts(): string[] {
    const { large, deep, many } = this.#told
    return [
      ...[...large].map((path) => `${path}, which is too large`),
      ...[...deep].map((path) => `${path}, which lies too deep`),
      ...many,
    ]
  }

  /** The first of each kind are told: `large` and `deep` by their path. */
  tell(kind: "large" | "deep" | "many", text: string): void {
    const told = this.#told[kind]
    if (told.size < MAX_TOLD) told.add(text)
  }
}
