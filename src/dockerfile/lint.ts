/** The rules of `--check` that the text alone answers. */
import type { SourceRange } from "./dockerfile.ts"
import type { Dockerfile, Stage } from "./dockerfile.ts"
import type { RuleName } from "./rules.ts"

/** A place that breaks a rule. */
export interface Finding {
  rule: RuleName
  message: string
  source: SourceRange
  /** Comments above: they may silence the rule. */
  comments: readonly string[]
}

/** Lints a Dockerfile by itself: casing, names of stages, what is out of date. */
export function checkDockerfile(dockerfile: Dockerfile): Finding[] {
  return [
    ...dockerfile.emptyContinuations.map((source) => ({
      rule: "NoEmptyContinuation" as const,
      message: "Empty continuation line",
      source,
      comments: [],
    })),
    ...checkStageHeads(dockerfile),
    ...checkCasing(dockerfile),
    ...checkDescriptions(dockerfile),
    ...dockerfile.stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ kind }) => kind === "maintainer")
      .map(({ source, comments }) => ({
        rule: "MaintainerDeprecated" as const,
        message: "Maintainer instruction is deprecated in favor of using label",
        source,
        comments,
      })),
  ]
}

function checkStageHeads({ stages }: Dockerfile): Finding[] {
  const findings: Finding[] = []
  const seen = new Set<string>()
  for (const { name, written, source, comments } of stages) {
    const add = (rule: RuleName, message: string) => findings.push({ rule, message, source, comments })
    if (name === undefined) continue
    if (written.name !== name) add("StageNameCasing", `Stage name '${written.name}' should be lowercase`)
    const { from, as = "" } = written
    if ((isLower(from) && !isLower(as)) || (isUpper(from) && !isUpper(as)))
      add("FromAsCasing", `'${as}' and '${from}' keywords' casing do not match`)
    if (name === "context" || name === "scratch")
      add("ReservedStageName", `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`)
    if (seen.has(name))
      add("DuplicateStageName", `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`)
    seen.add(name)
  }
  return findings
}

function checkCasing({ stages }: Dockerfile): Finding[] {
  const words = stages.flatMap(({ written, source, comments, instructions }) => [
    { keyword: written.from, source, comments },
    ...instructions,
  ])
  const lower = words.filter(({ keyword }) => isLower(keyword)).length
  const upper = words.filter(({ keyword }) => isUpper(keyword)).length
  const [isRight, casing] = lower > upper ? [isLower, "lowercase"] : [isUpper, "uppercase"]
  return words
    .filter(({ keyword }) => !isRight(keyword))
    .map(({ keyword, source, comments }) => ({
      rule: "ConsistentInstructionCasing" as const,
      message: `Command '${keyword}' should match the case of the command majority (${casing})`,
      source,
      comments,
    }))
}

/** A comment right above a stage or an ARG is its description, and begins with its name. */
function checkDescriptions({ stages, args }: Dockerfile): Finding[] {
  const described: { names: string[]; keyword: string; source: SourceRange; comments: readonly string[] }[] = [
    ...stages
      .filter(hasName)
      .map(({ name, source, comments }) => ({ names: [name], keyword: "FROM", source, comments })),
    ...[...args, ...stages.flatMap(({ instructions }) => instructions)]
      .filter((instruction) => instruction.kind === "arg")
      .map((arg) => ({
        names: arg.args.map(({ key }) => key),
        keyword: "ARG",
        source: arg.source,
        comments: arg.comments,
      })),
  ]
  return described.flatMap(({ names, keyword, source, comments }) => {
    const last = comments.at(-1)
    if (last === undefined || last === "" || isDirective(last) || names.includes(last.split(" ", 1)[0] ?? "")) return []
    const example = names.length === 1 ? names[0] : "<arg_key>"
    const message = `Comment for ${keyword} should follow the format: \`# ${example} <description>\``
    return [{ rule: "InvalidDefinitionDescription" as const, message, source, comments }]
  })
}

function isDirective(comment: string): boolean {
  return /^(?:syntax|escape|check)\s*=/i.test(comment)
}

function hasName(stage: Stage): stage is Stage & { name: string } {
  return stage.name !== undefined
}

function isLower(word: string): boolean {
  return word === word.toLowerCase()
}

function isUpper(word: string): boolean {
  return word === word.toUpperCase()
}
