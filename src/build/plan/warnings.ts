import { InvalidArgument } from "../../base/errors.ts"
import type { BuildWarning, SourceRange } from "../build.ts"
import { parseCheckOptions } from "../../dockerfile/directives.ts"
import { RULES, type RuleName } from "../../dockerfile/rules.ts"
import { quoteSource } from "../../dockerfile/source-error.ts"
import type { CheckOptions, Dockerfile } from "../../dockerfile/dockerfile.ts"

// BuildKit's, shown only where the Dockerfile asks for them: a comment above a stage is mostly no description of it
const EXPERIMENTAL = new Set<RuleName>(["InvalidDefinitionDescription", "CopyIgnoredFile"])

/** Collects warnings; what `# check=skip=…` or a comment above the instruction silences is left out, doubles too. */
export class Warnings {
  readonly found: BuildWarning[] = []
  readonly #dockerfile: Dockerfile
  readonly #options: CheckOptions
  readonly #seen = new Set<string>()

  /** `override`: the options of the build arg BUILDKIT_DOCKERFILE_CHECK, in the place of the file's. */
  constructor(dockerfile: Dockerfile, override?: string) {
    this.#dockerfile = dockerfile
    this.#options = override === undefined ? dockerfile.check : parseCheckOptions(override)
  }

  add(rule: RuleName, message: string, source: SourceRange, comments: readonly string[] = []): void {
    const key = JSON.stringify([rule, message, source])
    if (this.#seen.has(key) || this.#leavesOut(rule) || comments.some((comment) => silences(comment, rule))) return
    this.#seen.add(key)
    this.found.push({ rule, message, hint: RULES[rule], source, quote: quoteSource(this.#dockerfile, source) })
  }

  #leavesOut(rule: RuleName): boolean {
    const { experimental } = this.#options
    if (EXPERIMENTAL.has(rule) && experimental !== "all" && !experimental.includes(rule)) return true
    return skips(this.#options, rule)
  }

  /** With `error=true`: throws InvalidArgument naming the rules. */
  throwIfErrors(): void {
    if (!this.#options.error || this.found.length === 0) return
    const rules = [...new Set(this.found.map(({ rule }) => rule))]
    const [first] = this.found
    throw new InvalidArgument(`lint violation found for rules: ${rules.join(", ")}`, {
      hint: `line ${first?.source.start}: ${first?.message}; or leave error=true out of the # check line`,
    })
  }
}

function skips({ skip }: CheckOptions, rule: string): boolean {
  return skip === "all" || skip.includes(rule)
}

function silences(comment: string, rule: string): boolean {
  const [, text] = /^check=(.*)$/i.exec(comment) ?? []
  if (text === undefined) return false
  try {
    return skips(parseCheckOptions(text), rule)
  } catch {
    return false
  }
}
