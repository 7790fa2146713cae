import { readFileSync } from "node:fs"
import { rootlessUid } from "../../sys/paths.ts"
import { hasErrno, InvalidArgument, NotFound, PermissionDenied } from "../../base/errors.ts"

/** A user and password, or the identity token that an OAuth login left. */
export type Credentials = { username: string; password: string } | { username: string; identityToken: string }

interface AuthFile {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>
  credHelpers?: Record<string, string>
  credsStore?: string
}

type Env = Record<string, string | undefined>

const DOCKER_HUB_KEY = "https://index.docker.io/v1/"

/**
 * The credentials for `registry/repository`: of the first file that has some, those of the longest matching key.
 * Undefined: none, go on without. Throws when a file is broken, and when a helper that is configured for this registry
 * is missing or fails: asking with other credentials instead would send them to the wrong place (CVE-2021-41092).
 */
export async function findCredentials(
  registry: string,
  repository: string,
  options: { authFile?: string; env?: Env } = {},
): Promise<Credentials | undefined> {
  const env = options.env ?? process.env
  const explicit = options.authFile ?? env.REGISTRY_AUTH_FILE
  for (const path of explicit === undefined ? usualFiles(env) : [explicit]) {
    const file = readAuthFile(path)
    if (!file && options.authFile !== undefined) throw new NotFound(`no such auth file: "${path}"`)
    const found = file && (await fromFile(file, path, registry, repository))
    if (found) return found
  }
  return undefined
}

function usualFiles(env: Env): string[] {
  const home = env.HOME ?? "/root"
  const config = env.XDG_CONFIG_HOME ?? `${home}/.config`
  return [
    `${env.XDG_RUNTIME_DIR ?? `/run/containers/${rootlessUid() ?? process.getuid?.() ?? 0}`}/containers/auth.json`,
    `${config}/containers/auth.json`,
    `${env.DOCKER_CONFIG ?? `${home}/.docker`}/config.json`,
  ]
}

async function fromFile(
  file: AuthFile,
  path: string,
  registry: string,
  repository: string,
): Promise<Credentials | undefined> {
  const keys = keysOf(registry, repository)
  const helper = keys.map((key) => lookUp(file.credHelpers, key)).find(Boolean)
  if (helper !== undefined) return await askHelper(helper, registry, path)
  for (const key of keys) {
    const entry = lookUp(file.auths, key)
    const credentials = entry && fromEntry(entry, path, key)
    if (credentials) return credentials
  }
  return file.credsStore ? await askHelper(file.credsStore, registry, path) : undefined
}

/** The names that credentials may stand under, most specific first: `host/a/b`, `host/a`, `host`. */
function keysOf(registry: string, repository: string): string[] {
  const parts = repository.split("/")
  return [...parts.map((_, index) => `${registry}/${parts.slice(0, parts.length - index).join("/")}`), registry]
}

function lookUp<T>(table: Record<string, T> | undefined, key: string): T | undefined {
  const entries = Object.entries(table ?? {})
  return (entries.find(([name]) => name === key) ?? entries.find(([name]) => normalise(name) === key))?.[1]
}

/** Docker writes keys as addresses: `https://host/v1/`. */
function normalise(key: string): string {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "")
  return bare === "index.docker.io" || bare === "registry-1.docker.io" ? "docker.io" : bare
}

function fromEntry(entry: NonNullable<AuthFile["auths"]>[string], path: string, key: string): Credentials | undefined {
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

function readAuthFile(path: string): AuthFile | undefined {
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
    if (typeof document === "object" && document !== null) return document
  } catch {
    // the parser's message would quote the secret
  }
  throw new InvalidArgument(`the auth file "${path}" is not a JSON object`)
}

const HELPER_TIMEOUT_MS = 60_000
const MAX_HELPER_OUTPUT = 1024 ** 2

/** Runs `docker-credential-NAME get` (docker-credential-helpers protocol). */
async function askHelper(name: string, registry: string, file: string): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw new InvalidArgument(`"${file}" names an invalid credential helper "${name}"`)
  const { spawn } = await import("node:child_process")
  const program = `docker-credential-${name}`
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], timeout: HELPER_TIMEOUT_MS })
  const ended = new Promise<number>((resolve, reject) =>
    child.once("error", reject).once("close", (code) => resolve(code ?? 1)),
  )
  child.stdin.on("error", () => {}) // it may end without reading
  child.stdin.end(registry === "docker.io" ? DOCKER_HUB_KEY : registry)
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    if (output.length > MAX_HELPER_OUTPUT) child.kill()
  })
  const code = await ended.catch((cause: unknown) => {
    throw new NotFound(`the credential helper "${program}", which "${file}" names for ${registry}, cannot be run`, {
      cause,
      hint: `install ${program}, or take it out of ${file}`,
    })
  })
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined
    throw new PermissionDenied(`the credential helper "${program}" failed for ${registry} with exit code ${code}`)
  }
  return parseHelperOutput(output, program)
}

function parseHelperOutput(output: string, program: string): Credentials | undefined {
  try {
    const { Username: username, Secret: secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown }
    if (typeof username === "string" && typeof secret === "string") {
      if (username === "" && secret === "") return undefined
      return username === "<token>" ? { username, identityToken: secret } : { username, password: secret }
    }
  } catch {
    // its output may hold the secret: not quoted
  }
  throw new InvalidArgument(`the credential helper "${program}" did not answer with Username and Secret`)
}
