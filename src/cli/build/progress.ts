import type { BuildProgress } from "./build-progress.ts"
import { BuildahProgress } from "./progress-buildah.ts"
import type { BuildEvent } from "../../build/build.ts"
import { isTerminal } from "../../sys/terminal/terminal.ts"
import { writeAll } from "../out.ts"
import { JsonProgress, RawJsonProgress } from "./progress-json.ts"
import { PlainProgress } from "./progress-plain.ts"
import { TreeProgress } from "./progress-tree.ts"
import { Steps, type Step } from "./steps.ts"

/** As `--progress` names them. */
export const PROGRESS_MODES = ["auto", "plain", "tty", "quiet", "json", "rawjson"] as const
/** One of `PROGRESS_MODES`. */
export type ProgressMode = (typeof PROGRESS_MODES)[number]

/** `auto` is a tree on a terminal and plain lines elsewhere. */
export function openProgress(mode: ProgressMode, fd: number): BuildProgress {
  const write = (text: string) => writeAll(fd, text)
  const terminal = isTerminal(fd)
  switch (mode) {
    case "quiet":
      return new QuietProgress()
    case "json":
      return new JsonProgress(write)
    case "rawjson":
      return new RawJsonProgress(write)
    case "plain":
      return new PlainProgress(write, terminal)
    case "tty":
    case "auto":
      return terminal ? new TreeProgress(fd) : new PlainProgress(write, false)
  }
}

/** Buildah's lines; `tag`: what is committed, as it was typed. */
export function openSteps(fd: number, tag: string | undefined): BuildProgress {
  return new BuildahProgress((text) => writeAll(fd, text), isTerminal(fd), tag)
}

/** Says nothing; a failure is told all the same. */
class QuietProgress implements BuildProgress {
  readonly isForPeople = false
  readonly #steps = new Steps()

  get failed(): Step | undefined {
    return this.#steps.failed
  }

  onEvent(event: BuildEvent): void {
    if ("vertex" in event) this.#steps.apply(event)
  }

  [Symbol.dispose](): void {}
}
