import type { Project } from "../../compose/compose.ts"
import type { Engine } from "../../engine/engine.ts"
import { log } from "../../base/log.ts"
import { BuildDisplay } from "./build-display.ts"
import type { ComposeSession } from "./compose-session.ts"

/** What a watch is handed by its command. */
export interface WatchRun {
  compose: ComposeSession
  engine: Engine
  project: Project
  services: readonly string[]
  signal: AbortSignal
  onLine(text: string): void
  report(error: unknown): Promise<number>
  quiet?: boolean
  prune?: boolean
}

/** Watches until the signal ends it. Builds show their steps on standard error; a broken compose file is told, and the old one stays. */
export async function runWatch({ compose, engine, project, services, signal, ...run }: WatchRun): Promise<void> {
  let display: BuildDisplay | undefined
  const domain = await compose.compose()
  await domain.watch(project, {
    services,
    signal,
    onLine: (text) => {
      display?.[Symbol.dispose]()
      display = undefined
      run.onLine(text)
    },
    onWarning: (text) => log.warn(text),
    onFailure: (error) => {
      display?.explainFailure()
      display = undefined
      void run.report(error)
    },
    quiet: run.quiet ?? false,
    onHookLine: ({ source, text }) => run.onLine(`${source} ->  | ${text}`),
    onBuildEvent: (service, event) => (display ??= new BuildDisplay("auto")).onBuildEvent(service, event),
    prune: run.prune === true ? async () => void (await engine.prune({ kinds: ["images"] })) : undefined,
    reload: async () => {
      try {
        return await compose.project(services)
      } catch (error) {
        await run.report(error)
        return undefined
      }
    },
  })
}
