/** docs/tutorial.md as typed: its commands one after another in one shell, each with the output that the page shows. */
import { afterAll, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { parseMarkdown } from "../../scripts/docs/markdown.ts"
import { executable, outcomeOf, Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"

const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)

interface Typed {
  command: string
  /** Lines below it; `…` stands for anything, alone on its line for any number of lines. */
  shown: string[]
}

/** What a reader does: types the lines behind `$`, and writes files that the page shows. */
function typedLines(page: string): Typed[] {
  const typed: Typed[] = []
  for (const block of parseMarkdown(page)) {
    if (block.kind !== "code") continue
    if (block.language === "dockerfile")
      typed.push({ command: `cat > Dockerfile <<'END'\n${block.lines.join("\n")}\nEND`, shown: [] })
    if (block.language === "console")
      for (const line of block.lines)
        if (line.startsWith("$ ")) typed.push({ command: line.slice(2), shown: [] })
        else typed.at(-1)?.shown.push(line)
  }
  // a shell at a terminal is for people
  return typed.filter(({ command }) => !command.includes(" -it "))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, done))
  const { port } = server.address() as { port: number }
  await new Promise((done) => server.close(done))
  return port
}

/** A shell script that types all of it, and writes down each output and exit code. It ends at the first that fails. */
function script(typed: readonly Typed[], outputs: string): string {
  const steps = typed.map(({ command }, index) => {
    // what was started a moment ago may not listen yet
    const patient = command.startsWith("curl")
      ? command.replace("curl", "curl --retry 40 --retry-delay 1 --retry-connrefused")
      : command
    return `{ ${patient}\n} >'${outputs}/${index}' 2>'${outputs}/${index}.err' </dev/null; echo $? >'${outputs}/${index}.code'
grep -qx 0 '${outputs}/${index}.code' || exit 1`
  })
  return steps.join("\n")
}

function pattern(shown: readonly string[]): RegExp {
  const lines = shown.map((line) => (line === "…" ? "(?:.*\n)*" : `${line.split("…").map(escape).join(".*")} *\n`))
  return new RegExp(`^${lines.join("")}$`)
}

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)

test("the tutorial works as typed, and shows what the page shows", async () => {
  const port = String(await freePort())
  const page = readFileSync(join(import.meta.dir, "../../docs/tutorial.md"), "utf8").replaceAll("8080", port)
  const typed = typedLines(page)
  const outputs = join(skiff.directory, "outputs")
  const bin = join(skiff.directory, "bin")
  for (const directory of [outputs, bin]) {
    mkdirSync(directory)
    chmodSync(directory, 0o777)
  }
  symlinkSync(executable(), join(bin, "skiff"))
  const file = join(skiff.directory, "typed.sh")
  writeFileSync(file, script(typed, outputs), { mode: 0o755 })
  const env = { ...skiff.env, PATH: `${bin}:${process.env.PATH}` }
  const [program = "", ...words] = [...user.prefix, "bash", file]
  await outcomeOf(spawn(program, words, { env, cwd: skiff.directory }), 100_000)

  const outputOf = (index: number, what: string) => {
    try {
      return readFileSync(join(outputs, `${index}${what}`), "utf8")
    } catch {
      return "not reached"
    }
  }
  for (const [index, { command, shown }] of typed.entries()) {
    const outcome = { command, code: outputOf(index, ".code").trim(), stderr: outputOf(index, ".err") }
    expect(outcome).toEqual({ command, code: "0", stderr: outcome.stderr })
    if (shown.length > 0)
      expect([command, outputOf(index, "")]).toEqual([command, expect.stringMatching(pattern(shown))])
  }
}, 120_000)
