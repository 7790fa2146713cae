import { InvalidArgument } from "../../base/errors.ts"
import { parseFields } from "./csv.ts"

/** What `--secret` asks for: a file in the container, or a variable of its environment. */
export type SecretRequest =
  | {
      kind: "mount"
      source: string
      /** Absolute, or below /run/secrets. */ target: string
      uid: number
      gid: number
      mode: number
    }
  | { kind: "env"; source: string; variable: string }

const DEFAULT_MODE = 0o444
const LAST_ID = 2 ** 31 - 1
const KEYS = new Set(["source", "src", "type", "target", "uid", "gid", "mode"])

/** Parses podman's `NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=0400]`. Throws InvalidArgument. */
export function parseSecret(text: string): SecretRequest {
  const fields = parseFields(text, "secret")
  const [first] = fields
  // the first word may be the name alone
  const named =
    first?.[1] === undefined ? text.slice(0, text.indexOf(",") < 0 ? undefined : text.indexOf(",")).trim() : undefined
  if (first !== undefined && named !== undefined) fields.delete(first[0])
  const unknown = [...fields].find(([key, value]) => !KEYS.has(key) || value === undefined)
  if (unknown)
    throw new InvalidArgument(`invalid secret: '${text}': option "${unknown[0]}" is unknown, or has no value`, {
      hint: "expected NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]",
    })
  const source = named ?? fields.get("source") ?? fields.get("src") ?? ""
  if (source === "") throw new InvalidArgument(`invalid secret: '${text}': no source found`)
  const kind = fields.get("type") ?? "mount"
  const target = fields.get("target")
  if (kind === "env") return variableOf(source, target, fields)
  if (kind !== "mount")
    throw new InvalidArgument(`invalid secret: '${text}': type ${kind} is invalid`, {
      hint: { valid: ["mount", "env"] },
    })
  return {
    kind,
    source,
    target: checkTarget(target ?? source),
    uid: readId(fields.get("uid"), "uid"),
    gid: readId(fields.get("gid"), "gid"),
    mode: readMode(fields.get("mode")),
  }
}

function variableOf(source: string, target: string | undefined, fields: ReadonlyMap<string, unknown>): SecretRequest {
  if (fields.has("uid") || fields.has("gid") || fields.has("mode"))
    throw new InvalidArgument("invalid secret: UID, GID, Mode options cannot be set with secret type env")
  const variable = target ?? source
  if (/[=\0\s]/.test(variable)) throw new InvalidArgument(`invalid secret: "${variable}" is no name of a variable`)
  return { kind: "env", source, variable }
}

/** A file's path, or its name below /run/secrets, which it does not leave. */
function checkTarget(target: string): string {
  const words = target.split("/").slice(target.startsWith("/") ? 1 : 0)
  if (words.some((word) => word === "" || word === "." || word === "..") || target.includes("\0"))
    throw new InvalidArgument(`invalid secret: "${target}" is no path of a file`, {
      hint: "expected a name, or an absolute path",
    })
  return target
}

function readId(text: string | undefined, what: string): number {
  const id = Number(text ?? "0")
  if (!/^\d+$/.test(text ?? "0") || id > LAST_ID)
    throw new InvalidArgument(`invalid secret: ${what} "${text}" is no id`)
  return id
}

function readMode(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MODE
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgument(`invalid secret: mode "${text}" is no octal number`)
  return Number.parseInt(text, 8)
}
