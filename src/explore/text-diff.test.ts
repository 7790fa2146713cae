import { expect, test } from "bun:test"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { spawnSync } from "node:child_process"
import { textDiff } from "./text-diff.ts"
import { tempDirectory } from "../../test/support/temp-directory.ts"

test("textDiff() shows what was and what is, with three lines around it", () => {
  const before = "a\nb\nc\nd\ne\nf\ng\n"
  expect(textDiff(before, before.replace("d\n", "D\nE\n"))).toEqual([
    "@@ -1,7 +1,8 @@",
    " a",
    " b",
    " c",
    "-d",
    "+D",
    "+E",
    " e",
    " f",
    " g",
  ])
  expect(textDiff("same\n", "same\n")).toEqual([])
  expect(textDiff("", "x\n")).toEqual(["@@ -1,0 +1,1 @@", "+x"])
})

test("textDiff() gives up on what is too long or too different", () => {
  expect(textDiff("x\n".repeat(30_000), "")).toBeUndefined()
  expect(textDiff(numbered(0), numbered(10_000))).toBeUndefined()
})

test("patch(1) makes the one text of the other by it", () => {
  for (const [a, b] of [
    [2, 3],
    [3, 5],
    [1, 6],
  ] as const) {
    const directory = tempDirectory("diff-")
    writeFileSync(join(directory, "f"), random(a))
    const diff = ["--- f", "+++ f", ...(textDiff(random(a), random(b)) ?? []), ""].join("\n")
    const made = spawnSync("patch", ["-s", "-o", "-", "f"], { cwd: directory, input: diff, encoding: "utf8" })
    if (made.error !== undefined) return console.log("skipped: there is no patch(1)")
    expect(made.stdout).toBe(random(b))
  }
})

function numbered(from: number): string {
  return Array.from({ length: 4000 }, (_, at) => `${from + at}`).join("\n")
}

function random(seed: number): string {
  return `${Array.from({ length: 60 }, (_, at) => `${(at * seed) % 7}`).join("\n")}\n`
}
