/** Where signatures of a registry's images are: containers-registries.d(5). */
import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { hasErrno, InvalidArgument } from "../../base/errors.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { parseYaml } from "../../sys/yaml.ts"
import type { RemoteReference } from "../registry.ts"
import { referenceScopes } from "./scopes.ts"

type Env = Record<string, string | undefined>

/** The places of one repository's signatures. */
export interface SignaturePlaces {
  /** `http://…`, `https://…` or `file:///…`: the store beside the registry, read. */
  lookaside: string
  /** The same, written. */
  staging: string
  /** Whether sigstore's are attached in the registry. Undefined: nothing is said, and they are where a policy or a key asks for them. */
  attachments: boolean | undefined
}

interface Namespace {
  lookaside?: string
  staging?: string
  attachments?: boolean
}

/** What the user's directory says, or the host's where he has none. Throws InvalidArgument naming the file. */
export function signaturePlaces(ref: RemoteReference, env: Env = process.env): SignaturePlaces {
  const { namespaces, fallback } = loadDirectory(directory(env))
  const scopes = referenceScopes(ref).flatMap((scope) => namespaces.get(scope) ?? [])
  const all = fallback === undefined ? scopes : [...scopes, fallback]
  const first = <K extends keyof Namespace>(key: K) => all.find((each) => each[key] !== undefined)?.[key]
  const lookaside = first("lookaside")
  // within one scope the place to write comes before the place to read, as containers/image looks for it
  const staging = all.map((each) => each.staging ?? each.lookaside).find((each) => each !== undefined)
  const builtIn = `file://${defaultStore(env)}`
  return { lookaside: lookaside ?? builtIn, staging: staging ?? builtIn, attachments: first("attachments") }
}

function directory(env: Env): string {
  const users = join(env.XDG_CONFIG_HOME || join(env.HOME ?? "/root", ".config"), "containers/registries.d")
  return statSync(users, { throwIfNoEntry: false })?.isDirectory() ? users : "/etc/containers/registries.d"
}

/** containers/image's, so that what podman or skopeo signed here is found. */
function defaultStore(env: Env): string {
  const isRoot = rootlessUid() === undefined && process.getuid?.() === 0
  return isRoot ? "/var/lib/containers/sigstore" : join(env.HOME ?? "/root", ".local/share/containers/sigstore")
}

function loadDirectory(path: string): { namespaces: Map<string, Namespace>; fallback: Namespace | undefined } {
  const namespaces = new Map<string, Namespace>()
  let fallback: Namespace | undefined
  for (const name of list(path)) {
    const file = join(path, name)
    const { "default-docker": own, docker } = table(parse(file), file)
    if (own !== undefined && own !== null) {
      if (fallback !== undefined) throw new InvalidArgument(`"${file}" has a second "default-docker"`)
      fallback = namespace(own, file)
    }
    for (const [scope, value] of Object.entries(table(docker ?? {}, file))) {
      if (namespaces.has(scope)) throw new InvalidArgument(`"${file}" has a second entry for "${scope}"`)
      namespaces.set(scope, namespace(value, file))
    }
  }
  return { namespaces, fallback }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
      .filter((name) => name.endsWith(".yaml"))
      .toSorted()
  } catch (cause) {
    if (hasErrno(cause, "ENOENT", "ENOTDIR", "EACCES")) return []
    throw cause
  }
}

function parse(file: string): unknown {
  try {
    return parseYaml(readFileSync(file, "utf8")) ?? {}
  } catch (cause) {
    throw new InvalidArgument(`cannot read "${file}": ${cause instanceof Error ? cause.message : "not YAML"}`, {
      cause,
    })
  }
}

function namespace(value: unknown, file: string): Namespace {
  const fields = table(value ?? {}, file)
  const text = (...names: string[]) => {
    const found = names.map((name) => fields[name]).find((each) => each !== undefined && each !== null && each !== "")
    if (found === undefined) return undefined
    if (typeof found === "string" && /^(?:https?|file):\/\//.test(found)) return found.replace(/\/+$/, "")
    throw new InvalidArgument(`"${file}": "${String(found)}" is no http://, https:// or file:// address`)
  }
  const attachments = fields["use-sigstore-attachments"]
  if (attachments !== undefined && typeof attachments !== "boolean")
    throw new InvalidArgument(`"${file}": "use-sigstore-attachments" is not true or false`)
  // the names with sigstore are those of before 2022, still read
  const lookaside = text("lookaside", "sigstore")
  const staging = text("lookaside-staging", "sigstore-staging")
  return {
    ...(lookaside !== undefined && { lookaside }),
    ...(staging !== undefined && { staging }),
    ...(attachments !== undefined && { attachments }),
  }
}

function table(value: unknown, file: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new InvalidArgument(`"${file}" is not a mapping where one is expected`)
}
