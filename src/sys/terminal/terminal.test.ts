import { expect, test } from "bun:test"
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"

import { tmpdir } from "node:os"
import { join } from "node:path"
import { isTerminal, terminalSize } from "./terminal.ts"

test("a file is no terminal and has no size", () => {
  const fd = openSync("/dev/null", "r")
  expect(isTerminal(fd)).toBe(false)
  expect(terminalSize(fd)).toBeUndefined()
})

/** Runs `body` under Bun on a terminal of its own, then `stty -a`; gives all that the terminal showed. */
async function onTerminal(body: string, input = ""): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-terminal-"))
  const script = join(directory, "body.ts")
  writeFileSync(script, `import * as terminal from ${JSON.stringify(join(import.meta.dir, "terminal.ts"))}\n${body}`)
  let shown = ""
  const child = Bun.spawn(["sh", "-c", `stty -a; "${process.execPath}" "${script}"; echo "code $?"; stty -a`], {
    terminal: {
      cols: 101,
      rows: 33,
      data(it: { write(text: string): void }, chunk: Uint8Array) {
        shown += Buffer.from(chunk).toString()
        if (input !== "" && shown.includes("ready")) {
          it.write(input)
          input = ""
        }
      },
    },
  } as unknown as Parameters<typeof Bun.spawn>[1])
  await child.exited
  rmSync(directory, { recursive: true })
  return shown
}

/** The two reports of `stty -a`, without what lies between. */
function modes(shown: string): [string, string] {
  const reports = shown
    .split(/(?=speed \d+ baud)/)
    .slice(1)
    .map((report) => report.slice(0, report.indexOf("-extproc")))
  return [reports[0] ?? "", reports.at(-1) ?? ""]
}

test("raw mode gives each key as it is typed, and is undone", async () => {
  const shown = await onTerminal(
    `const fs = await import("node:fs")
     const size = terminal.terminalSize(0)
     { using raw = terminal.enterRawMode(0)
       fs.writeSync(1, "ready")
       const key = Buffer.alloc(1); fs.readSync(0, key)
       fs.writeSync(1, "key " + key[0] + " size " + size.rows + "x" + size.columns + " tty " + terminal.isTerminal(0) + "\\r\\n") }`,
    "\u0003",
  )
  expect(shown).toContain("key 3 size 33x101 tty true")
  const [before, after] = modes(shown)
  expect(before).not.toBe("")
  expect(after).toBe(before)
})

test.each([
  ["an uncaught error", "terminal.enterRawMode(0); throw new Error('x')", "code 1"],
  [
    "a rejected promise",
    "terminal.enterRawMode(0); Promise.reject(new Error('x')); setTimeout(() => {}, 1000)",
    "code 1",
  ],
  ["process.exit", "terminal.enterRawMode(0); process.exit(9)", "code 9"],
  ["SIGTERM", "terminal.enterRawMode(0); setTimeout(() => {}, 5000); process.kill(process.pid, 'SIGTERM')", "code 143"],
])("raw mode is undone by %s", async (_, body, code) => {
  const shown = await onTerminal(body)
  expect(shown).toContain(code)
  const [before, after] = modes(shown)
  expect(after).toBe(before)
})

test("a change of the size is told", async () => {
  const shown = await onTerminal(
    `terminal.onResize(() => { console.log("now", JSON.stringify(terminal.terminalSize(0))); process.exit(0) })
     Bun.spawnSync(["stty", "rows", "44", "cols", "55"], { stdio: ["inherit", "inherit", "inherit"] })
     setTimeout(() => process.exit(3), 2000)`,
  )
  expect(shown).toContain('now {"rows":44,"columns":55}')
})
