/**
 * Runs every test and closes with one line over all runs: `N passed, N failed, N skipped`.
 *
 * Unit tests first, alone: they share the kernel's tables with no one. Then the end-to-end tests against dist/skiff-test, as root
 * and as the unprivileged user beside each other: they share nothing but the machine. An ordinary user runs them as himself.
 */
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

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

const isE2e = (file: string) => /(^|\/)test\/(e2e|security)\//.test(`./${file}`)

async function main(): Promise<number> {
  const named = process.argv.slice(2)
  const isRoot = process.getuid?.() === 0
  const unit =
    named.length === 0
      ? ["./src", "./test/architecture.test.ts", "./test/docs.test.ts", "./test/programs.test.ts"]
      : named.filter((file) => !isE2e(file))
  const e2e = named.length === 0 ? ["./test/e2e", "./test/security"] : named.filter(isE2e)
  const users = isRoot ? ["root", "rootless"] : ["rootless"]

  copyFileSync(process.env.SKIFF_BIN ?? "dist/skiff-test", executable)
  copyFileSync(process.env.SKIFF_RELEASE_BIN ?? "dist/skiff", release)
  chmodSync(directory, 0o755)

  const results: Result[] = []
  if (unit.length > 0) results.push(await runTests({ name: "unit", files: unit }, "at once"))
  if (e2e.length > 0)
    results.push(
      ...(await Promise.all(
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
  rmSync(directory, { recursive: true, force: true })
}
