import { expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { shellLine, shellWrite } from "./shell-words.ts"

const WORDS = [
  "plain",
  "",
  "two words",
  "it's",
  '"',
  "$HOME",
  "`id`",
  "a\\b",
  "100%",
  "line\nbreak",
  "*",
  "--flag=x y",
  "é",
]

test("a shell reads each word as it is", () => {
  const { stdout } = spawnSync("sh", ["-c", shellLine("printf", "%s\\0", ...WORDS)], { encoding: "utf8" })
  expect(stdout.split("\0").slice(0, -1)).toEqual(WORDS)
})

test("a shell writes each text as it is, by one line", () => {
  const directory = mkdtempSync(join(tmpdir(), "skiff-shell-"))
  try {
    for (const text of [...WORDS, "a\nb\n", "%s\\n\n"]) {
      const line = shellWrite(join(directory, "file"), text)
      expect(line).not.toContain("\n")
      spawnSync("sh", ["-c", line])
      expect(readFileSync(join(directory, "file"), "utf8")).toBe(text)
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
