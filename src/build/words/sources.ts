import { statSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import { parseFields } from "../../spec/docker/csv.ts"
import { callerVariable } from "../../sys/process/caller-environment.ts"

/** Where files come from. Directories are read where they lie; all else is first brought into a directory of the build's own. */
export type BuildContext =
  | { kind: "directory"; path: string }
  /** A tar stream, maybe compressed, on the host at `path` (`-` has been saved there). */
  | { kind: "tar"; path: string }
  | { kind: "git"; url: string }
  | { kind: "http"; url: string }
  /** No files: `build -` with only a Dockerfile. */
  | { kind: "empty" }

/** `--build-context NAME=VALUE`: files, or an image in the place of one named in FROM or --from. */
export type NamedContext = BuildContext | { kind: "image"; name: string }

/** `--secret`: a file of the caller, or a variable of the caller's environment. */
export interface SecretSource {
  id: string
  /** `text`: the value itself, which then stands in no environment. */
  source: { file: string } | { env: string } | { text: string }
}

/** `--ssh`: an agent that RUN --mount=type=ssh may ask. */
export interface SshSource {
  /** `default` unless named. */
  id: string
  /** The agent's socket. */
  socket: string
}

/** BuildKit's cap: a secret is a key or a token, no data. */
const SECRET_BYTES = 500 * 1024

/**
 * `--secret id=ID[,src=FILE|,env=NAME]`; without a source, the variable called ID or else the file called so.
 * Throws InvalidArgument; NotFound is for the RUN that needs it.
 */
export function readSecret(text: string): SecretSource {
  const fields = parseFields(text, "secret")
  const { id, type, src = fields.get("source") ?? fields.get("target"), env, ...rest } = Object.fromEntries(fields)
  const strange = Object.keys(rest).find((key) => key !== "source" && key !== "target")
  if (strange !== undefined) throw new InvalidArgument(`unexpected key '${strange}' in '${text}'`)
  if (type !== undefined && type !== "file" && type !== "env")
    throw new InvalidArgument(`unsupported secret type "${type}"`, { hint: "valid: file, env" })
  if (id === undefined || id === "") throw new InvalidArgument("a secret needs an id: id=NAME,src=FILE")
  if (env !== undefined) return { id, source: { env } }
  if (type === "env" || (src === undefined && callerVariable(id) !== undefined))
    return { id, source: { env: src ?? id } }
  return { id, source: { file: checkSecretFile(src ?? id) } }
}

function checkSecretFile(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new InvalidArgument(`no such secret file: "${path}"`)
  if (stat.isDirectory()) throw new InvalidArgument(`secret "${path}" is a directory, not a file`)
  if (stat.size > SECRET_BYTES)
    throw new InvalidArgument(`secret "${path}" has ${stat.size} bytes, at most ${SECRET_BYTES} are allowed`)
  return resolve(path)
}

/** `--ssh default`, `default=SOCKET`, `ID=SOCKET`. Throws InvalidArgument; Unsupported for key files. */
export function readSsh(text: string): SshSource {
  const [id = "", ...rest] = text.split("=")
  const path = rest.join("=") || process.env.SSH_AUTH_SOCK
  if (id === "") throw new InvalidArgument("expected ID or ID=SOCKET")
  if (path === undefined || path === "")
    throw new InvalidArgument("no ssh agent: SSH_AUTH_SOCK is not set", { hint: "start one: eval $(ssh-agent)" })
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) throw new InvalidArgument(`no such ssh agent socket: "${path}"`)
  if (!stat.isSocket())
    throw new Unsupported(`"${path}" is not the socket of an ssh agent`, {
      hint: `add the key to an agent: ssh-add ${path}, then name ${id} alone`,
    })
  return { id, socket: resolve(path) }
}

/** `--build-context NAME=PATH|URL|docker-image://REF`. Throws InvalidArgument. */
export function readNamedContext(text: string): [name: string, context: NamedContext] {
  const equals = text.indexOf("=")
  const name = text.slice(0, Math.max(0, equals)).toLowerCase()
  const value = text.slice(equals + 1)
  if (name === "" || value === "") throw new InvalidArgument("expected NAME=VALUE")
  const image = /^(?:docker-image|container-image|docker):\/\/(.+)$/.exec(value)?.[1]
  if (image !== undefined) return [name, { kind: "image", name: image }]
  const scheme = /^(oci-layout|input|target):/.exec(value)?.[1]
  if (scheme !== undefined) throw new Unsupported(`build contexts from ${scheme}: are not supported yet`)
  return [name, readContextWord(value)]
}

const GIT_WORD = /^(?:git:\/\/|ssh:\/\/|git@|github\.com\/|https?:\/\/[^#]+\.git(?:#|$))/

/** A context as typed, save `-`: a directory, a tar file, a git or http URL. Throws InvalidArgument. */
export function readContextWord(word: string): Exclude<NamedContext, { kind: "image" }> {
  // a directory called github.com/x is more likely meant than the site
  const stat = statSync(word, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return { kind: "directory", path: resolve(word) }
  if (stat?.isFile()) return { kind: "tar", path: resolve(word) }
  if (GIT_WORD.test(word)) return { kind: "git", url: word }
  if (/^https?:\/\//.test(word)) return { kind: "http", url: word }
  if (stat) throw new InvalidArgument(`build context "${word}" is neither a directory nor a tar archive`)
  throw new InvalidArgument(`unable to prepare context: path "${word}" not found`, {
    hint: "the last argument is the build context, usually .",
  })
}
