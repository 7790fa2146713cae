/** One `bun test` process, and what it tells: numbers and names by its report, the output of what failed by its log. */
import { closeSync, openSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"

export interface Run {
  name: string
  files: string[]
  env?: Record<string, string>
  /** Words before the command. */
  prefix?: readonly string[]
}

export interface Result {
  run: Run
  passed: number
  failed: number
  /** Names of the tests that failed, with their groups; a run that broke outside a test has its own. */
  failures: string[]
  /** Of what failed, if only at first: the last lines before each one's name. */
  output: string[]
  /** Failed at first, and passed when it was run again alone. */
  passedAgain: string[]
  skipped: string[]
  /** It ended without a report: by a signal, mostly. */
  isBroken: boolean
  /** Seconds of each test file. */
  files: Map<string, number>
}

/** Where reports and logs go, and who is told of each process. */
export interface Runner {
  directory: string
  own(pid: number): void
  /** A run that takes longer is killed. */
  limitMs: number
}

/** Of one failed test, so many lines are shown again at the end; of all, so many. */
const LINES_OF_ONE = 60
const LINES_OF_ALL = 200
const LONGEST_LINE = 400

/** Its output is shown at once, or kept in a file until it has ended: runs go side by side. */
export async function runTests(run: Run, show: "at once" | "at the end", runner: Runner): Promise<Result> {
  const label = [run.name, ...run.files.slice(0, 1)].join("-").replaceAll(/[^\w.]+/g, "-")
  const report = join(runner.directory, `${label}.xml`)
  const log = join(runner.directory, `${label}.log`)
  rmSync(report, { force: true })
  const output = show === "at once" ? "inherit" : openSync(log, "w", 0o600)
  const begun = performance.now()
  const test = Bun.spawn({
    cmd: [
      ...(run.prefix ?? []),
      process.execPath,
      "test",
      "--timeout=60000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...run.files,
    ],
    env: { ...process.env, ...run.env },
    stdin: "ignore",
    stdout: output,
    stderr: output,
    timeout: runner.limitMs,
    killSignal: "SIGKILL",
  })
  runner.own(test.pid)
  await test.exited
  const seconds = (performance.now() - begun) / 1000
  const result = readReport(run, report, test.exitCode ?? 1)
  if (output === "inherit") return result
  closeSync(output)
  const text = readFileSync(log, "utf8")
  process.stdout.write(`\n=== ${run.name}, ${seconds.toFixed(1)} s ===\n${text}`)
  if (result.failed > 0) result.output = failingOutput(text)
  const [file = "", ...others] = run.files
  // what hooks take is in no test's time
  return others.length > 0 ? result : { ...result, files: new Map([[`${run.name}: ${file}`, seconds]]) }
}

/** Whether it failed, and there is a file of it. */
export const isRunAgain = ({ failed, run }: Result): boolean => failed > 0 && run.files.length > 0

/**
 * Runs once more what failed, one after the other: nothing else is to be going on. What they tell then counts, in place of what they told
 * at first; what has passed now is named.
 */
export async function runAgain(results: readonly Result[], runner: Runner): Promise<Result[]> {
  const last: Result[] = []
  for (const result of results) {
    if (!isRunAgain(result)) {
      last.push(result)
      continue
    }
    const name = `${result.run.name} again`
    const again = await runTests({ ...result.run, name }, "at the end", runner)
    const failures = again.failures.map((failure) => failure.replace(name, result.run.name))
    const passedAgain = result.failures.filter((failure) => !failures.includes(failure))
    const output = again.failed > 0 ? again.output : result.output
    last.push({ ...again, failures, passedAgain, output, files: new Map([...result.files, ...again.files]) })
  }
  return last
}

/** Of a run that has told nothing yet. */
export function resultOf(run: Run): Result {
  const names = { failures: [], output: [], passedAgain: [], skipped: [] }
  return { run, passed: 0, failed: 0, ...names, isBroken: false, files: new Map() }
}

/** A run that broke outside a test, or left no report, counts as one failure. */
function readReport(run: Run, path: string, exitCode: number): Result {
  const broken = `${run.name}: ${run.files.join(" ")} broke outside a test (exit code ${exitCode})`
  let xml = ""
  try {
    xml = readFileSync(path, "utf8")
  } catch {
    return { ...resultOf(run), failed: 1, failures: [broken], isBroken: true }
  }
  const [, tests = "0", failed = "0", skips = "0"] =
    /<testsuites [^>]*tests="(\d+)"[^>]*failures="(\d+)"[^>]*skipped="(\d+)"/.exec(xml) ?? []
  const failures = testsWith(xml, "failure").map((test) => `${run.name}: ${test}`)
  if (failures.length === 0 && exitCode !== 0) failures.push(broken)
  return {
    ...resultOf(run),
    passed: Number(tests) - Number(failed) - Number(skips),
    failed: Number(failed) || (exitCode === 0 ? 0 : 1),
    failures,
    skipped: testsWith(xml, "skipped"),
    files: fileTimes(run.name, xml),
  }
}

/** The tests of a JUnit report that hold this element. */
function testsWith(xml: string, element: "failure" | "skipped"): string[] {
  return [...xml.matchAll(/<testcase ([^>]*[^/])>\s*<(\w+)/g)]
    .filter(([, , child]) => child === element)
    .map(([, attributes = ""]) => {
      const value = (key: string) => new RegExp(`(?:^| )${key}="([^"]*)"`).exec(attributes)?.[1] ?? ""
      const file = element === "failure" ? value("file") : ""
      return unescape([file, value("classname"), value("name")].filter(Boolean).join(" "))
    })
}

function fileTimes(name: string, xml: string): Map<string, number> {
  const times = new Map<string, number>()
  for (const [, attributes = ""] of xml.matchAll(/<testcase ([^>]*)>/g)) {
    const file = / file="([^"]*)"/.exec(attributes)?.[1]
    const seconds = Number(/ time="([^"]*)"/.exec(attributes)?.[1])
    if (file !== undefined) times.set(`${name}: ${file}`, (times.get(`${name}: ${file}`) ?? 0) + seconds)
  }
  return times
}

function unescape(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
  return text.replace(/&(\w+|#\d+);/g, (whole, name: string) =>
    name.startsWith("#") ? String.fromCodePoint(Number(name.slice(1))) : (names[name] ?? whole),
  )
}

/** What `bun test` wrote of each test that failed: it stands before the line of its name. Of one without such a line, the end of all. */
function failingOutput(log: string): string[] {
  // after this they are named once more
  const lines = log
    .split(/^\d+ tests? failed:$/m, 1)
    .join("")
    .trimEnd()
    .split("\n")
  const shown: string[] = []
  let begin = 0
  for (const [index, line] of lines.entries()) {
    if (!/^\((pass|fail|skip|todo)\) |^\S+\.test\.ts:$/.test(line)) continue
    if (line.startsWith("(fail) ")) {
      const reason = lines[index + 1]?.startsWith("  ^ ") === true ? 1 : 0
      const end = index + 1 + reason
      shown.push(...lines.slice(Math.max(begin, end - LINES_OF_ONE), end))
    }
    begin = index + 1
  }
  return (shown.length > 0 ? shown : lines.slice(-LINES_OF_ONE)).map((line) => line.slice(0, LONGEST_LINE))
}

/** The closing lines: what failed with its output, what was slow, what was skipped, and one line over all. */
export function closing(results: readonly Result[], slowest: number): string {
  const all = (of: (result: Result) => string[]): string[] => results.flatMap(of)
  const sum = (of: (result: Result) => number): number => results.reduce((total, result) => total + of(result), 0)
  const skipped = all((result) => result.skipped)
  const words: string[] = []
  for (const { run, output } of results.toSorted((one, other) => other.failed - one.failed))
    if (output.length > 0) words.push(`--- ${run.name} ${run.files.join(" ")}`, ...output)
  const times = all((result) => slowestOf(result))
    .toSorted()
    .toReversed()
  return [
    list("skipped", skipped),
    list("the slowest files", times.slice(0, slowest)),
    list(
      "passed only when run again alone",
      all(({ passedAgain }) => passedAgain),
    ),
    list("the output of what failed", bounded(words)),
    list(
      "failed",
      all(({ failures }) => failures),
    ),
    `\n${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed, ${skipped.length} skipped`,
  ]
    .filter(Boolean)
    .join("\n")
}

const slowestOf = ({ files }: Result): string[] =>
  [...files].map(([file, seconds]) => `${seconds.toFixed(1).padStart(7)} s  ${file}`)

/** Of what fails for good first. */
function bounded(lines: string[]): string[] {
  if (lines.length <= LINES_OF_ALL) return lines
  return [...lines.slice(0, LINES_OF_ALL), `… and ${lines.length - LINES_OF_ALL} lines more, above`]
}

/** Empty for no lines. */
export function list(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`
}
