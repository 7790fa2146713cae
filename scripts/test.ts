/**
 * Runs every test, checks that none left anything behind, and closes with one line over all: `N passed, N failed, N skipped`.
 *
 * Unit tests first: those of networks, processes and runtimes on this host, as root beside them the others on a network of their own, so
 * that they share the kernel's tables with no one. Then the end-to-end tests against dist/skiff-test, as root
 * and as the unprivileged user beside each other: they share nothing but the machine. An ordinary user runs them as himself. Each
 * file has a process of its own; as root two of each user go on at a time, as most of a test is waiting. A file that failed is run once
 * more when all others have ended: what passes then is named, and is no failure.
 */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { realClients } from "../test/support/kubectl.ts"
import { adoptOrphans, hostThings, newThings } from "../test/support/leftovers.ts"
import {
  closing,
  isRunAgain,
  list,
  runAgain,
  runTests,
  resultOf,
  type Result,
  type Run,
  type Runner,
} from "./test-run.ts"

/** So many of the slowest files are named at the end: they are where time can be won. */
const SLOWEST = 12

/** The helpers of an ordinary user end by themselves this long after his last command, and a bit. */
const HELPERS_END_MS = 15_000
const POLL_MS = 200
/** The slowest file takes two minutes; of one that never ends the others are still to be heard of. */
const FILE_LIMIT_MS = 15 * 60_000
/** All unit tests of a half. */
const UNIT_LIMIT_MS = 30 * 60_000

const orphans = adoptOrphans()
const directory = mkdtempSync(join(tmpdir(), "skiff-test-"))
// where the unprivileged user reaches it, and no build changes it under a running test
const executable = join(directory, "skiff")
const release = join(directory, "skiff-release")
const runner: Runner = { directory, own: (pid) => orphans.own(pid), limitMs: FILE_LIMIT_MS }
const unitRunner: Runner = { ...runner, limitMs: UNIT_LIMIT_MS }
/** Who looks on wants to see them go on; a log is to be read from its end. */
const show = process.stdout.isTTY ? "at once" : "at the end"

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
      results.push(await runTests({ ...run, prefix, files: [file] }, "at the end", runner))
    }
  }
  await Promise.all(places.map(worker))
  return results
}

/**
 * Runs these side by side, and counts everything that they leave behind, by kind, as one failure, unless one of them was killed: it had no
 * time to clean up. A process is given the time that helpers have to end by themselves.
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
  if (results.some(({ isBroken }) => isBroken)) return results
  const failures = left.map((line) => `left behind by ${name}: ${line}`)
  return [...results, { ...resultOf({ name, files: [] }), failed: 1, failures }]
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
    runTests({ name: "unit", files: [...here, ...aboutTheWhole()] }, show, unitRunner),
    runTests({ name: "unit-apart", files: apart, prefix: apartFromHost() }, "at the end", unitRunner),
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
        Promise.all(
          named.length === 0 && isRoot ? unitRuns() : [runTests({ name: "unit", files: unit }, show, unitRunner)],
        ),
      )),
    )
  if (e2e.length > 0) {
    const once = await leavingNothing("the end-to-end tests", () => endToEnd(users, e2e, named.length === 0))
    const again = (): Promise<Result[]> => leavingNothing("those run again", () => runAgain(once, runner))
    results.push(...(once.some(isRunAgain) ? await again() : once))
  }

  console.log(closing(results, SLOWEST))
  const count = (of: "passed" | "failed") => results.reduce((sum, result) => sum + result[of], 0)
  return count("failed") > 0 || count("passed") === 0 ? 1 : 0
}

/** Of each user, beside each other. */
async function endToEnd(users: readonly string[], files: string[], areAll: boolean): Promise<Result[]> {
  const clients = files.some((file) => readFileSync(file, "utf8").includes("realClients")) ? kubeClients() : {}
  const ofUsers = users.map((user) => {
    const env = {
      SKIFF_TEST_USER: user,
      SKIFF_BIN: executable,
      SKIFF_RELEASE_BIN: release,
      SKIFF_TEST_BESIDE: "1",
      ...clients,
    }
    const own = users.length > 1 && areAll ? ofUser(user, files) : files
    return runFiles({ name: `e2e-${user}`, files: own, env }, placesOf(user))
  })
  return (await Promise.all(ofUsers)).flat()
}

/** kubectl and helm for all files that want them, installed once: most places have no way to a registry. Without them those tests skip. */
function kubeClients(): { KUBE_CLIENTS?: string } {
  const clients = join(directory, "kube-clients")
  mkdirSync(clients)
  return realClients(clients) === undefined ? {} : { KUBE_CLIENTS: clients }
}

try {
  process.exitCode = await main()
} finally {
  orphans[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
}
