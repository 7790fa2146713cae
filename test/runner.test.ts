/** What runs the tests: it tells what passed only when it was run again alone, and shows what failed at the end. */
import { expect, setDefaultTimeout, test } from "bun:test"
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { closing, runAgain, runTests, type Result, type Runner } from "../scripts/test-run.ts"
import { tempDirectory } from "./support/temp-directory.ts"

const directory = tempDirectory("skiff-runner-")
const runner: Runner = { directory, own() {}, limitMs: 20_000 }
const mark = join(directory, "mark")

setDefaultTimeout(60_000)

/** A file of tests of which the second does something else the first time, and the last is skipped. */
function fileThat(atFirst: string): string {
  const path = join(directory, "sometimes.test.ts")
  writeFileSync(
    path,
    `import { expect, setDefaultTimeout, test } from "bun:test"
    import { existsSync, writeFileSync } from "node:fs"
    const isFirst = !existsSync(${JSON.stringify(mark)})
    test("always", () => {})
    test("sometimes", async () => {
      writeFileSync(${JSON.stringify(mark)}, "")
      for (let line = 0; line < 500; line++) console.log("line " + line)
      if (isFirst) { ${atFirst} }
    })
    test.skip("never", () => {})`,
  )
  rmSync(mark, { force: true })
  return path
}

/** Both runs, with what is said of them shown nowhere. */
async function twice(file: string, limitMs = runner.limitMs): Promise<[Result, Result]> {
  const write = process.stdout.write
  process.stdout.write = () => true
  try {
    const first = await runTests({ name: "e2e", files: [file] }, "at the end", { ...runner, limitMs })
    const [last = first] = await runAgain([first], runner)
    return [first, last]
  } finally {
    process.stdout.write = write
  }
}

test("a file that fails once counts as it ends when it runs again, each test once, and is named", async () => {
  const [first, last] = await twice(fileThat(`expect("this").toBe("that")`))
  expect(first).toMatchObject({ passed: 1, failed: 1, failures: [expect.stringMatching(/^e2e: .* sometimes$/)] })
  expect(last).toMatchObject({ passed: 2, failed: 0, failures: [], passedAgain: first.failures })
  const text = closing([last], 1)
  expect(text).toContain(`\npassed only when run again alone:\n  ${first.failures[0]}\n`)
  expect(text).toContain("\nthe output of what failed:\n  --- e2e again ")
  expect(text).not.toContain("\nfailed:\n")
  expect(text).toEndWith("\n2 passed, 0 failed, 1 skipped")
})

test("so does one that dies, and one that never ends", async () => {
  for (const atFirst of [`process.kill(process.pid, "SIGKILL")`, "while (true) {}"]) {
    const [first, last] = await twice(fileThat(atFirst), 4_000)
    expect(first).toMatchObject({ passed: 0, failed: 1, isBroken: true })
    expect(last).toMatchObject({ passed: 2, failed: 0, passedAgain: [expect.stringContaining("broke outside a test")] })
  }
})

test("what fails again is a failure, and the end of its output is shown before the last lines", async () => {
  const [, last] = await twice(fileThat(`} { expect("this").toBe("that")`))
  expect(existsSync(mark)).toBe(true)
  expect(last).toMatchObject({ passed: 1, failed: 1, passedAgain: [] })
  const text = closing([last], 1)
  expect(text).toContain("line 499\n")
  expect(text).toMatch(/\(fail\) sometimes .*\n\nfailed:\n {2}e2e: .* sometimes\n\n1 passed, 1 failed, 1 skipped$/)
  expect(last.output.length).toBe(60)
  expect(
    closing(
      Array.from({ length: 50 }, () => last),
      1,
    ).split("\n").length,
  ).toBeLessThan(400)
})
