import type { LogLine } from "../../container/container.ts"

/** A line of a log, and whose it is. */
export interface SourcedLine<S> {
  source: S
  line: LogLine
}

/** Lines of several logs as one, the earliest first of those that each has next. Pure but for the reading. */
export async function* inOrder<S>(logs: ReadonlyMap<S, AsyncIterable<LogLine>>): AsyncGenerator<SourcedLine<S>> {
  const open = async ([source, log]: [S, AsyncIterable<LogLine>]) => {
    const iterator = log[Symbol.asyncIterator]()
    return { source, iterator, next: await iterator.next() }
  }
  const heads = await Promise.all([...logs].map(open))
  for (;;) {
    let first: (typeof heads)[number] | undefined
    for (const head of heads)
      if (!head.next.done && (first?.next.done !== false || head.next.value.time < first.next.value.time)) first = head
    if (first === undefined || first.next.done) return
    yield { source: first.source, line: first.next.value }
    first.next = await first.iterator.next()
  }
}

/** Lines of several logs as they come: one that is followed may have none for long. */
export async function* asTheyCome<S>(logs: ReadonlyMap<S, AsyncIterable<LogLine>>): AsyncGenerator<SourcedLine<S>> {
  type Arrival = { source: S; iterator: AsyncIterator<LogLine>; next: IteratorResult<LogLine> }
  const ask = async (source: S, iterator: AsyncIterator<LogLine>): Promise<Arrival> => ({
    source,
    iterator,
    next: await iterator.next(),
  })
  const waiting = new Map([...logs].map(([source, log]) => [source, ask(source, log[Symbol.asyncIterator]())]))
  while (waiting.size > 0) {
    const { source, iterator, next } = await Promise.race(waiting.values())
    if (next.done) {
      waiting.delete(source)
      continue
    }
    waiting.set(source, ask(source, iterator))
    yield { source, line: next.value }
  }
}
