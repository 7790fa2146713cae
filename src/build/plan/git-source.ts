import { InvalidArgument } from "../../base/errors.ts"

/** A git repository that ADD names. */
export interface GitSource {
  /** `https://host/repo.git`, `git@host:repo.git`. */
  remote: string
  ref: string
  /** Directory in the repository. */
  directory: string
  checksum?: string
  keepGitDir?: boolean
  submodules?: boolean
}

const URL_SCHEME = /^(https?|ssh|git):\/\//
const SCP_FORM = /^[a-zA-Z0-9_.-]+@[a-zA-Z0-9.-]+:[^#?]+/

/**
 * Parses a git source (docs.docker.com/build/concepts/context, "Git repositories"): `https://…/x.git#ref:directory`,
 * `git@host:x.git`, `git://…`, `ssh://…`, also with `?ref=…&subdir=…`. Undefined for all else. Throws InvalidArgument for
 * a bad query.
 */
export function parseGitSource(text: string): GitSource | undefined {
  const scheme = URL_SCHEME.exec(text)?.[1]
  if (scheme === undefined && !SCP_FORM.test(text)) return undefined
  const [, address = "", query, fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text) ?? []
  // http is git only for what is called .git
  if ((scheme === "http" || scheme === "https") && !address.endsWith(".git")) return undefined
  const colon = fragment.indexOf(":")
  const source: GitSource = {
    remote: address,
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    directory: colon < 0 ? "" : fragment.slice(colon + 1),
  }
  for (const [key, value] of new URLSearchParams(query ?? "")) readQuery(source, key, value)
  if (source.checksum !== undefined && source.ref === "") source.ref = source.checksum
  return source
}

/** `https://host/repo.git#ref:directory`: one that parseGitSource reads. */
export function formatGitSource({ remote, ref, directory }: GitSource): string {
  const place = directory === "" ? ref : `${ref}:${directory}`
  return place === "" ? remote : `${remote}#${place}`
}

function readQuery(source: GitSource, key: string, value: string): void {
  switch (key) {
    case "ref":
      return setRef(source, needed(key, value))
    case "tag":
      return setRef(source, withPrefix("refs/tags/", needed(key, value)))
    case "branch":
      return setRef(source, withPrefix("refs/heads/", needed(key, value)))
    case "subdir":
      if (source.directory !== "" && source.directory !== value)
        throw new InvalidArgument(`subdir conflicts: "${source.directory}" vs "${value}"`)
      source.directory = needed(key, value)
      return
    case "checksum":
    case "commit":
      source.checksum = needed(key, value)
      return
    case "keep-git-dir":
      source.keepGitDir = booleanOf(key, value)
      return
    case "submodules":
      source.submodules = booleanOf(key, value)
      return
    default:
      throw new InvalidArgument(`unexpected query "${key}" of a git source`)
  }
}

function setRef(source: GitSource, ref: string): void {
  if (source.ref !== "" && source.ref !== ref) throw new InvalidArgument(`ref conflicts: "${source.ref}" vs "${ref}"`)
  source.ref = ref
}

function withPrefix(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name : prefix + name
}

function needed(key: string, value: string): string {
  if (value === "") throw new InvalidArgument(`query "${key}" has no value`)
  return value
}

function booleanOf(key: string, value: string): boolean {
  if (/^(?:|1|t|true)$/i.test(value)) return true
  if (/^(?:0|f|false)$/i.test(value)) return false
  throw new InvalidArgument(`invalid ${key} value: "${value}"`)
}
