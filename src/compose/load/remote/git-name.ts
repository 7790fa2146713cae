import { InvalidArgument } from "../../../base/errors.ts"

/** A file of a git repository. */
export interface GitName {
  url: string
  /** A branch, tag or commit; empty: the default branch. */
  ref: string
  /** Of a file or directory in the repository; empty: its top. */
  path: string
}

/** Reads `URL#ref:path`; `github.com/owner/repository` is one over https. Throws InvalidArgument for a path that leads out. */
export function parseGitName(name: string): GitName {
  const hash = name.indexOf("#")
  const address = hash === -1 ? name : name.slice(0, hash)
  const fragment = hash === -1 ? "" : name.slice(hash + 1)
  const colon = fragment.indexOf(":")
  const path = colon === -1 ? "" : fragment.slice(colon + 1)
  if (path.split("/").includes("..") || path.startsWith("/"))
    throw new InvalidArgument(`${JSON.stringify(path)} leads out of the repository ${address}`)
  return { url: withScheme(address), ref: colon === -1 ? fragment : fragment.slice(0, colon), path }
}

function withScheme(address: string): string {
  if (!address.startsWith("github.com/")) return address
  return `https://${address}${address.endsWith(".git") ? "" : ".git"}`
}
