/** A git repository by the host's git, which is told nothing by the repository's names, its files, or our environment. */
import { mkdirSync, readdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { Cancelled, FailedPrecondition, InvalidArgument, NotFound, Unavailable } from "../../base/errors.ts"
import { installCommand } from "../../sys/install-command.ts"
import { resolveInRoot } from "../../sys/fs/confined-path.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { findProgram } from "../../sys/host.ts"
import { close, sendSignal } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { spawnKilledWithParent } from "../../sys/process/killed-with-parent.ts"
import { openCheckedProxy, type CheckedProxy } from "../../sys/net/checked-proxy.ts"
import { proxyFor } from "../../sys/net/proxy.ts"
import { parseGitSource, type GitSource } from "../plan/git-source.ts"
import { separateCredentials, type GitAddress } from "./git-credentials.ts"
import type { WorkContext, Executor } from "./executor.ts"

type CloneOptions = Parameters<Executor["clone"]>[2]

const SIGKILL = 9
const MAX_CHARS = 4096

/** What a repository may not talk us into: other protocols (`ext::` runs a program), hooks, prompts, host settings. */
const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "credential.helper=",
  "advice.detachedHead=false",
  "fetch.recurseSubmodules=false",
  "safe.directory=*",
].flatMap((setting) => ["-c", setting])

/** See `Executor.clone`. */
export async function clone(
  url: string,
  directory: string,
  options: CloneOptions,
  context: WorkContext,
): Promise<{ commit: string }> {
  const checked = checkedSource(url)
  const address = separateCredentials(checked.remote)
  const source = { ...checked, remote: address.remote }
  const aside = `${directory}.clone`
  mkdirSync(aside, { mode: 0o755 })
  await using proxy = await checkedProxy(source.remote)
  try {
    const git = new Git(aside, address, context, proxy)
    await git.run("init", "--quiet", "--template=")
    const commit = await fetchCommit(git, source)
    const { checksum = "" } = options
    if (!commit.startsWith(checksum))
      throw new FailedPrecondition(
        `${withoutPasswords(source.remote)} has commit ${commit}, not ${checksum}, at "${source.ref || "HEAD"}"`,
      )
    await git.run("checkout", "--quiet", "--force", "--detach", commit, "--")
    if (options.submodules ?? true)
      await git.run("submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
    if (!options.keepGitDir) await removeTree(join(aside, ".git"))
    moveContents(aside, source.directory, directory)
    return { commit }
  } finally {
    await removeTree(aside)
  }
}

/** Refuses what git would take for an option or another protocol (CVE-2019-13139, `option-like refs`). */
function checkedSource(url: string): GitSource {
  const source = parseGitSource(url)
  if (source === undefined)
    throw new InvalidArgument(
      `${JSON.stringify(withoutPasswords(url).slice(0, 200))} is no git repository that can be fetched`,
      {
        hint: "such as https://host/repository.git#ref:directory, ssh://… or git@host:repository.git",
      },
    )
  const { remote, ref } = source
  if (/[\0-\x20\x7f]/.test(remote) || /^-|^\w+:\/\/(?:[^@/]*@)?-|@-/.test(remote))
    throw new InvalidArgument(`invalid git address ${JSON.stringify(withoutPasswords(remote).slice(0, 200))}`)
  // git-check-ref-format(1)
  if (ref !== "" && (/^[-/.]|[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/$|\.lock$/.test(ref) || ref.length > 255))
    throw new InvalidArgument(`invalid git ref ${JSON.stringify(ref.slice(0, 200))}`, {
      hint: "a branch, a tag or a commit",
    })
  return source
}

/**
 * Gives the commit: alone where the server can send that, else, for one that no ref names or from a plain file server, with
 * all history.
 */
async function fetchCommit(git: Git, { remote, ref }: GitSource): Promise<string> {
  try {
    await git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", remote, ref || "HEAD")
    return await git.commitOf("FETCH_HEAD")
  } catch (error) {
    if (git.isCancelled) throw error
  }
  if (ref === "") {
    await git.run("fetch", "--quiet", "--no-tags", "--", remote, "HEAD")
    return await git.commitOf("FETCH_HEAD")
  }
  await git.run("fetch", "--quiet", "--", remote, "+refs/*:refs/remote/*")
  const short = ref.replace(/^refs\//, "")
  for (const name of [`refs/remote/${short}`, `refs/remote/heads/${ref}`, `refs/remote/tags/${ref}`, ref])
    try {
      return await git.commitOf(name)
    } catch (error) {
      if (git.isCancelled) throw error
    }
  throw new NotFound(`${withoutPasswords(remote)} has no branch, tag or commit "${ref}"`)
}

/**
 * Our own eyes on where git goes; undefined where the environment names a proxy, which looks names up in its own network.
 * The host that was asked for may be this one; those to which it leads may not.
 */
async function checkedProxy(remote: string): Promise<CheckedProxy | undefined> {
  const url = /^https?:/.test(remote) ? URL.parse(remote) : null
  if (url === null || proxyFor(url) !== undefined) return undefined
  return await openCheckedProxy((hostname) => (hostname === url.hostname ? [] : ["loopback"]))
}

class Git {
  readonly #program: string
  readonly #directory: string
  readonly #address: GitAddress
  readonly #context: WorkContext
  readonly #proxy: CheckedProxy | undefined

  constructor(directory: string, address: GitAddress, context: WorkContext, proxy: CheckedProxy | undefined) {
    const program = findProgram("git")
    if (program === undefined)
      throw new NotFound("git is not installed, and the build reads a repository", {
        hint: installCommand({ debian: "git" }),
      })
    this.#program = program
    this.#directory = directory
    this.#address = address
    this.#context = context
    this.#proxy = proxy
  }

  get isCancelled(): boolean {
    return this.#context.signal?.aborted === true
  }

  async commitOf(name: string): Promise<string> {
    return (await this.run("rev-parse", "--quiet", "--verify", "--end-of-options", `${name}^{commit}`)).trim()
  }

  /** Gives standard output. Throws Unavailable with git's own words, Cancelled. */
  async run(...words: string[]): Promise<string> {
    const { signal } = this.#context
    if (signal?.aborted) throw new Cancelled("the step was cancelled", { cause: signal.reason })
    const { settings, env, remote } = this.#address
    const proxy = this.#proxy === undefined ? [] : ["-c", `http.proxy=${this.#proxy.url}`]
    // a group of its own: its helpers (ssh, remote-https) are killed with it
    const child = spawnKilledWithParent([this.#program, ...SETTINGS, ...proxy, ...settings, ...words], {
      cwd: this.#directory,
      env: {
        ...environment(),
        // what https leads to may not be read in the clear
        ...(words[0] === "fetch" && remote.startsWith("https:") ? { GIT_ALLOW_PROTOCOL: "https" } : {}),
        ...env,
      },
      stdout: "pipe",
      stderr: "pipe",
    })
    const kill = (): void => void sendSignal(-child.pid, SIGKILL)
    signal?.addEventListener("abort", kill, { once: true })
    try {
      const [code, output, complaint] = await Promise.all([child.exited, text(child.stdout), text(child.stderr)])
      if (this.isCancelled) throw new Cancelled("the step was cancelled", { cause: signal?.reason })
      if (code !== 0 && this.#proxy?.refusal !== undefined) throw this.#proxy.refusal
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
function withoutPasswords(words: string): string {
  return words.replaceAll(/(\w+:\/\/)[^\s/@]+@/g, "$1")
}

async function text(stream: AsyncIterable<Uint8Array> = empty()): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const bytes of stream) chunks.push(bytes)
  return Buffer.concat(chunks).toString()
}

async function* empty(): AsyncIterable<Uint8Array> {}

const PASSED_ON = [
  "PATH",
  "SSH_AUTH_SOCK",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
]

/** No GIT_* and no settings of the caller: where programs and proxies are, and the agent for ssh addresses. */
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

/** The directory is found inside the clone, whatever links there are (CVE-2026-33748). */
function moveContents(checkout: string, subdirectory: string, directory: string): void {
  const rootFd = openRoot(checkout)
  try {
    const { path, stat } = resolveInRoot(rootFd, rawName(subdirectory))
    if (stat?.type !== "directory") throw new NotFound(`the repository has no directory "${subdirectory}"`)
    const from = Buffer.concat([Buffer.from(`${checkout}/`), Buffer.from(path, "latin1")])
    for (const name of readdirSync(from, { encoding: "buffer" })) {
      const slash = Buffer.from("/")
      renameSync(Buffer.concat([from, slash, name]), Buffer.concat([Buffer.from(directory), slash, name]))
    }
  } finally {
    close(rootFd)
  }
}
