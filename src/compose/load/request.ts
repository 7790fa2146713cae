import type { Project } from "../project.ts"
import type { Origin } from "./tree.ts"

/** What to load, and which phases to leave out (`config --no-…`). */
export interface LoadRequest {
  /** Of the caller; relative names are taken from here. */
  currentDirectory: string
  /** Paths, `-`, git URLs, `oci://…`; empty: `COMPOSE_FILE`, or what is found from the current directory upwards. */
  files: readonly string[]
  /** Read for `-`. */
  readStandardInput?: () => Promise<string>
  projectDirectory?: string | undefined
  projectName?: string | undefined
  profiles: readonly string[]
  /** In place of `.env`. */
  environmentFiles: readonly string[]
  /** The process's. */
  environment: Readonly<Record<string, string | undefined>>
  /** Named on the command line: they are enabled whatever their profiles say. Empty: all. */
  services?: readonly string[]
  /** Keep networks, volumes, secrets … that nothing uses. */
  allResources?: boolean
  /** `_` between the parts of names, as compose 1. */
  compatibility?: boolean
  skipInterpolation?: boolean
  skipNormalization?: boolean
  skipPathResolution?: boolean
  skipConsistency?: boolean
  /** `env_file` stays; keys of `environment` without a value have the project's all the same. */
  skipEnvironmentResolution?: boolean
}

/** What the maker of the files should know: shown once, the project is good. */
export interface LoadWarning {
  message: string
  origin?: Origin
}

export interface LoadedProject {
  project: Project
  warnings: readonly LoadWarning[]
}
