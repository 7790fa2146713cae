/** Whether a name of a file is one of another machine: `oci://REF`, or a git repository's URL. */
export function isRemote(name: string): boolean {
  return name.startsWith("oci://") || isGit(name)
}

/** As the specification's `git` remote: `https://host/repository.git#ref:directory`, `git@host:…`, `ssh://`, `git://`, `github.com/…`. */
export function isGit(name: string): boolean {
  return (
    /^(?:ssh|git):\/\//.test(name) ||
    /^[\w.-]+@[\w.-]+:(?!\/\/)/.test(name) ||
    name.startsWith("github.com/") ||
    /^https?:\/\/[^#]*\.git(?:#|$)/.test(name)
  )
}

/** Brings remote files here. */
export interface Remotes {
  /**
   * A copy of what `name` names: `file` is the compose file, `root` the directory that no path of it may leave. Throws NotFound,
   * Unavailable, InvalidArgument.
   */
  fetch(name: string): Promise<RemoteFile>
}

/** Where the copy is. */
export interface RemoteFile {
  file: string
  root: string
}
