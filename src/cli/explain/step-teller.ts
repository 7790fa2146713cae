import type { OnLaunchStep } from "../../container/container.ts"
import type { Engine } from "../../engine/engine.ts"
import { writeAll, type Out } from "../out.ts"

/** Writes the steps of a start to standard error, as they are done. Loads nothing before it is asked for. */
export async function stepTeller(engine: Engine, out: Out): Promise<OnLaunchStep> {
  const [{ openStepPages }, { languageOf }, explanations] = await Promise.all([
    import("./step-pages.ts"),
    import("./language.ts"),
    engine.explanations(),
  ])
  const pages = await openStepPages(languageOf(undefined), { fd: 2, columns: out.errorColumns, write: writeError })
  return async (step) => {
    for (const explained of await explanations.step(step)) pages.show(explained)
  }
}

function writeError(text: string): void {
  writeAll(2, text)
}
