import { InvalidArgument, NotFound } from "../../base/errors.ts"
import { readAuthFile, registryOfKey, usualAuthFiles, type AuthEntry, type AuthFile } from "./auth-file.ts"
import { CredentialHelper, type Credentials } from "./credential-helper.ts"

type Env = Record<string, string | undefined>

/**
 * The credentials for `registry/repository`: of the first file that has some, those of the longest matching key.
 * Undefined: none, go on without. Throws when a file is broken, and when a helper that is configured for this registry
 * is missing or fails: asking with other credentials instead would send them to the wrong place (CVE-2021-41092).
 */
export async function findCredentials(
  registry: string,
  repository: string,
  options: { authFile?: string; env?: Env; signal?: AbortSignal | undefined } = {},
): Promise<Credentials | undefined> {
  const env = options.env ?? process.env
  const explicit = options.authFile ?? env.REGISTRY_AUTH_FILE
  for (const path of explicit === undefined ? usualAuthFiles(env) : [explicit]) {
    const file = readAuthFile(path)
    if (!file && options.authFile !== undefined) throw new NotFound(`no such auth file: "${path}"`)
    const found = file && (await fromFile(file, path, registry, repository, options.signal))
    if (found) return found
  }
  return undefined
}

async function fromFile(
  file: AuthFile,
  path: string,
  registry: string,
  repository: string,
  signal: AbortSignal | undefined,
): Promise<Credentials | undefined> {
  const keys = keysOf(registry, repository)
  const helper = keys.map((key) => lookUp(file.credHelpers, key)).find(Boolean)
  if (helper !== undefined) return await new CredentialHelper(helper, registry, path).get(signal)
  for (const key of keys) {
    const entry = lookUp(file.auths, key)
    const credentials = entry && fromEntry(entry, path, key)
    if (credentials) return credentials
  }
  return file.credsStore ? await new CredentialHelper(file.credsStore, registry, path).get(signal) : undefined
}

/** The names that credentials may stand under, most specific first: `host/a/b`, `host/a`, `host`. */
function keysOf(registry: string, repository: string): string[] {
  const parts = repository.split("/")
  return [...parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join("/")}`), registry]
}

/** The value under `key`, or under one of its longer forms. */
export function lookUp<T>(table: Record<string, T> | undefined, key: string): T | undefined {
  const entries = Object.entries(table ?? {})
  return (entries.find(([name]) => name === key) ?? entries.find(([name]) => registryOfKey(name) === key))?.[1]
}

function fromEntry(entry: AuthEntry, path: string, key: string): Credentials | undefined {
  const decoded = entry.auth ? Buffer.from(entry.auth, "base64").toString() : ""
  const colon = decoded.indexOf(":")
  if (entry.auth && colon < 0)
    throw new InvalidArgument(`"auth" of "${key}" in "${path}" is not base64 of user:password`)
  const username = colon < 0 ? (entry.username ?? "") : decoded.slice(0, colon)
  // docker pads with NULs
  const password = colon < 0 ? (entry.password ?? "") : decoded.slice(colon + 1).replace(/\0+$/, "")
  if (entry.identitytoken) return { username, identityToken: entry.identitytoken }
  return username === "" && password === "" ? undefined : { username, password }
}
