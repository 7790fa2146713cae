/**
 * Runs every test, checks that none left anything behind, and closes with one line over all: `N passed, N failed, N skipped`.
 *
 * Unit tests first, alone: they share the kernel's tables with no one. Then the end-to-end tests against dist/skiff-test, as root
 * and as the unprivileged user beside each other: they share nothing but the machine. An ordinary user runs them as himself.
 */
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { adoptOrphans, hostThings, newThings } from "../test/support/leftovers.ts"

interface Run {
  name: string
  files: string[]
  env?: Record<string, string>
}
interface Result {
  passed: number
  failed: number
  skipped: string[]
}

/** The helpers of an ordinary user end by themselves this long after his last command, and a bit. */
const HELPERS_END_MS = 15_000
const POLL_MS = 200

const orphans = adoptOrphans()
const directory = mkdtempSync(join(tmpdir(), "skiff-test-"))
// where the unprivileged user reaches it, and no build changes it under a running test
const executable = join(directory, "skiff")
const release = join(directory, "skiff-release")

/** One `bun test` process. Its output is shown at once, or kept until it has ended when runs go side by side. */
async function runTests(run: Run, show: "at once" | "at the end"): Promise<Result> {
  const report = join(directory, `${run.name}.xml`)
  const test = Bun.spawn({
    cmd: [
      process.execPath,
      "test",
      "--timeout=60000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...run.files,
    ],
    env: { ...process.env, ...run.env },
    stdin: "ignore",
    stdout: show === "at once" ? "inherit" : "pipe",
    stderr: show === "at once" ? "inherit" : "pipe",
  })
  orphans.own(test.pid)
  if (show === "at once") await test.exited
  else {
    const [out, err] = await Promise.all([new Response(test.stdout).text(), new Response(test.stderr).text()])
    await test.exited
    process.stdout.write(`\n=== ${run.name} ===\n${out}${err}`)
  }
  return readReport(report, test.exitCode ?? 1)
}

/** A run that broke outside a test, or left no report, counts as one failure. */
function readReport(path: string, exitCode: number): Result {
  let xml = ""
  try {
    xml = readFileSync(path, "utf8")
  } catch {
    return { passed: 0, failed: 1, skipped: [] }
  }
  const [, tests = "0", failures = "0", skips = "0"] =
    /<testsuites [^>]*tests="(\d+)"[^>]*failures="(\d+)"[^>]*skipped="(\d+)"/.exec(xml) ?? []
  const skipped = [...xml.matchAll(/<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<skipped/g)].map((match) =>
    unescape(`${match[2]} ${match[1]}`.trim()),
  )
  const failed = Number(failures) || (exitCode === 0 ? 0 : 1)
  return { passed: Number(tests) - Number(failures) - Number(skips), failed, skipped }
}

function unescape(text: string): string {
  const names: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }
  return text.replace(/&(\w+|#\d+);/g, (whole, name: string) =>
    name.startsWith("#") ? String.fromCodePoint(Number(name.slice(1))) : (names[name] ?? whole),
  )
}

/**
 * Runs these side by side, and counts everything that they leave behind, by kind, as one failure. A process is given the time
 * that helpers have to end by themselves.
 */
async function leavingNothing(name: string, runs: () => Promise<Result[]>): Promise<Result[]> {
  const before = hostThings()
  const results = await runs()
  const deadline = Date.now() + HELPERS_END_MS
  const look = (): string[] => [
    ...orphans.left().map(({ pid, command }) => `process: ${command} (${pid})`),
    ...newThings(before),
  ]
  let left = look()
  while (left.length > 0 && Date.now() < deadline) {
    await Bun.sleep(POLL_MS)
    left = look()
  }
  if (left.length === 0) return results
  console.log(`\nleft behind by ${name}:\n${left.map((line) => `  ${line}`).join("\n")}`)
  // all of them are known to be below this process
  for (const { pid } of orphans.left()) process.kill(pid, "SIGKILL")
  return [...results, { passed: 0, failed: 1, skipped: [] }]
}

const isE2e = (file: string) => /(^|\/)test\/(e2e|security)\//.test(`./${file}`)

async function main(): Promise<number> {
  const named = process.argv.slice(2)
  const isRoot = process.getuid?.() === 0
  const unit =
    named.length === 0
      ? ["./src", ...readdirSync("test").flatMap((name) => (name.endsWith(".test.ts") ? [`./test/${name}`] : []))]
      : named.filter((file) => !isE2e(file))
  const e2e = named.length === 0 ? ["./test/e2e", "./test/security"] : named.filter(isE2e)
  const users = isRoot ? ["root", "rootless"] : ["rootless"]

  copyFileSync(process.env.SKIFF_BIN ?? "dist/skiff-test", executable)
  copyFileSync(process.env.SKIFF_RELEASE_BIN ?? "dist/skiff", release)
  chmodSync(directory, 0o755)

  const results: Result[] = []
  if (unit.length > 0)
    results.push(
      ...(await leavingNothing("the unit tests", async () => [
        await runTests({ name: "unit", files: unit }, "at once"),
      ])),
    )
  if (e2e.length > 0)
    results.push(
      ...(await leavingNothing("the end-to-end tests", () =>
        Promise.all(
          users.map((user) =>
            runTests(
              {
                name: `e2e-${user}`,
                files: e2e,
                env: { SKIFF_TEST_USER: user, SKIFF_BIN: executable, SKIFF_RELEASE_BIN: release },
              },
              "at the end",
            ),
          ),
        ),
      )),
    )

  const skipped = results.flatMap((result) => result.skipped)
  if (skipped.length > 0) console.log(`\nskipped:\n${skipped.map((name) => `  ${name}`).join("\n")}`)
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed, 0)
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`)
  return failed > 0 || passed === 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} finally {
  orphans[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
}
