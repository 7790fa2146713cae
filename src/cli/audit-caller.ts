import { formatEgressRule, NOWHERE, type EgressRule } from "../spec/docker/egress-rule.ts"
import type { AuditCaller } from "../audit/audit.ts"
import { isSkiffError } from "../base/errors.ts"
import { textWithoutCredentials } from "../base/without-credentials.ts"
import type { Engine } from "../engine/engine.ts"
import { loginUid } from "../sys/account.ts"
import { callerTty } from "../sys/caller-tty.ts"
import { rootlessUid } from "../sys/fs/paths.ts"
import { flagName, type Flags } from "./flag.ts"

/** Flags whose values may be secrets, or hold them: that they were given is all that is written down. */
const SILENT = new Set([
  "annotation",
  "buildArg",
  "change",
  "creds",
  "decryptionKey",
  "encryptionKey",
  // words of programs
  "entrypoint",
  "env",
  "envMerge",
  "groupEntry",
  "healthCmd",
  "healthStartupCmd",
  "label",
  "logOpt",
  "message",
  "opt",
  // may have the hash of a password
  "passwdEntry",
  "password",
  "secret",
])
const MAX_VALUE_LENGTH = 200

/** Who runs this command, and how it was given: no words of programs, no values that may be secrets. */
export function auditCaller(name: string, flags: Flags, values: Readonly<Record<string, unknown>>): AuditCaller {
  // most are the very value that stands in the table
  const given = Object.entries(flags).filter(([property, { initial }]) => values[property] !== initial)
  const tty = callerTty()
  return {
    uid: rootlessUid() ?? process.getuid?.() ?? 0,
    loginUid: loginUid(),
    ...(tty === undefined ? {} : { tty }),
    pid: process.pid,
    command: name,
    flags: Object.fromEntries(
      given.map(([property]) => [
        flagName(property),
        SILENT.has(property) ? "…" : valueText(property === "allowNet" ? placesOf(values[property]) : values[property]),
      ]),
    ),
  }
}

/** Commands that change nothing are not written down, and so is no failure of theirs. */
const CHANGES =
  /(^|[ -])(add|build|checkpoint|clone|commit|copy|cp|create|exec|import|init|kill|load|pause|prune|pull|push|remove|rename|reset|restart|restore|rm|rmi|run|save|start|stop|tag|unpause|untag|update)$/

/** Writes down that a change was refused, with the error's code and none of its words: they may quote a value. */
export async function recordRefusal(
  engine: Pick<Engine, "audit">,
  name: string,
  [subject = ""]: readonly string[],
  error: unknown,
): Promise<void> {
  if (!CHANGES.test(name)) return
  try {
    const result = isSkiffError(error) ? error.code : "Unknown"
    const shown = textWithoutCredentials(subject).slice(0, MAX_VALUE_LENGTH)
    ;(await engine.audit()).append({ action: name, subject: shown, result })
  } catch {
    // the store cannot be written to: that is what failed, and is told already
  }
}

/** As they were given, or nearly. */
function placesOf(allowed: unknown): string {
  const rules = (allowed as readonly (readonly EgressRule[] | "all")[]).flat()
  return rules.map((rule) => (rule === "all" ? rule : formatEgressRule(rule))).join(" ") || NOWHERE
}

function valueText(value: unknown): string {
  const text = textWithoutCredentials(typeof value === "string" ? value : JSON.stringify(value))
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text
}
