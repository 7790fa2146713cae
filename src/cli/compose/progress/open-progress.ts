import type { ComposeProgress, ProgressOptions } from "./compose-progress.ts"

/** In the form that `mode` asks for; each call opens one more. */
export async function progressOpener(options: ProgressOptions): Promise<() => ComposeProgress> {
  if (options.mode === "tty") {
    const { TtyProgress } = await import("./tty-progress.ts")
    return () => new TtyProgress(options)
  }
  const { JsonProgress, PlainProgress, QuietProgress } = await import("./line-progress.ts")
  if (options.mode === "quiet") return () => new QuietProgress()
  return () => (options.mode === "json" ? new JsonProgress(options) : new PlainProgress(options))
}
