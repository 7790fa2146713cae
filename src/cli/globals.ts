import { flag } from "./flag.ts"

/** Flags that stand before the command. */
export const GLOBAL_FLAGS = {
  debug: flag.bool("Enable debug mode: debug log, stack traces", { short: "D" }),
  logLevel: flag.choice(["debug", "info", "warn", "error"], "Set the logging level", { short: "l", initial: "warn" }),
  root: flag.string("Directory of images, containers and volumes"),
  runroot: flag.string("Directory for state that does not survive a reboot"),
  runtime: flag.string("OCI runtime: crun, runc, or a path"),
  version: flag.bool("Print version information and quit", { short: "v" }),
}
