import { InvalidArgument } from "../../../base/errors.ts"
import { isTerminal } from "../../../sys/terminal/terminal.ts"
import type { ProjectFlags } from "../project-flags.ts"
import { readBoolean } from "../../../spec/docker/boolean.ts"

/** How progress is shown. */
export type ProgressMode = "tty" | "plain" | "json" | "quiet"

/** How, where, and whether in colours. */
export interface ProgressPlace {
  mode: ProgressMode
  fd: 1 | 2
  hasColour: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const MODES = ["auto", "tty", "plain", "json", "quiet", "none"]

/**
 * By the flags and, where they say nothing, COMPOSE_PROGRESS, COMPOSE_ANSI and COMPOSE_STATUS_STDOUT. Throws InvalidArgument for a
 * variable's value that is none, and for a terminal's display without control characters.
 */
export function progressPlace(
  flags: Pick<ProjectFlags, "ansi" | "progress">,
  env: Environment = process.env,
  terminal: (fd: number) => boolean = isTerminal,
): ProgressPlace {
  const fd = isSet(env.COMPOSE_STATUS_STDOUT) ? 1 : 2
  const ansi = ansiMode(flags, env)
  const mode = progressMode(flags.progress ?? env.COMPOSE_PROGRESS ?? "", ansi, () => terminal(fd))
  return { mode, fd, hasColour: mode === "tty" && !env.NO_COLOR && ansi !== "never" }
}

/** Whether control characters, colours too, are wanted: `auto` where there is a terminal. Throws InvalidArgument for COMPOSE_ANSI. */
export function ansiMode({ ansi }: Pick<ProjectFlags, "ansi">, env: Environment = process.env): ProjectFlags["ansi"] {
  const value = ansi === "auto" && env.COMPOSE_ANSI ? env.COMPOSE_ANSI : ansi
  if (value === "never" || value === "always" || value === "auto") return value
  throw new InvalidArgument(`invalid COMPOSE_ANSI "${value}"`, { hint: "expected never, always or auto" })
}

function progressMode(wanted: string, ansi: string, terminal: () => boolean): ProgressMode {
  if (wanted === "" || wanted === "auto")
    return ansi === "always" ? "tty" : ansi === "never" ? "plain" : terminal() ? "tty" : "plain"
  if (wanted === "tty" && ansi === "never")
    throw new InvalidArgument("can't use --progress tty while ANSI support is disabled", { field: "progress" })
  if (wanted === "plain" && ansi === "always")
    throw new InvalidArgument("can't use --progress plain while ANSI support is forced", { field: "progress" })
  if (wanted === "none") return "quiet"
  if (wanted === "tty" || wanted === "plain" || wanted === "json" || wanted === "quiet") return wanted
  throw new InvalidArgument(`unsupported --progress value "${wanted}"`, {
    hint: `expected one of ${MODES.join(", ")}`,
    field: "progress",
  })
}

function isSet(value: string | undefined): boolean {
  try {
    return value !== undefined && readBoolean(value)
  } catch {
    return false
  }
}
