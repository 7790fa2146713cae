import { flag } from "../flag.ts"

/** Flags between `compose` and its verb, as docker compose 2.40 has them. */
export const PROJECT_FLAGS = {
  allResources: flag.bool("Include all resources, even those not used by services"),
  ansi: flag.choice(["never", "always", "auto"], "Control when to print ANSI control characters", { initial: "auto" }),
  compatibility: flag.bool("Run compose in backward compatibility mode: names with _"),
  dryRun: flag.bool("Execute command in dry run mode"),
  envFile: flag.strings("Alternate environment file", "stringArray"),
  file: flag.strings("Compose configuration files", "stringArray", { short: "f" }),
  parallel: flag.int("Control max parallelism, -1 for unlimited"),
  profile: flag.strings("Profile to enable", "stringArray"),
  progress: flag.choice(["auto", "tty", "plain", "json", "quiet"], "Type of progress output"),
  projectDirectory: flag.string("Alternate working directory (default: the path of the first compose file)"),
  projectName: flag.string("Project name", "string", { short: "p" }),
  verbose: flag.bool("Show more output", { hidden: true }),
  workdir: flag.string("As --project-directory", "string", { hidden: true }),
}

/** Values of those flags. */
export interface ProjectFlags {
  allResources: boolean
  ansi: "never" | "always" | "auto"
  compatibility: boolean
  dryRun: boolean
  envFile: readonly string[]
  file: readonly string[]
  parallel: number | undefined
  profile: readonly string[]
  progress: "auto" | "tty" | "plain" | "json" | "quiet" | undefined
  projectDirectory: string | undefined
  projectName: string | undefined
  verbose: boolean
  workdir: string | undefined
}
