import { appendFileSync, writeSync } from "node:fs"
import { parseArgs } from "node:util"
import { enterStep, failureLine } from "./enter.ts"
import type { StepLevel } from "./level.ts"
import { endStep, superviseStep } from "./supervise.ts"

const FAILED = 1

/** `skiff _step …`: an OCI runtime's command line (see plain.ts). Only skiff calls it. Gives the exit code. */
export async function stepCommand(argv: readonly string[]): Promise<number> {
  const text = { type: "string", default: "" } as const
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      level: text,
      state: text,
      log: text,
      "log-format": text,
      bundle: text,
      "pid-file": text,
      force: { type: "boolean" },
    },
  })
  const [verb, id = ""] = positionals
  const { state, bundle, log: logFile } = values
  const level = values.level as StepLevel
  if (verb === "enter") return enterStep({ level, bundle, logFile })
  if (verb === "run")
    return await superviseStep({ level, state, id, bundle, pidFile: values["pid-file"], logFile }).catch(
      (error: unknown) => {
        appendFileSync(logFile, failureLine(error))
        return FAILED
      },
    )
  if (verb === "delete" && (await endStep(state, id))) return 0
  writeSync(2, verb === "delete" ? `step "${id}" does not exist\n` : `unknown verb "${verb}"\n`)
  return FAILED
}
