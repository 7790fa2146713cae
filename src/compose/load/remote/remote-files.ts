import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import type { Registries } from "../../../registry/registry.ts"
import { sha256Hex } from "../../../sys/sha256.ts"
import { COMPOSE_FILES } from "../discover.ts"
import { isGit, type RemoteFile, type Remotes } from "../remote.ts"
import { checkInside } from "../remote-paths.ts"
import { parseGitName } from "./git-name.ts"
import { fetchArtifact } from "./oci-project.ts"

/** By what remote files come here. */
export interface RemoteDeps {
  registries(): Promise<Registries>
  /** The whole of a repository (`url#ref`) into a directory that is there and empty. */
  clone(url: string, directory: string): Promise<{ commit: string }>
}

/**
 * Copies of remote files in the user's cache directory, each in a directory named by what it holds: a commit, a digest. What is there is
 * whole, and never changed.
 */
export function openRemotes(deps: RemoteDeps, environment: Readonly<Record<string, string | undefined>>): Remotes {
  const cache = join(cacheDirectory(environment), "skiff", "compose")
  const known = new Map<string, Promise<RemoteFile>>()
  const fetch = (name: string) => (isGit(name) ? fetchGit(deps, cache, name) : fetchOci(deps, cache, name))
  return {
    // named twice in a project it is the same
    fetch(name) {
      const fetched = known.get(name) ?? fetch(name)
      known.set(name, fetched)
      return fetched
    },
  }
}

/** XDG Base Directory Specification: a relative one is none. */
function cacheDirectory({ XDG_CACHE_HOME: named = "" }: Readonly<Record<string, string | undefined>>): string {
  return named.startsWith("/") ? named : join(homedir(), ".cache")
}

const WHOLE_COMMIT = /^[0-9a-f]{40}$/

async function fetchGit(deps: RemoteDeps, cache: string, name: string): Promise<RemoteFile> {
  const { url, ref, path } = parseGitName(name)
  const rootOf = (commit: string) => join(cache, `git-${sha256Hex(`${url}\0${commit}`).slice(0, 40)}`)
  let root = rootOf(ref)
  if (!WHOLE_COMMIT.test(ref) || !existsSync(root))
    root = await fill(cache, async (directory) => {
      const { commit } = await deps.clone(ref === "" ? url : `${url}#${ref}`, directory)
      return rootOf(commit)
    })
  return { file: fileIn(root, path, name), root }
}

async function fetchOci(deps: RemoteDeps, cache: string, name: string): Promise<RemoteFile> {
  const artifact = await fetchArtifact(await deps.registries(), name.slice("oci://".length))
  const root = join(cache, `oci-${sha256Hex(artifact.digest).slice(0, 40)}`)
  if (!existsSync(root))
    await fill(cache, async (directory) => {
      await artifact.write(directory)
      return root
    })
  return { file: join(root, "compose.yaml"), root }
}

/** Makes a directory whole before it has its name; who comes second keeps what is there. */
async function fill(cache: string, write: (directory: string) => Promise<string>): Promise<string> {
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  const aside = mkdtempSync(join(cache, ".new-"))
  try {
    const root = await write(aside)
    if (!existsSync(root)) renameSync(aside, root)
    return root
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** The file, or the first of the known names in a directory. Throws NotFound, PermissionDenied for a way out of `root`. */
function fileIn(root: string, path: string, name: string): string {
  if (path.includes("\0")) throw new InvalidArgument(`${JSON.stringify(name)} names no file`)
  const at = resolve(root, path === "" ? "." : `./${path}`)
  checkInside(root, at)
  const found = statSync(at, { throwIfNoEntry: false })
  if (found === undefined) throw new NotFound(`${name} has no ${JSON.stringify(path)}`)
  if (!found.isDirectory()) return at
  const file = COMPOSE_FILES.map((one) => join(at, one)).find((one) => existsSync(one))
  if (file === undefined) throw new NotFound(`no compose file in ${name}`, { hint: { valid: COMPOSE_FILES } })
  checkInside(root, file)
  return file
}
