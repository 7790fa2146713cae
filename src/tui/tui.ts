/**
 * Programs that have the whole terminal. `screen/` paints cells by differences and gives the terminal back on every way out, `input/`
 * decodes keys and the mouse, `explore/` is the screen that looks into images. A state is a plain value, a view is a function of it.
 */
import type { ExploredImage } from "../explore/explore.ts"
import { isTerminal } from "../sys/terminal/terminal.ts"
import type { ExploreEffect, ExploreEvent } from "./explore/effects.ts"
import { ExplorePerformer } from "./explore/perform.ts"
import { readExploreSettings, type ExploreSettings } from "./explore/settings.ts"
import { startState, type ExploreState } from "./explore/state.ts"
import { update } from "./explore/update.ts"
import { view } from "./explore/view.ts"
import { runProgram } from "./screen/program.ts"

export { readExploreSettings, type ExploreSettings }

/** The terminal that a screen is shown on, and what is known of it. */
export interface ScreenTerminal {
  hasColour: boolean
  /** As TERM names it. */
  term: string
  /** Where files are extracted to that are named without a directory. */
  directory: string
}

/** Whether standard input and output are a terminal that a whole screen can be painted on. */
export function hasScreen(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return env.TERM !== "dumb" && isTerminal(0) && isTerminal(1)
}

/**
 * Shows an image's layers and files until the user quits. The terminal is as before then, and when it throws. `image` stays open.
 */
export async function exploreOnScreen(
  image: ExploredImage,
  { hasColour, term, directory }: ScreenTerminal,
  settings: ExploreSettings = readExploreSettings(),
): Promise<void> {
  using performer = new ExplorePerformer(image, directory)
  await runProgram<ExploreState, ExploreEvent, ExploreEffect>(
    {
      start: (size) => ({ state: startState(image, settings, size, hasColour), effects: [{ kind: "figures" }] }),
      update,
      view,
      perform: (effect, dispatch) => performer.perform(effect, dispatch),
    },
    { input: 0, output: 1, hasMouse: true, term, hasColour },
  )
}
