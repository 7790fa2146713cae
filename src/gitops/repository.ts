import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, isSkiffError, NotFound, Unavailable } from "../base/errors.ts"
import { removeTree } from "../sys/fs/remove-tree.ts"
import { checkedGitProxy, checkGitNames, Git } from "../sys/git/git.ts"
import { separateCredentials, type GitAddress } from "../sys/git/git-credentials.ts"
import { tryLock, unlockAndClose } from "../sys/libc.ts"
import type { CommitInfo } from "./gitops-options.ts"
import { signerSettings } from "./signer-settings.ts"

const GIT_MS = 120_000
/** Commits that come with the newest: a broken one's forerunners. */
const DEPTH = 50
const MAX_PACK_BYTES = 2 * 1024 ** 3
const MAX_FILES = 100_000
const MAX_TREE_BYTES = 1024 ** 3
/** What can be removed again (sys/fs/remove-tree.ts), with room. */
const MAX_DEPTH = 48

/** A remote repository, and what was fetched of it: a cache in a directory, of one process at a time. */
export class Repository implements Disposable {
  readonly #directory: string
  readonly #address: GitAddress
  readonly #branch: string | undefined
  readonly #signal: AbortSignal
  readonly #lock: number

  private constructor(
    directory: string,
    address: GitAddress,
    branch: string | undefined,
    signal: AbortSignal,
    lock: number,
  ) {
    this.#directory = directory
    this.#address = address
    this.#branch = branch
    this.#signal = signal
    this.#lock = lock
  }

  /** Throws InvalidArgument for an address that is none, FailedPrecondition while another process has the directory. */
  static async open(
    directory: string,
    address: string,
    branch: string | undefined,
    signal: AbortSignal,
  ): Promise<Repository> {
    const separate = separateCredentials(address)
    checkGitNames(separate.remote, branch ?? "")
    if (!/^(?:https?|ssh|git):\/\/|^[\w.-]+@[a-zA-Z0-9.-]+:|^\//.test(separate.remote))
      throw new InvalidArgument(
        `${JSON.stringify(separate.remote.slice(0, 200))} is no git repository that can be fetched`,
        {
          hint: "such as https://host/repository.git, ssh://…, git@host:repository.git, or a directory of this host",
        },
      )
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const lock = openSync(join(directory, "lock"), "a", 0o600)
    if (!tryLock(lock)) {
      closeSync(lock)
      throw new FailedPrecondition(`another process keeps this repository on the same objects already`, {
        data: { directory },
      })
    }
    const repository = new Repository(directory, separate, branch, signal, lock)
    try {
      await repository.#initialise()
      return repository
    } catch (error) {
      repository[Symbol.dispose]()
      throw error
    }
  }

  [Symbol.dispose](): void {
    unlockAndClose(this.#lock)
  }

  get #gitDirectory(): string {
    return join(this.#directory, "repository")
  }

  /** Safe to repeat. What a killed git has left is taken away: the lock is ours. */
  async #initialise(): Promise<void> {
    mkdirSync(this.#gitDirectory, { recursive: true, mode: 0o700 })
    await this.#run({}, "init", "--quiet", "--bare", "--template=")
    for (const name of readdirSync(this.#gitDirectory))
      if (name.endsWith(".lock") && name !== "config.lock") rmSync(join(this.#gitDirectory, name), { force: true })
    await this.#run({}, "config", "gc.autoDetach", "false")
    await this.#run({}, "config", "maintenance.autoDetach", "false")
  }

  /** The commit that the branch names now, of which nothing is fetched yet. Throws NotFound for a branch that is not there, Unavailable. */
  async head(): Promise<string> {
    const name = this.#refName
    const text = await this.#run({}, "ls-remote", "--quiet", "--", this.#address.remote, name)
    for (const line of text.split("\n")) {
      const [commit = "", ref] = line.split("\t")
      if (ref === name && /^[0-9a-f]{40,64}$/.test(commit)) return commit
    }
    throw new NotFound(
      this.#branch === undefined
        ? `${this.#address.remote} has no commit yet`
        : `${this.#address.remote} has no branch "${this.#branch}"`,
    )
  }

  get #refName(): string {
    return this.#branch === undefined ? "HEAD" : `refs/heads/${this.#branch}`
  }

  /** Fetches the branch, and gives its commit: the one that `head` gave, or a later one. */
  async fetch(): Promise<string> {
    await this.#run({}, "fetch", "--quiet", "--no-tags", `--depth=${DEPTH}`, "--", this.#address.remote, this.#refName)
    return this.#commitOf("FETCH_HEAD")
  }

  /** That the commit is here: it was fetched once, or the server sends it by its name. Throws Unavailable, NotFound. */
  async ensure(commit: string): Promise<void> {
    if (!/^[0-9a-f]{40,64}$/.test(commit)) throw new InvalidArgument(`"${commit.slice(0, 80)}" is no commit`)
    try {
      await this.#commitOf(commit)
    } catch {
      await this.#run({}, "fetch", "--quiet", "--no-tags", "--depth=1", "--", this.#address.remote, commit)
    }
  }

  async #commitOf(name: string): Promise<string> {
    return (await this.#run({}, "rev-parse", "--quiet", "--verify", "--end-of-options", `${name}^{commit}`)).trim()
  }

  /** Of some commits the newest. */
  async newest(commits: readonly string[]): Promise<string | undefined> {
    const [only] = commits
    if (commits.length < 2) return only
    for (const commit of commits) await this.ensure(commit)
    return (await this.#run({}, "rev-list", "--max-count=1", "--topo-order", ...commits, "--")).trim()
  }

  async info(commit: string): Promise<CommitInfo> {
    const text = await this.#run(
      {},
      "log",
      "--max-count=1",
      "--no-show-signature",
      "--format=%s%x00%an%x00%cI",
      commit,
      "--",
    )
    const [subject = "", author = "", time = ""] = text.trim().split("\0")
    return { commit, subject: subject.slice(0, 200), author: author.slice(0, 100), time }
  }

  /** Throws FailedPrecondition unless one of the signers signed it. The file is read each time. */
  async verify(commit: string, signers: string): Promise<void> {
    const env = await signerSettings(signers, join(this.#directory, "gnupg"), this.#signal)
    try {
      await this.#run(env, "verify-commit", "--", commit)
    } catch (cause) {
      if (this.#signal.aborted) throw cause
      throw new FailedPrecondition(`commit ${commit} is not signed by any of "${signers}"`, {
        hint: isSkiffError(cause) ? cause.message.split("\n").slice(-3).join("; ") : undefined,
        cause,
      })
    }
  }

  /** Its files, at a place that the next checkout takes away. Symbolic links are files with their target in them: nothing leads out. */
  async checkout(commit: string): Promise<string> {
    const listed = await this.#run({}, "ls-tree", "-r", "-l", "-z", "--full-tree", commit, "--")
    const entries = listed.split("\0").filter((line) => line !== "")
    let bytes = 0
    for (const line of entries) bytes += Number(/^\S+ \S+ \S+ +(\d+)\t/.exec(line)?.[1] ?? 0)
    if (entries.length > MAX_FILES || bytes > MAX_TREE_BYTES)
      throw new InvalidArgument(
        `commit ${commit} has ${entries.length} files of ${bytes} bytes, the limits are ${MAX_FILES} and ${MAX_TREE_BYTES}`,
      )
    if (entries.some((line) => line.split("/").length > MAX_DEPTH))
      throw new InvalidArgument(`commit ${commit} has directories more than ${MAX_DEPTH} levels deep`)
    const tree = join(this.#directory, "tree")
    await removeTree(tree)
    mkdirSync(tree, { mode: 0o700 })
    const index = join(this.#directory, "index")
    for (const name of [index, `${index}.lock`]) rmSync(name, { force: true })
    const env = { ...setting("core.symlinks", "false"), GIT_INDEX_FILE: index }
    await this.#run(env, "read-tree", commit)
    await this.#run({ ...env, GIT_WORK_TREE: tree }, "checkout-index", "--all", "--force", `--prefix=${tree}/`)
    return tree
  }

  async #run(env: Readonly<Record<string, string>>, ...words: string[]): Promise<string> {
    const slow = AbortSignal.timeout(GIT_MS)
    await using proxy = await checkedGitProxy(this.#address.remote)
    const git = new Git({
      directory: this.#gitDirectory,
      address: this.#address,
      signal: AbortSignal.any([this.#signal, slow]),
      proxy,
      maxFileBytes: MAX_PACK_BYTES,
      env,
    })
    try {
      return await git.run(...words)
    } catch (error) {
      if (slow.aborted && !this.#signal.aborted)
        throw new Unavailable(`git ${words[0]} took longer than ${GIT_MS / 1000} s`, { cause: error })
      throw error
    }
  }
}

/** One setting by the environment (git(1)). */
function setting(key: string, value: string): Record<string, string> {
  return { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: key, GIT_CONFIG_VALUE_0: value }
}
