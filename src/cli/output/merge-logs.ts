import type { LogLine } from "../../container/container.ts"

/** A line, and which of the logs it is of. */
export interface NamedLine {
  line: LogLine
  log: number
}

interface Source {
  log: number
  lines: AsyncIterator<LogLine>
  /** The next line, asked for already. */
  next: Promise<IteratorResult<LogLine>>
}

/** Lines of logs that have an end, in the order of their times. */
export async function* byTime(logs: readonly AsyncIterable<LogLine>[]): AsyncGenerator<NamedLine> {
  const open: { source: Source; line: LogLine }[] = []
  for (const source of sourcesOf(logs)) await advance(open, source)
  while (open.length > 0) {
    const first = open.reduce((a, b) => (b.line.time < a.line.time ? b : a))
    open.splice(open.indexOf(first), 1)
    yield { line: first.line, log: first.source.log }
    first.source.next = first.source.lines.next()
    await advance(open, first.source)
  }
}

async function advance(open: { source: Source; line: LogLine }[], source: Source): Promise<void> {
  const { done, value } = await source.next
  if (!done) open.push({ source, line: value })
}

/** Lines of logs that go on, as they come. */
export async function* inTurn(logs: readonly AsyncIterable<LogLine>[]): AsyncGenerator<NamedLine> {
  const open = new Set(sourcesOf(logs))
  while (open.size > 0) {
    const waits = [...open].map(async (source) => ({ source, result: await source.next }))
    const { source, result } = await Promise.race(waits)
    if (result.done) {
      open.delete(source)
      continue
    }
    source.next = source.lines.next()
    yield { line: result.value, log: source.log }
  }
}

function sourcesOf(logs: readonly AsyncIterable<LogLine>[]): Source[] {
  return logs.map((log, index) => {
    const lines = log[Symbol.asyncIterator]()
    return { log: index, lines, next: lines.next() }
  })
}
