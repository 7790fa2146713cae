import { InvalidArgument } from "../base/errors.ts"
import type { SourceRange } from "./dockerfile.ts"
import { parseDirectives, type Directives } from "./directives.ts"
import { hereDocumentsOf } from "./here-document.ts"
import { isStageHead, parseInstruction, takesHereDocuments, type Line } from "./parse-instruction.ts"
import { sourceError, withSource } from "./source-error.ts"
import type { ArgInstruction, Dockerfile, HereDocument, Instruction, SourceFile, Stage } from "./dockerfile.ts"

const MAX_BYTES = 4 * 1024 ** 2
const MAX_STAGES = 1000

/** Parses a Dockerfile. Throws InvalidArgument or Unsupported, whose message names and quotes the lines. */
export function parseDockerfile(text: string, name = "Dockerfile"): Dockerfile {
  const file: SourceFile = { name, text: text.replace(/^\uFEFF/, "") }
  if (file.text === "") throw new InvalidArgument(`${name}: the Dockerfile cannot be empty`)
  if (file.text.length > MAX_BYTES) throw new InvalidArgument(`${name}: it has more than 4 MiB`)
  const lines = file.text.split("\n")
  const directives = parseDirectives(file, lines)
  const reader = new LineReader(file, lines, directives)
  const args: ArgInstruction[] = []
  const stages: (Stage & { instructions: Instruction[] })[] = []
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const parsed = parseLine(file, line, directives)
    const stage = stages.at(-1)
    if (isStageHead(parsed)) stages.push({ ...parsed, instructions: [] })
    else if (stage !== undefined) stage.instructions.push(parsed)
    else if (parsed.kind === "arg") args.push(parsed)
    else
      throw sourceError(
        file,
        line.source,
        `no build stage in current context: ${parsed.keyword.toUpperCase()} before the first FROM`,
        {
          hint: "start with FROM and the name of a base image",
        },
      )
  }
  if (stages.length === 0)
    throw new InvalidArgument(
      `${name}: ${args.length === 0 ? "file with no instructions" : "dockerfile contains no stages to build"}`,
      {
        hint: "it needs a FROM with the name of a base image",
      },
    )
  if (stages.length > MAX_STAGES) throw new InvalidArgument(`${name}: it has more than ${MAX_STAGES} stages`)
  return { ...file, ...directives, args, stages, emptyContinuations: reader.emptyContinuations }
}

/**
 * Parses the one instruction that a base image left for its users (ONBUILD). Errors are about `source`, the FROM line.
 * Throws InvalidArgument.
 */
export function parseTrigger(file: SourceFile, source: SourceRange, trigger: string): Instruction {
  try {
    const { args, stages } = parseDockerfile(`FROM scratch\n${trigger}`, "ONBUILD")
    const [instruction, ...others] = stages[0]?.instructions ?? []
    if (instruction === undefined || others.length > 0 || args.length > 0 || stages.length > 1)
      throw new InvalidArgument("onbuild trigger should be a single expression")
    return { ...instruction, source }
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : ""
    throw sourceError(file, source, `the base image's ONBUILD ${JSON.stringify(trigger.slice(0, 200))}: ${reason}`, {
      cause: error,
    })
  }
}

function parseLine(file: SourceFile, line: Line, directives: Directives): ReturnType<typeof parseInstruction> {
  try {
    return parseInstruction(line, directives.escape)
  } catch (error) {
    throw withSource(file, line.source, error)
  }
}

/** Puts continued lines together, leaves comments out, takes the bodies of here-documents along. */
class LineReader {
  readonly emptyContinuations: SourceRange[] = []
  readonly #file: SourceFile
  readonly #lines: readonly string[]
  readonly #continuation: RegExp
  #at = 0

  constructor(file: SourceFile, lines: readonly string[], { escape }: Directives) {
    this.#file = file
    this.#lines = lines
    // two escapes at the end are one that is escaped
    this.#continuation = escape === "`" ? /(^|[^`])`[ \t]*$/ : /(^|[^\\])\\[ \t]*$/
  }

  next(): Line | undefined {
    let comments: string[] = []
    while (this.#at < this.#lines.length) {
      const first = this.#take().trimStart()
      if (first === "") comments = []
      else if (first.startsWith("#")) comments.push(first.slice(1).trim())
      else return this.#instruction(first, comments)
    }
    return undefined
  }

  #instruction(first: string, comments: string[]): Line | undefined {
    const start = this.#at
    const { code, hasEmptyLine } = this.#continued(first)
    if (hasEmptyLine) this.emptyContinuations.push(this.#lastLine())
    const heads = takesHereDocuments(code) ? hereDocumentsOf(code) : []
    const documents = heads.map((head) => Object.assign(head, { content: this.#body(head, start) }))
    return { code, documents, comments, source: { start, end: this.#at } }
  }

  #continued(first: string): { code: string; hasEmptyLine: boolean } {
    const parts: string[] = []
    let hasEmptyLine = false
    let line = first
    for (;;) {
      const head = line.replace(this.#continuation, "$1")
      parts.push(head)
      if (head === line) break
      let next: string | undefined
      while (this.#at < this.#lines.length) {
        const candidate = this.#take()
        const trimmed = candidate.trimStart()
        if (trimmed.startsWith("#")) continue
        if (trimmed !== "") {
          next = candidate
          break
        }
        // the text's own last line end makes no blank line
        if (this.#at < this.#lines.length) hasEmptyLine = true
      }
      if (next === undefined) break
      line = next
    }
    return { code: parts.join(""), hasEmptyLine }
  }

  // buildkit warns of the line where such an instruction ends; what follows the last line end is none
  #lastLine(): SourceRange {
    const line = this.#at === this.#lines.length && this.#lines.at(-1) === "" ? this.#at - 1 : this.#at
    return { start: line, end: line }
  }

  #body({ name, chomp }: Omit<HereDocument, "content">, start: number): string {
    let content = ""
    while (this.#at < this.#lines.length) {
      const isLast = this.#at === this.#lines.length - 1
      const raw = this.#lines[this.#at++] ?? ""
      const line = withoutCarriageReturn(raw)
      if ((chomp ? line.replace(/^\t+/, "") : line) === name) return content
      content += isLast ? raw : `${raw}\n`
    }
    throw sourceError(this.#file, { start, end: start }, "unterminated heredoc", {
      hint: `a line with nothing but ${name} ends it`,
    })
  }

  #take(): string {
    return withoutCarriageReturn(this.#lines[this.#at++] ?? "")
  }
}

// no expression: \r+$ would look at each run of them from every one in it
function withoutCarriageReturn(line: string): string {
  let end = line.length
  while (line[end - 1] === "\r") end--
  return line.slice(0, end)
}
