/** The host's git, told nothing by a repository's names, its files, or our environment. */
import { Cancelled, InvalidArgument, NotFound, Unavailable } from "../../base/errors.ts"
import { findProgram } from "../host.ts"
import { installCommand } from "../install-command.ts"
import { sendSignal } from "../libc.ts"
import { openCheckedProxy, type CheckedProxy } from "../net/checked-proxy.ts"
import { proxyFor } from "../net/proxy.ts"
import { spawnKilledWithParent } from "../process/killed-with-parent.ts"
import type { GitAddress } from "./git-credentials.ts"

/** What `Git` is made of. */
export interface GitOptions {
  /** The repository's, or one that becomes it. */
  directory: string
  address: GitAddress
  signal?: AbortSignal | undefined
  proxy?: CheckedProxy | undefined
  /** No file may grow beyond it: of a pack, by `ulimit -f`. */
  maxFileBytes?: number
  /** More of the environment. */
  env?: Readonly<Record<string, string>>
}

const SIGKILL = 9
const MAX_CHARS = 4096
const MAX_OUTPUT = 64 * 1024 ** 2

/** What a repository may not talk us into: other protocols (`ext::` runs a program), hooks, prompts, host settings. */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "credential.helper=",
  "advice.detachedHead=false",
  "fetch.recurseSubmodules=false",
  "safe.directory=*",
].flatMap((setting) => ["-c", setting])

/** Throws InvalidArgument for what git would take for an option or another protocol (CVE-2019-13139, `option-like refs`). */
export function checkGitNames(remote: string, ref: string): void {
  if (/[\0-\x20\x7f]/.test(remote) || /^-|^\w+:\/\/(?:[^@/]*@)?-|@-/.test(remote))
    throw new InvalidArgument(`invalid git address ${JSON.stringify(withoutPasswords(remote).slice(0, 200))}`)
  // git-check-ref-format(1)
  if (ref !== "" && (/^[-/.]|[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/$|\.lock$/.test(ref) || ref.length > 255))
    throw new InvalidArgument(`invalid git ref ${JSON.stringify(ref.slice(0, 200))}`, {
      hint: "a branch, a tag or a commit",
    })
}

/**
 * Our own eyes on where git goes; undefined where the environment names a proxy, which looks names up in its own network.
 * The host that was asked for may be this one; those to which it leads may not.
 */
export async function checkedGitProxy(remote: string): Promise<CheckedProxy | undefined> {
  const url = /^https?:/.test(remote) ? URL.parse(remote) : null
  if (url === null || proxyFor(url) !== undefined) return undefined
  return await openCheckedProxy((hostname) => (hostname === url.hostname ? [] : ["loopback"]))
}

/** A directory of this host, which a person named. */
function isLocal(remote: string): boolean {
  return remote.startsWith("/")
}

/** Blocks of `ulimit -f` have 512 bytes (POSIX). */
function limited(bytes: number): string {
  return `ulimit -f ${Math.ceil(bytes / 512)}; exec "$@"`
}

/** The host's git in one directory, and for one remote. */
export class Git {
  readonly #program: string
  readonly #options: GitOptions

  /** Throws NotFound where there is no git. */
  constructor(options: GitOptions) {
    const program = findProgram("git")
    if (program === undefined)
      throw new NotFound("git is not installed, and a repository is to be read", {
        hint: installCommand({ debian: "git" }),
      })
    this.#program = program
    this.#options = options
  }

  get isCancelled(): boolean {
    return this.#options.signal?.aborted === true
  }

  async commitOf(name: string): Promise<string> {
    return (await this.run("rev-parse", "--quiet", "--verify", "--end-of-options", `${name}^{commit}`)).trim()
  }

  /** Gives standard output. Throws Unavailable with git's own words, Cancelled. */
  async run(...words: string[]): Promise<string> {
    const { signal, proxy: checked, address, directory, maxFileBytes } = this.#options
    if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
    const { settings, env, remote } = address
    const proxy = checked === undefined ? [] : ["-c", `http.proxy=${checked.url}`]
    const limit = maxFileBytes === undefined ? [] : ["/bin/sh", "-c", limited(maxFileBytes), "sh"]
    // a group of its own: its helpers (ssh, remote-https) are killed with it
    const child = spawnKilledWithParent([...limit, this.#program, ...SETTINGS, ...proxy, ...settings, ...words], {
      cwd: directory,
      env: {
        ...environment(),
        // what https leads to may not be read in the clear
        ...(isLocal(remote) ? { GIT_ALLOW_PROTOCOL: "file" } : {}),
        ...(["fetch", "ls-remote"].includes(words[0] ?? "") && remote.startsWith("https:")
          ? { GIT_ALLOW_PROTOCOL: "https" }
          : {}),
        ...env,
        ...this.#options.env,
      },
      stdout: "pipe",
      stderr: "pipe",
    })
    const kill = (): void => void sendSignal(-child.pid, SIGKILL)
    signal?.addEventListener("abort", kill, { once: true })
    try {
      const [code, output, complaint] = await Promise.all([child.exited, text(child.stdout), text(child.stderr)])
      if (this.isCancelled) throw new Cancelled("the step was cancelled", { cause: signal?.reason })
      if (code !== 0 && checked?.refusal !== undefined) throw checked.refusal
      if (code !== 0)
        throw new Unavailable(
          `git ${words[0]} failed: ${withoutPasswords(complaint).trim().slice(-MAX_CHARS) || `exit code ${code}`}`,
        )
      return output
    } finally {
      signal?.removeEventListener("abort", kill)
    }
  }
}

/** git names the address in its complaints. */
export function withoutPasswords(words: string): string {
  return words.replaceAll(/(\w+:\/\/)[^\s/@]+@/g, "$1")
}

async function text(stream: AsyncIterable<Uint8Array> = empty()): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const bytes of stream) {
    length += bytes.length
    // what is beyond is read, so that git ends, and not kept
    if (length <= MAX_OUTPUT) chunks.push(bytes)
  }
  if (length > MAX_OUTPUT) throw new Unavailable(`git wrote more than ${MAX_OUTPUT} bytes`)
  return Buffer.concat(chunks).toString()
}

async function* empty(): AsyncIterable<Uint8Array> {}

const PASSED_ON = [
  "PATH",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
]

/** No settings of the caller: where programs and proxies are, whose certificates https takes, and the agent for ssh addresses. */
function environment(): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ALLOW_PROTOCOL: "http:https:git:ssh",
    GIT_SSH_COMMAND: "ssh -F /dev/null -o BatchMode=yes",
    GIT_LFS_SKIP_SMUDGE: "1",
  }
}
