import { fill, type Language } from "../../base/messages.ts"
import type { ExplainedStep } from "../../explain/explain.ts"
import { Paper, type PageOptions } from "./paper.ts"

const CATALOGUES = { en: () => import("./en/steps.ts"), fr: () => import("./fr/steps.ts") }

/** Writes each step as it comes. */
export async function openStepPages(
  language: Language,
  options: PageOptions & { write(text: string): void },
): Promise<{ show(step: ExplainedStep): void }> {
  const { steps: words } = await CATALOGUES[language]()
  let count = 0
  return {
    show({ key, values, shell }) {
      const paper = new Paper(options)
      if (count === 0) {
        paper.prose(words.intro)
        paper.blank()
      }
      count++
      paper.heading(`[${count}] ${fill(words[`${key}.title`], values)}`)
      paper.prose(fill(words[`${key}.why`], values), 2)
      for (const line of shell) paper.command(line)
      paper.blank()
      options.write(paper.take())
    },
  }
}
