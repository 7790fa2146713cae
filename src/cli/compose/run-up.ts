import type { Compose, OnHookLine, Project, ProjectPlan, UpOptions, UpResult } from "../../compose/compose.ts"
import { AbortOnInterrupt } from "../abort-on-interrupt.ts"
import type { Out } from "../out.ts"
import type { ComposeSession } from "./compose-session.ts"
import { planLines, planText } from "./plan-lines.ts"
import { UpDisplay } from "./up-display.ts"
import { warnOfOrphans, warnOfOtherDirectory } from "./up-flags.ts"

/** How an `up` is shown. */
export interface UpShow {
  title: string
  quietBuild?: boolean
  /** Where every reason is told. */
  explain?: Out | undefined
  /** When all containers are there: what follows on the screen is somebody else's. */
  onCreated?: (result: UpResult) => void
  /** Ends it as an interrupt does. */
  signal?: AbortSignal
  /** Hears what hooks write, in place of the display. */
  onHookLine?: OnHookLine
}

/** Makes a project's containers, with a display of what happens. Interrupted, it ends in order; the next one goes on. */
export async function runUp(
  compose: ComposeSession,
  project: Project,
  options: UpOptions,
  show: UpShow,
): Promise<UpResult> {
  using interrupt = new AbortOnInterrupt()
  const domain: Compose = await compose.compose()
  using display = await UpDisplay.open(compose, show.title, { build: show.quietBuild === true })
  try {
    return await domain.up(project, {
      ...compose.verbOptions(display),
      ...(show.onHookLine && { onHookLine: show.onHookLine }),
      signal: show.signal ? AbortSignal.any([interrupt.signal, show.signal]) : interrupt.signal,
      onBuildEvent: display.onBuildEvent,
      compatibility: compose.separator === "_",
      ...options,
      onPlan: (plan) => tellPlan(plan, project, compose, show),
      ...(show.onCreated && {
        onCreated: (result: UpResult) => {
          display.end()
          show.onCreated?.(result)
        },
      }),
    })
  } catch (error) {
    display.explainFailure()
    throw error
  }
}

function tellPlan(plan: ProjectPlan, project: Project, { separator }: ComposeSession, { explain }: UpShow): void {
  warnOfOtherDirectory(plan, project)
  warnOfOrphans(plan)
  if (explain) for (const line of planText(planLines(plan, project, separator))) explain.line(line)
}
