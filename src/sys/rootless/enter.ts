import { lstatSync, mkdirSync } from "node:fs"
import { dirname } from "node:path"
import { FailedPrecondition, PermissionDenied } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { findProgram, ownCommand } from "../host.ts"
import { execve, keepOnExecIfOpen } from "../libc.ts"
import { defaultPaths, JUST_ENTERED_ENV, loginDirectory, ROOTLESS_GID_ENV, ROOTLESS_UID_ENV } from "../fs/paths.ts"
import { ensurePrivateDirectory } from "../fs/private-directory.ts"
import { useNamespaces } from "./use-namespaces.ts"
import { userScope } from "./user-scope.ts"
import type { PauseOptions } from "./pause-process.ts"
import { pauseProcessLives, recordedNamespaces } from "./namespaces.ts"

/** Commands that ask nothing of a store, and must work on a host where no namespace can be made. */
const OUTSIDE = new Set(["version", "help", "completion", "doctor"])
/** What the user's own files and programs are asked for, and no container. `image scp` starts ssh and skiffs, which enter themselves. */
const OUTSIDE_PAIRS = new Set(["system enable-boot", "system disable-boot", "image scp", "compose version"])
const OUTSIDE_FLAGS = new Set(["--version", "-v", "--help", "-h"])
/** Global flags whose value is the next word. */
export const FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  ..."l c H".split(" ").map((letter) => `-${letter}`),
  ...(
    "root runroot runtime runtime-flag log-level cgroup-manager config context events-backend hooks-dir host imagestore " +
    "module network-config-dir out storage-driver storage-opt tls-ca tls-cert tls-key tlscacert tlscert tlskey tmpdir volumepath"
  )
    .split(" ")
    .map((name) => `--${name}`),
])
/** Their words may be a container's: a `--help` there can belong to the program inside. */
const TAKES_A_COMMAND = new Set(["run", "exec", "create", "unshare"])
/** They start a process in a container's cgroup. */
const STARTS = new Set(["run", "exec", "create", "start", "restart"])
/** Compose's, beside those of the same names. */
const COMPOSE_STARTS = new Set(["up", "scale", "watch"])
/** Flags between `compose` and its verb whose value is the next word. */
export const COMPOSE_FLAGS_WITH_VALUE: ReadonlySet<string> = new Set([
  "-f",
  "-p",
  ..."ansi env-file file parallel profile progress project-directory project-name workdir"
    .split(" ")
    .map((name) => `--${name}`),
])

/**
 * Replaces this process by itself inside the pause process's user and mount namespace, where the caller is root.
 * Returns only when `argv` needs no namespace. Throws FailedPrecondition, PermissionDenied, Unavailable.
 */
export async function enterRootless(argv: readonly string[], options?: PauseOptions): Promise<void> {
  if (!staysOutside(argv)) await enterNamespaces(argv, options)
}

/**
 * The same for root of a container, who may not mount but may make a user namespace. Where he may not even that, all stays as
 * it is, and builds have the isolation level `chroot`. Containers are none of this: they need more than such a namespace has.
 */
export async function enterContained(argv: readonly string[]): Promise<void> {
  const isContainer = startsContainers(argv) && commandWords(argv)[0] !== "builder"
  if (isContainer || staysOutside(argv)) return
  try {
    await enterNamespaces(argv)
  } catch (error) {
    log.debug("no user namespace can be made here", { reason: String(error) })
  }
}

/** Whether the command line is answered as the ordinary user. In doubt no: to enter costs a few milliseconds. */
export function staysOutside(argv: readonly string[]): boolean {
  const words = commandWords(argv)
  const [first = "help", second] = words
  const flags = argv.slice(0, argv.length - words.length)
  if (first === "quadlet" || OUTSIDE_PAIRS.has(`${first} ${second}`)) return true
  if (OUTSIDE.has(first) || second === "--help" || flags.some((flag) => OUTSIDE_FLAGS.has(flag))) return true
  return !TAKES_A_COMMAND.has(verbOf(argv)) && words.includes("--help")
}

/** The command line after the global flags. */
function commandWords(argv: readonly string[]): readonly string[] {
  return afterFlags(argv, FLAGS_WITH_VALUE)
}

function afterFlags(words: readonly string[], withValue: ReadonlySet<string>): readonly string[] {
  let index = 0
  while (words[index]?.startsWith("-")) index += withValue.has(words[index] ?? "") ? 2 : 1
  return words.slice(index)
}

/** `run`, of `run`, `container run`, `builder run` and `compose -p NAME run`. */
function verbOf(argv: readonly string[]): string {
  const [first = "", second = "", ...more] = commandWords(argv)
  if (first === "compose") return afterFlags([second, ...more], COMPOSE_FLAGS_WITH_VALUE)[0] ?? ""
  return first === "container" || first === "builder" ? second : first
}

function startsContainers(argv: readonly string[]): boolean {
  const verb = verbOf(argv)
  return STARTS.has(verb) || (COMPOSE_STARTS.has(verb) && commandWords(argv)[0] === "compose")
}

async function enterNamespaces(argv: readonly string[], options?: PauseOptions): Promise<never> {
  const { runRoot } = defaultPaths()
  ensureRunRoot(runRoot)
  // before the record is read: the descriptor goes along through execve, so nothing ends under our feet
  await useNamespaces(runRoot)
  let namespaces = recordedNamespaces(runRoot)
  if (namespaces === undefined || namespaces.singleId || !pauseProcessLives(namespaces)) {
    const { ensureNamespaces } = await import("./pause-process.ts")
    namespaces = await ensureNamespaces(runRoot, options)
  }
  const nsenter = findProgram("nsenter")
  if (nsenter === undefined)
    throw new FailedPrecondition("nsenter of util-linux is not installed", { hint: { do: "diagnose" } })
  const env = insideEnvironment()
  const scope = startsContainers(argv) ? userScope(process.getuid?.() ?? 0, env.XDG_RUNTIME_DIR) : []
  // the engine stays in the host's network (namespaces.ts); `--wdns` looks the directory up inside, where paths lead on from it
  const enter = ["--target", String(namespaces.pausePid), "--user", "--mount", "--preserve-credentials"]
  for (const fd of preservedIn(argv)) keepOnExecIfOpen(fd)
  const words = [...scope, nsenter, ...enter, `--wdns=${process.cwd()}`, "--", ...ownCommand(), ...argv]
  execve(words[0] ?? nsenter, words, env)
}

/** Descriptors that the command line hands on to a program: Bun has all others closed at the next execve. Pure. */
function preservedIn(argv: readonly string[]): number[] {
  const line = argv.join(" ")
  const [, count = "0"] = /(?:^| )--preserve-fds[= ](\d{1,4})(?: |$)/.exec(line) ?? []
  const single = [...line.matchAll(/(?:^| )--preserve-fd[= ]([\d,]+)(?= |$)/g)].flatMap(([, list = ""]) =>
    list.split(","),
  )
  return [...Array.from({ length: Number(count) }, (_, index) => index + 3), ...single.map(Number)]
}

function insideEnvironment(): Record<string, string | undefined> {
  const uid = process.getuid?.() ?? 0
  const own = { [ROOTLESS_UID_ENV]: String(uid), [ROOTLESS_GID_ENV]: String(process.getgid?.() ?? 0) }
  return { ...process.env, XDG_RUNTIME_DIR: loginDirectory(uid), ...own, [JUST_ENTERED_ENV]: "1" }
}

/** The run root, private and ours, and the directory above it, which nobody else may rename it in. */
function ensureRunRoot(runRoot: string): void {
  const parent = dirname(runRoot)
  if (process.env.SKIFF_RUN_ROOT) return ensurePrivateDirectory(runRoot)
  if (parent.startsWith("/tmp/")) ensurePrivateDirectory(parent)
  // an image may have no /run
  if (process.getuid?.() === 0) mkdirSync(parent, { recursive: true, mode: 0o755 })
  const stat = lstatSync(parent, { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true || stat.uid !== process.getuid?.())
    throw new PermissionDenied(`XDG_RUNTIME_DIR "${parent}" is not a directory of yours`, {
      hint: "su and sudo keep the variable of the user before: unset XDG_RUNTIME_DIR, or log in with machinectl or ssh",
    })
  ensurePrivateDirectory(runRoot)
}
