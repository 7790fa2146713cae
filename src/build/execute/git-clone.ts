/** A git repository by the host's git, which is told nothing by the repository's names, its files, or our environment. */
import { mkdirSync, readdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound } from "../../base/errors.ts"
import { resolveInRoot } from "../../sys/fs/confined-path.ts"
import { openRoot } from "../../sys/fs/confined.ts"
import { close } from "../../sys/libc.ts"
import { rawName } from "../../sys/fs/raw-name.ts"
import { removeTree } from "../../sys/fs/remove-tree.ts"
import { checkGitNames, checkedGitProxy, Git, withoutPasswords } from "../../sys/git/git.ts"
import { separateCredentials } from "../../sys/git/git-credentials.ts"
import { parseGitSource, type GitSource } from "../plan/git-source.ts"
import type { WorkContext, Executor } from "./executor.ts"

type CloneOptions = Parameters<Executor["clone"]>[2]

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
  await using proxy = await checkedGitProxy(source.remote)
  try {
    const git = new Git({ directory: aside, address, signal: context.signal, proxy })
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
  checkGitNames(source.remote, source.ref)
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
