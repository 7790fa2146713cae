import { fill, type Language, type Values } from "../../base/messages.ts"
import type { SecurityFinding, SecurityGrade } from "../../explain/explain.ts"
import type { security as words } from "./en/security.ts"
import type { Paper } from "./paper.ts"

const CATALOGUES = {
  en: async () => (await import("./en/security.ts")).security,
  fr: async () => (await import("./fr/security.ts")).security,
}

type Key = keyof typeof words

/** The words of one finding, for a page or a document. */
export interface FindingWords {
  what: string
  why: string
  repair: string
}

/** Gives the sentences of findings in a language. */
export async function openSecurityWords(
  language: Language,
): Promise<{ of(finding: SecurityFinding): FindingWords; say(key: Key, values?: Values): string }> {
  const catalogue: Readonly<Record<Key, string>> = await CATALOGUES[language]()
  const say = (key: Key, values?: Values): string => fill(catalogue[key], values).trim()
  return {
    say,
    of: ({ key, subject }) => ({
      what: say(`${key}.what`, { subject }),
      why: say(`${key}.why`, { subject }),
      repair: say(`${key}.repair`, { subject }),
    }),
  }
}

/** The grade, then the worst first, each with what repairs it. */
export async function securityPage(paper: Paper, grade: SecurityGrade, language: Language): Promise<void> {
  const { say, of } = await openSecurityWords(language)
  paper.title(say("title", { name: grade.container, grade: grade.grade, score: grade.score }))
  paper.prose(say(grade.isLive ? "live" : "record"))
  if (grade.findings.length === 0) paper.prose(say("nothing"))
  for (const finding of grade.findings) {
    const { what, why, repair } = of(finding)
    paper.heading(`${say(finding.severity)}  ${what}`)
    paper.prose(why, 2)
    paper.prose(say("repair", { repair }), 2)
  }
}
