import { resolve } from "node:path"
import { flag } from "./flag.ts"
import { FOREIGN_GLOBAL_FLAGS } from "./foreign-globals.ts"

/** Flags that stand before the command. Those that take a value stand in `sys/rootless/enter.ts`, too: a test compares them. */
export const GLOBAL_FLAGS = {
  ...FOREIGN_GLOBAL_FLAGS,
  debug: flag.bool("Enable debug mode: debug log, stack traces", { short: "D" }),
  logLevel: flag.choice(
    ["debug", "info", "warn", "error", "trace", "warning", "fatal", "panic"],
    "Set the logging level",
    { short: "l", initial: "warn" },
  ),
  hooksDir: flag.list(readDirectory, "Directories of OCI hooks, in place of the host's", "directory"),
  root: flag.string("Directory of images, containers and volumes"),
  runroot: flag.string("Directory for state that does not survive a reboot"),
  runtime: flag.string("OCI runtime: crun, runc, or a path"),
  runtimeFlag: flag.strings("Flag for the OCI runtime itself, such as debug or log-format=json", "flag"),
  version: flag.bool("Print version information and quit", { short: "v" }),
}

/** Levels of podman's by ours. */
export const LOG_LEVELS = { trace: "debug", warning: "warn", fatal: "error", panic: "error" } as const

/** As the caller sees it: the monitor's commands run elsewhere. */
function readDirectory(text: string): string {
  return resolve(text)
}
