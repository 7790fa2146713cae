import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs"
import { dirname } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { hasErrno, InvalidArgument, PermissionDenied } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"

/** What docker's config.json and containers-auth.json(5) have in common; other settings in it are kept as they are. */
export interface AuthFile {
  auths?: Record<string, AuthEntry>
  credHelpers?: Record<string, string>
  credsStore?: string
}

/** Credentials of one registry or repository. */
export interface AuthEntry {
  auth?: string
  username?: string
  password?: string
  identitytoken?: string
}

type Env = Record<string, string | undefined>

/** Where credentials usually lie, the first that has some counts. */
export function usualAuthFiles(env: Env): string[] {
  const home = env.HOME ?? "/root"
  const config = env.XDG_CONFIG_HOME ?? `${home}/.config`
  return [
    `${env.XDG_RUNTIME_DIR ?? `/run/containers/${rootlessUid() ?? process.getuid?.() ?? 0}`}/containers/auth.json`,
    `${config}/containers/auth.json`,
    dockerConfigFile(env),
  ]
}

/** Docker's own file, where `login` writes when no other has an entry. */
export function dockerConfigFile(env: Env): string {
  return `${env.DOCKER_CONFIG ?? `${env.HOME ?? "/root"}/.docker`}/config.json`
}

/** Undefined when there is none. Throws PermissionDenied, or InvalidArgument when it is no JSON object. */
export function readAuthFile(path: string): AuthFile | undefined {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR")) return undefined
    throw new PermissionDenied(`cannot read the auth file "${path}"`, { cause })
  }
  if (text.trim() === "") return undefined
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return document
  } catch {
    // the parser's message would quote the secret
  }
  throw new InvalidArgument(`the auth file "${path}" is not a JSON object`)
}

/** Replaces the file in one step, readable for its owner alone. */
export function writeAuthFile(path: string, file: AuthFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // people keep such files elsewhere and link to them
  atomicWrite(existsSync(path) ? realpathSync(path) : path, `${JSON.stringify(file, null, "\t")}\n`, { durable: true })
}

/** The registry that a key of `auths` means: docker writes keys as addresses, `https://host/v1/`. */
export function registryOfKey(key: string): string {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "")
  return bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare
}
