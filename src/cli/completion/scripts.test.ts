import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { SCRIPTS } from "./scripts.ts"

/** Runs a program in the shell, with `skiff` on its path being this source tree. */
function inShell(shell: string, options: readonly string[], script: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), "skiff-completion-"))
  try {
    const main = join(import.meta.dir, "../../main.ts")
    writeFileSync(join(directory, "skiff"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 })
    const env = { ...process.env, PATH: `${directory}:${process.env.PATH}`, HOME: directory }
    const { stdout, stderr } = spawnSync(shell, [...options, "-c", script], { env, cwd: directory, encoding: "utf8" })
    if (stderr !== "") throw new Error(stderr)
    return stdout.trim().split("\n")
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const BASH = `${SCRIPTS.bash}
complete_line() { COMP_LINE=$1 COMP_POINT=\${#1}; _skiff; printf '%s\\n' "\${COMPREPLY[@]}"; }
`

function skipReason(shell: string): boolean {
  const isThere = spawnSync(shell, ["-c", "true"]).status === 0
  if (!isThere) console.log(`skipped: no ${shell} on this host`)
  return !isThere
}

describe.skipIf(skipReason("bash"))("bash", () => {
  test.each([
    ["skiff ru", ["run"]],
    ["skiff container re", ["rename", "restart", "restore", "remove"]],
    ["skiff run --restart al", ["always"]],
    // readline replaces only what stands after the equals sign
    ["skiff run --restart=al", ["always"]],
    ["skiff run --env-file /etc/host", ["/etc/hostname"]],
    ["skiff help --he", ["--help"]],
  ])("completes %p", (line, words) => {
    expect(inShell("bash", ["--norc"], `${BASH}complete_line '${line}'`)).toEqual(expect.arrayContaining(words))
  })

  test("the script is loaded as its help says", () => {
    const loaded = inShell("bash", ["--norc"], "source <(skiff completion bash); complete -p skiff")
    expect(loaded).toEqual(["complete -F _skiff skiff"])
  })
})

test.skipIf(skipReason("fish"))("fish completes commands with their flags' texts", () => {
  const script = "skiff completion fish | source; complete -C 'skiff ru'; complete -C 'skiff run --cidf'"
  expect(inShell("fish", ["--no-config"], script)).toEqual(["run", "--cidfile\tWrite the container ID to the file"])
})

test.skipIf(skipReason("zsh"))("zsh is given names, with texts after a colon", () => {
  const stubs = 'compdef() { : }; _describe() { print -rl -- "${(@P)2}" }; _files() { print files }'
  const script = `${stubs}; source <(skiff completion zsh)
words=(skiff container re); CURRENT=3; _skiff; words=(skiff run --cidfile ""); CURRENT=4; _skiff`
  expect(inShell("zsh", ["-f"], script)).toEqual(["rename", "restart", "restore", "remove", "files"])
})

test.skipIf(skipReason("zsh"))("zsh completes at once when it loads the script from a directory of its path", () => {
  const stubs = 'compdef() { print too late }; _describe() { print -rl -- "${(@P)2}" }; _files() { print files }'
  const script = `${stubs}; skiff completion zsh > _skiff; fpath=($PWD); autoload -Uz _skiff
words=(skiff container re); CURRENT=3; _skiff; words=(skiff container re); _skiff`
  const names = ["rename", "restart", "restore", "remove"]
  expect(inShell("zsh", ["-f"], script)).toEqual([...names, ...names])
})
