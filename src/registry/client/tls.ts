import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument, NotFound } from "../../base/errors.ts"
import type { TlsSettings } from "./http.ts"

type Env = Record<string, string | undefined>

// where the distributions keep the bundle (Debian, Fedora, SUSE)
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
]

/**
 * The TLS settings for a host (with its port): the system's roots or `$SSL_CERT_FILE`, and what
 * certs.d holds for it: `*.crt` are roots, a `*.cert` with its `*.key` is our own certificate (containers-certs.d(5)). A
 * `certDir` holds the same, and is read instead of certs.d; throws NotFound when it is not there.
 */
export function tlsSettings(host: string, certDir?: string, env: Env = process.env): TlsSettings {
  const own = certDir === undefined ? certsOf(host, env) : certsIn(certDir)
  if (own === undefined) throw new NotFound(`no such directory of certificates: "${certDir}"`)
  const roots = env.SSL_CERT_FILE ? [env.SSL_CERT_FILE] : SYSTEM_BUNDLES
  const system = roots.map(readOptional).find((text) => text !== undefined)
  const ca = [system, ...own.ca].filter((text) => text !== undefined)
  return {
    // without a bundle the roots that the executable brings along are used; own ones would replace them
    ...(system === undefined && own.ca.length === 0 ? {} : { ca }),
    ...(own.cert === undefined ? {} : { cert: own.cert, key: own.key }),
  }
}

interface Certificates {
  ca: string[]
  cert?: string
  key?: string
}

function certsOf(host: string, env: Env): Certificates {
  const home = env.HOME ?? "/root"
  const dirs = [
    join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "containers/certs.d"),
    "/etc/containers/certs.d",
    "/etc/docker/certs.d",
  ]
  // a host comes from an address: never a way out of the directory
  if (host.startsWith(".") || host.includes("/")) return { ca: [] }
  for (const dir of dirs) {
    const found = certsIn(join(dir, host))
    if (found !== undefined) return found
  }
  return { ca: [] }
}

function certsIn(path: string): Certificates | undefined {
  const names = listOptional(path)
  if (!names) return undefined
  const cert = names.find((name) => name.endsWith(".cert"))
  const key = cert?.replace(/\.cert$/, ".key")
  if (cert !== undefined && !names.includes(key ?? ""))
    throw new InvalidArgument(`"${join(path, cert)}" has no key beside it`, { hint: `expected ${key}` })
  return {
    ca: names.filter((name) => name.endsWith(".crt")).map((name) => readFileSync(join(path, name), "utf8")),
    ...(cert === undefined || key === undefined
      ? {}
      : { cert: readFileSync(join(path, cert), "utf8"), key: readFileSync(join(path, key), "utf8") }),
  }
}

function readOptional(path: string): string | undefined {
  return optional(() => readFileSync(path, "utf8"))
}

function listOptional(dir: string): string[] | undefined {
  return optional(() => readdirSync(dir).toSorted())
}

function optional<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (hasErrno(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined
    throw error
  }
}
