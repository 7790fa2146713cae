/** A real terminal: util-linux's `script` gives the program a pseudo-terminal, and us its screen. */
import { spawn, type ChildProcess } from "node:child_process"
import type { Skiff } from "./skiff.ts"
import { eventually } from "./wait.ts"

export interface Terminal {
  /** Everything that was shown so far. */
  screen(): string
  type(text: string): void
  /** Waits until the screen matches. */
  sees(pattern: RegExp, timeoutMs?: number): Promise<void>
  exited: Promise<number>
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`

export function openTerminal(skiff: Skiff, args: readonly string[], before = ""): Terminal {
  const command = `${before}${skiff.command(args).map(quote).join(" ")}`
  const child: ChildProcess = spawn("script", ["-qefc", command, "/dev/null"], {
    env: { ...skiff.env, TERM: "xterm" },
    cwd: skiff.directory,
  })
  let shown = ""
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (shown += text))
  return {
    screen: () => shown,
    type: (text) => void child.stdin?.write(text),
    sees: (pattern, timeoutMs = 10_000) =>
      eventually(() => {
        if (!pattern.test(shown)) throw new Error(`${pattern} is not on the screen:\n${shown}`)
      }, timeoutMs),
    exited: new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1))),
  }
}
