import type { Compose, LoadedProject, LoadRequest, Project, VerbOptions } from "../../compose/compose.ts"
import type { Engine } from "../../engine/engine.ts"
import type { ComposeProgress } from "./progress/compose-progress.ts"
import type { ProjectFlags } from "./project-flags.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"

/** What a session takes of a command's context. */
interface SessionContext {
  engine: Engine
  group: Readonly<Record<string, unknown>>
}

/** One call of a verb of compose: the flags before the verb, and the project that they name. */
export class ComposeSession {
  readonly flags: ProjectFlags
  /** Nothing is changed; what would be done is told. */
  readonly isDryRun: boolean
  readonly #engine: Engine

  constructor({ engine, group }: SessionContext, dryRun: boolean) {
    // safe: the group's flags were parsed by PROJECT_FLAGS
    this.flags = group as unknown as ProjectFlags
    this.isDryRun = dryRun || this.flags.dryRun
    this.#engine = engine
  }

  /** Between the parts of names. */
  get separator(): "-" | "_" {
    return this.flags.compatibility || process.env.COMPOSE_COMPATIBILITY === "1" ? "_" : "-"
  }

  /** Things at once; undefined: as many as there are. */
  get parallelLimit(): number | undefined {
    const limit = this.flags.parallel ?? Number(process.env.COMPOSE_PARALLEL_LIMIT ?? -1)
    return limit > 0 ? limit : undefined
  }

  compose(): Promise<Compose> {
    return this.#engine.compose()
  }

  /**
   * Shows what happens from now on, as the flags and the environment say; `title` is the whole: `Running`, `Stopping`. Its `onEvent` is what
   * verbs report to. Dispose it before anything else is written: `using display = await compose.display("Running")`. `besideLogs`: other lines
   * come meanwhile, and nothing is drawn over.
   */
  async display(title: string, { besideLogs = false } = {}): Promise<ComposeProgress> {
    return (await this.displays(title, { besideLogs }))()
  }

  /** Opens such a display each time that it is called. */
  async displays(title: string, { besideLogs = false } = {}): Promise<() => ComposeProgress> {
    const [{ progressPlace }, { progressOpener }] = await Promise.all([
      import("./progress/progress-mode.ts"),
      import("./progress/open-progress.ts"),
    ])
    const place = progressPlace(this.flags)
    const mode = besideLogs && place.mode === "tty" ? "plain" : place.mode
    return progressOpener({ ...place, mode, title, isDryRun: this.isDryRun })
  }

  /** What a verb is told besides its own: who hears of it, whether it is done, and how much at once. */
  verbOptions({ onEvent, note }: Pick<ComposeProgress, "onEvent" | "note">): VerbOptions {
    return {
      onEvent,
      onHookLine: ({ source, text }) => note(`${source} ->  | ${text}`),
      dryRun: this.isDryRun,
      limit: this.parallelLimit,
    }
  }

  /** Does it with a display of what happens, which is drawn to its end when this resolves. */
  async showing<T>(title: string, body: (compose: Compose, options: VerbOptions) => Promise<T>): Promise<T> {
    using display = await this.display(title)
    const note = (text: string) => display.note(text)
    return await body(await this.compose(), this.verbOptions({ onEvent: display.onEvent, note }))
  }

  /** From the files; `services` are enabled whatever their profiles say. Warnings go to the log. */
  async project(services: readonly string[] = [], phases: Partial<LoadRequest> = {}): Promise<Project> {
    const { project, warnings } = await this.load(services, phases)
    if (warnings.length > 0) {
      const { log } = await import("../../base/log.ts")
      for (const { message } of warnings) log.warn(message)
    }
    return project
  }

  /** As `projectOrName`, with all services that there are besides the named ones: what depends on these is among them. */
  async wholeProjectOrName(services: readonly string[]): Promise<{ name: string; project: Project | undefined }> {
    const { name, project } = await this.projectOrName()
    return { name, project: project && withEnabled(project, services) }
  }

  /** The name alone: of flag or variable, else of the files. Throws as loading does where the files are needed. */
  async name(): Promise<string> {
    return (
      (await this.#namedFirst()) ??
      (process.env.COMPOSE_PROJECT_NAME || (await this.project([], { skipEnvironmentResolution: true })).name)
    )
  }

  /**
   * For verbs that can do without files. `project` is undefined where its name alone was given, or where the files are wrong and the
   * environment names it: its containers tell what it is then (`Compose.fromContainers`).
   */
  async projectOrName(services: readonly string[] = []): Promise<{ name: string; project: Project | undefined }> {
    const named = await this.#namedFirst()
    if (named !== undefined && this.flags.file.length === 0) return { name: named, project: undefined }
    try {
      const project = await this.project(services, { skipEnvironmentResolution: true })
      return { name: project.name, project }
    } catch (error) {
      const name = process.env.COMPOSE_PROJECT_NAME
      if (name === undefined || name === "") throw error
      return { name, project: undefined }
    }
  }

  /** Of the flag. Throws InvalidArgument for none. */
  async #namedFirst(): Promise<string | undefined> {
    const { projectName } = this.flags
    if (projectName === undefined || projectName === "") return undefined
    const { checkProjectName } = await import("../../compose/compose.ts")
    checkProjectName(projectName)
    return projectName
  }

  async load(services: readonly string[] = [], phases: Partial<LoadRequest> = {}): Promise<LoadedProject> {
    return (await this.compose()).load(this.request(services, phases))
  }

  /** What the flags and the environment say of what to load. */
  request(services: readonly string[] = [], phases: Partial<LoadRequest> = {}): LoadRequest {
    const { file, projectDirectory, workdir, projectName, profile, envFile, allResources, compatibility } = this.flags
    return {
      currentDirectory: process.cwd(),
      files: file,
      readStandardInput: async () => (await import("node:stream/consumers")).text(process.stdin),
      projectDirectory: projectDirectory ?? workdir,
      projectName,
      profiles: profile,
      environmentFiles: envFile,
      // NODE_ENV and its like are hidden from our own runtime
      environment: callerEnvironment(),
      services,
      allResources,
      compatibility,
      ...phases,
    }
  }
}

/** Services that profiles leave out are there when they are named. */
export function withEnabled(project: Project, names: readonly string[]): Project {
  const named = Object.entries(project.disabledServices).filter(([name]) => names.includes(name))
  return named.length === 0 ? project : { ...project, services: { ...project.services, ...Object.fromEntries(named) } }
}
