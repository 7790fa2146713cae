import type { Language } from "../../base/messages.ts"
import { callerEnvironment } from "../../sys/process/caller-environment.ts"
import { flag } from "../flag.ts"

/** `--lang`. */
export const LANGUAGE_FLAG = flag.choice(["en", "fr"], "Language of the explanation (default: that of LC_ALL or LANG)")

/** The language asked for, else that of the caller's locale (locale(7): the first of the three that is set), else English. */
export function languageOf(
  asked: Language | undefined,
  env: Record<string, string | undefined> = callerEnvironment(),
): Language {
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ""
  return asked ?? (/^fr(?:[_.@-]|$)/i.test(locale) ? "fr" : "en")
}
