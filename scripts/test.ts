/**
 * Runs every test, checks that none left anything behind, and closes with one line over all: `N passed, N failed, N skipped`.
 *
 * Unit tests first: those of networks, processes and runtimes on this host, as root beside them the others on a network of their own, so
 * that they share the kernel's tables with no one. Then the end-to-end tests against dist/skiff-test, as root
 * and as the unprivileged user beside each other: they share nothing but the machine. An ordinary user runs them as himself. Each
 * file has a process of its own; as root two of each user go on at a time, as most of a test is waiting.
 */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { adoptOrphans, hostThings, newThings } from "../test/support/leftovers.ts"

interface Run {
  name: string
  files: string[]
  env?: Record<string, string>
  /** Words before the command. */
  prefix?: readonly string[]
}
interface Result {
  passed: number
  failed: number
  /** Names of the tests that failed, with their groups; a run that broke outside a test has its own. */
  failures: string[]
  skipped: string[]
  /** Seconds of each test file. */
  files: Map<string, number>
}

/** So many of the slowest files are named at the end: they are where time can be won. */
const SLOWEST = 12

/** The helpers of an ordinary user end by themselves this long after his last command, and a bit. */
const HELPERS_END_MS = 15_000
const POLL_MS = 200

const orphans = adoptOrphans()
const directory = mkdtempSync(join(tmpdir(), "skiff-test-"))
// where the unprivileged user reaches it, and no build changes it under a running test
const executable = join(directory, "skiff")
const release = join(directory, "skiff-release")

/** One `bun test` process. Its output is shown at once, or kept in a file until it has ended when runs go side by side. */
async function runTests(run: Run, show: "at once" | "at the end"): Promise<Result> {
  const label = [run.name, ...run.files.slice(0, 1).map((file) => basename(file))].join("-")
  const report = join(directory, `${label}.xml`)
  const log = join(directory, `${label}.log`)
  const output = show === "at once" ? "inherit" : openSync(log, "a", 0o600)
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
  })
  orphans.own(test.pid)
  await test.exited
  const seconds = (performance.now() - begun) / 1000
  if (output !== "inherit") {
    closeSync(output)
    process.stdout.write(`\n=== ${run.name}, ${seconds.toFixed(1)} s ===\n${readFileSync(log, "utf8")}`)
  }
  const result = readReport(run.name, report, test.exitCode ?? 1)
  const [file = "", ...others] = run.files
  if (others.length > 0 || show === "at once") return result
  // what hooks take is in no test's time
  return { ...result, files: new Map([[`${run.name}: ${file}`, seconds]]) }
}

/** Each file in a process of its own, in order, one at a time in each of the places. */
async function runFiles({ files, ...run }: Run, places: readonly Place[]): Promise<Result[]> {
  const left = [...files]
  const results: Result[] = []
  const worker = async ({ inside, mayAskOutside }: Place): Promise<void> => {
    for (;;) {
      const index = left.findIndex((file) => mayAskOutside || !asksOutside(file))
      const [file] = index < 0 ? [] : left.splice(index, 1)
      if (file === undefined) return
      const prefix = asksOutside(file) ? [] : inside
      results.push(await runTests({ ...run, prefix, files: [file] }, "at the end"))
    }
  }
  await Promise.all(places.map(worker))
  return results
}

/** A run that broke outside a test, or left no report, counts as one failure. */
function readReport(name: string, path: string, exitCode: number): Result {
  const broken = `${basename(path, ".xml")}: broke outside a test (exit code ${exitCode})`
  let xml = ""
  try {
    xml = readFileSync(path, "utf8")
  } catch {
    return { passed: 0, failed: 1, failures: [broken], skipped: [], files: new Map() }
  }
  const [, tests = "0", failed = "0", skips = "0"] =
    /<testsuites [^>]*tests="(\d+)"[^>]*failures="(\d+)"[^>]*skipped="(\d+)"/.exec(xml) ?? []
  const failures = testsWith(xml, "failure").map((test) => `${name}: ${test}`)
  if (failures.length === 0 && exitCode !== 0) failures.push(broken)
  return {
    passed: Number(tests) - Number(failed) - Number(skips),
    failed: Number(failed) || (exitCode === 0 ? 0 : 1),
    failures,
    skipped: testsWith(xml, "skipped"),
    files: fileTimes(name, xml),
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
  console.log(list(`left behind by ${name}`, left))
  // all of them are known to be below this process
  for (const { pid } of orphans.left()) process.kill(pid, "SIGKILL")
  const failures = left.map((line) => `left behind by ${name}: ${line}`)
  return [...results, { passed: 0, failed: 1, failures, skipped: [], files: new Map() }]
}

function list(title: string, lines: string[]): string {
  return `\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`
}

function slowest(results: Result[]): string[] {
  return results
    .flatMap((result) => [...result.files])
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, SLOWEST)
    .map(([file, seconds]) => `${seconds.toFixed(1).padStart(7)} s  ${file}`)
}

/** What these test is the same for every user: their first comment says so. Of so many of them root runs one, the other the rest. */
const ONE_USER = "One user is enough."
const OF_WHICH_ROOTS = 3
/** Of a file that asks servers of the world: it runs on this host's own network. */
const OUTSIDE = "The world outside is asked."

const firstComment = (file: string): string => readFileSync(file, "utf8").split("*/", 1)[0] ?? ""
const asksOutside = (file: string): boolean => firstComment(file).includes(OUTSIDE)

function e2eFiles(): string[] {
  return ["test/e2e", "test/security"].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".test.ts"))
      .toSorted()
      .map((name) => `./${folder}/${name}`),
  )
}

/** Which of all files this user runs, where both do. */
function ofUser(user: string, files: string[]): string[] {
  const shared = files.filter((file) => firstComment(file).includes(ONE_USER))
  const isRoots = (file: string) => shared.indexOf(file) % OF_WHICH_ROOTS === 0
  return files.filter((file) => !shared.includes(file) || isRoots(file) === (user === "root"))
}

/** Where files of a user go on, one after the other. */
interface Place {
  /** Words before a command that bring it onto a network; none: this host's. */
  inside: readonly string[]
  mayAskOutside: boolean
}

/**
 * Root's first is on this host's network, with what the host has. All others have one of their own, with a link that leads nowhere:
 * they make the same links, addresses and tables, and look at what is left of them. Cgroups they share; of an ordinary user there are some
 * only where a session has delegated them.
 */
function placesOf(user: string): Place[] {
  const here: Place = { inside: [], mayAskOutside: true }
  if (process.getuid?.() !== 0) return [here]
  const apart = apartFromHost()
  if (user === "root") return [here, { inside: apart, mayAskOutside: false }]
  return [true, false].map((mayAskOutside) => ({ inside: apart, mayAskOutside }))
}

/** Words before a command of root's that give it a network of its own. */
function apartFromHost(): string[] {
  const cgroups = join(directory, "cgroups")
  mkdirSync(cgroups, { recursive: true })
  return ["unshare", "--net", "--mount", "sh", "-ec", OTHER_NETWORK, cgroups]
}

/**
 * The file system of /sys belongs to a network: that of cgroups is put back into it. The way to the host's name servers is closed at
 * once, so that nobody waits for their answers.
 */
const OTHER_NETWORK = `
  mount --rbind /sys/fs/cgroup "$0"
  mount -t sysfs sysfs /sys
  mount --rbind "$0" /sys/fs/cgroup
  umount -l "$0"
  mount --make-rshared /
  ip link set lo up
  ip link add eth0 type veth peer name outside
  ip link set outside up
  ip link set eth0 up
  ip addr add 10.99.0.2/24 dev eth0
  ip route add default via 10.99.0.1
  for server in $(sed -n 's/^nameserver *//p' /etc/resolv.conf); do ip route add unreachable "$server" 2>/dev/null || true; done
  echo 1 > /proc/sys/net/ipv4/ip_forward
  exec "$@"`

/** Domains whose unit tests make links, tables and namespaces, or run containers: about 40 % of the time of all. */
const OF_THE_KERNEL = new Set(["network", "sys", "runtime", "engine", "snapshot", "volume", "event", "container"])

/** Two halves of all unit tests. */
function unitRuns(): Promise<Result>[] {
  const domains = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const [here = [], apart = []] = [true, false].map((wanted) =>
    domains.filter(({ name }) => OF_THE_KERNEL.has(name) === wanted).map(({ name }) => `./src/${name}/`),
  )
  return [
    runTests({ name: "unit", files: [...here, ...aboutTheWhole()] }, "at once"),
    runTests({ name: "unit-apart", files: apart, prefix: apartFromHost() }, "at the end"),
  ]
}

/** Tests of architecture, documents and the tests themselves. */
const aboutTheWhole = (): string[] =>
  readdirSync("test").flatMap((name) => (name.endsWith(".test.ts") ? [`./test/${name}`] : []))

const isE2e = (file: string) => /(^|\/)test\/(e2e|security)\//.test(`./${file}`)

async function main(): Promise<number> {
  const named = process.argv.slice(2)
  const isRoot = process.getuid?.() === 0
  const unit = named.length === 0 ? ["./src", ...aboutTheWhole()] : named.filter((file) => !isE2e(file))
  const e2e = named.length === 0 ? e2eFiles() : named.filter(isE2e)
  const users = isRoot ? ["root", "rootless"] : ["rootless"]

  copyFileSync(process.env.SKIFF_BIN ?? "dist/skiff-test", executable)
  copyFileSync(process.env.SKIFF_RELEASE_BIN ?? "dist/skiff", release)
  chmodSync(directory, 0o755)

  const results: Result[] = []
  if (unit.length > 0)
    results.push(
      ...(await leavingNothing("the unit tests", () =>
        Promise.all(named.length === 0 && isRoot ? unitRuns() : [runTests({ name: "unit", files: unit }, "at once")]),
      )),
    )
  if (e2e.length > 0)
    results.push(
      ...(await leavingNothing("the end-to-end tests", () =>
        Promise.all(
          users.map((user) =>
            runFiles(
              {
                name: `e2e-${user}`,
                files: isRoot && named.length === 0 ? ofUser(user, e2e) : e2e,
                env: {
                  SKIFF_TEST_USER: user,
                  SKIFF_BIN: executable,
                  SKIFF_RELEASE_BIN: release,
                  SKIFF_TEST_BESIDE: "1",
                },
              },
              placesOf(user),
            ),
          ),
        ).then((ofUsers) => ofUsers.flat()),
      )),
    )

  const skipped = results.flatMap((result) => result.skipped)
  if (skipped.length > 0) console.log(list("skipped", skipped))
  console.log(list("the slowest files", slowest(results)))
  const failures = results.flatMap((result) => result.failures)
  if (failures.length > 0) console.log(list("failed", failures))
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
