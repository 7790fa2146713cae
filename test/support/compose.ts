/** Compose on files: each test's project in a directory of its own. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Outcome, RunOptions, Skiff } from "./skiff.ts"
import { user } from "./user.ts"

export interface ComposeProject {
  directory: string
  /** `compose WORDS` in the project's directory. */
  run(words: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Expects it to succeed; gives its standard output, trimmed. */
  ok(...words: string[]): Promise<string>
  /** Expects it to succeed; gives both of its outputs. */
  all(...words: string[]): Promise<string>
  /** Writes one more file, or the first one anew. */
  write(name: string, text: string): void
}

/** A project whose name is its directory's. */
export function composeProject(skiff: Skiff, name: string, yaml: string): ComposeProject {
  const directory = join(skiff.directory, name)
  const write = (file: string, text: string) => {
    const path = join(directory, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    chmodSync(path, 0o644)
    for (const one of [directory, dirname(path), path]) chownSync(one, user.uid, user.gid)
  }
  write("compose.yaml", yaml)
  const run = (words: readonly string[], options: RunOptions = {}) =>
    skiff.run(["compose", ...words], { cwd: directory, ...options })
  const good = async (words: readonly string[]) => {
    const outcome = await run(words)
    if (outcome.code !== 0)
      throw new Error(`compose ${words.join(" ")} gave ${outcome.code}\n${outcome.stderr}${outcome.stdout}`)
    return outcome
  }
  return {
    directory,
    run,
    write,
    ok: async (...words) => (await good(words)).stdout.trim(),
    all: async (...words) => {
      const { stdout, stderr } = await good(words)
      return stdout + stderr
    },
  }
}
