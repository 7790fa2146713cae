/** What every implementation of `Events` must do; a run of it is handed a way to open the same store more than once. */
import { expect, test } from "bun:test"
import type { Event, Events, NewEvent } from "./event.ts"

export interface EventStore extends Disposable {
  /** Opens the store once more, as another process would. */
  open(): Events & { transaction<T>(body: () => T): T }
}

const happened = (action: string, attributes: Record<string, string> = {}, id = "c1"): NewEvent => ({
  type: "container",
  action,
  actor: { id, attributes },
})

const actions = (events: readonly Event[]) => events.map(({ action }) => action)

async function take(stream: AsyncIterable<Event>, count: number): Promise<Event[]> {
  const taken: Event[] = []
  for await (const event of stream) if (taken.push(event) === count) break
  return taken
}

export function eventSuite(name: string, tempStore: () => EventStore): void {
  test(`${name}: events are listed oldest first, with ids and times that grow`, () => {
    using store = tempStore()
    const events = store.open()
    for (let n = 0; n < 100; n++) events.append(happened(`a${n}`))
    const listed = events.list()
    expect(actions(listed)).toEqual(Array.from({ length: 100 }, (_, n) => `a${n}`))
    expect(listed.every((event, n) => n === 0 || event.id > (listed[n - 1]?.id ?? 0))).toBe(true)
    expect(listed.every((event, n) => n === 0 || event.timeNs > (listed[n - 1]?.timeNs ?? 0n))).toBe(true)
    expect(events.lastId()).toBe(listed.at(-1)?.id ?? -1)
  })

  test(`${name}: an event of a transaction that was rolled back did not happen`, async () => {
    using store = tempStore()
    const [events, other] = [store.open(), store.open()]
    await using stream = other.watch()
    expect(() =>
      events.transaction(() => {
        events.append(happened("lost"))
        throw new Error("no")
      }),
    ).toThrow("no")
    events.append(happened("kept"))
    expect(actions(await take(stream, 1))).toEqual(["kept"])
    expect(actions(events.list())).toEqual(["kept"])
  })

  test(`${name}: watch() begins where it is called, and gives what another process does`, async () => {
    using store = tempStore()
    const [events, other] = [store.open(), store.open()]
    other.append(happened("before"))
    await using stream = events.watch()
    other.append(happened("during"))
    const taken = take(stream, 3)
    await Promise.resolve()
    other.append(happened("after"))
    events.append(happened("own"))
    expect(actions(await taken)).toEqual(["during", "after", "own"])
  })

  test(`${name}: watch() with since gives what is kept, then what comes, each once`, async () => {
    using store = tempStore()
    const events = store.open()
    for (let n = 0; n < 1200; n++) events.append(happened(`${n}`))
    const { id } = events.list()[99] as Event
    await using stream = events.watch({ since: { id } })
    events.append(happened("new"))
    const taken = await take(stream, 1101)
    expect(actions(taken)).toEqual([...Array.from({ length: 1100 }, (_, n) => `${n + 100}`), "new"])
  })

  test(`${name}: since and until are times`, async () => {
    using store = tempStore()
    const events = store.open()
    events.append(happened("first"))
    await new Promise((done) => setTimeout(done, 5))
    const middle = new Date()
    await new Promise((done) => setTimeout(done, 5))
    events.append(happened("second"))
    expect(actions(events.list({ since: middle }))).toEqual(["second"])
    expect(actions(events.list({ until: middle }))).toEqual(["first"])
    expect(actions(await Array.fromAsync(events.watch({ since: new Date(0), until: middle })))).toEqual(["first"])
    expect(actions(await Array.fromAsync(events.watch({ since: new Date(0), until: new Date() })))).toEqual([
      "first",
      "second",
    ])
  })

  test(`${name}: watch() ends at a time that is still to come`, async () => {
    using store = tempStore()
    const events = store.open()
    const stream = events.watch({ until: new Date(Date.now() + 50) })
    events.append(happened("in time"))
    expect(actions(await Array.fromAsync(stream))).toEqual(["in time"])
  })

  test(`${name}: watch() ends without an error when its signal is aborted`, async () => {
    using store = tempStore()
    const events = store.open()
    const abort = new AbortController()
    const all = Array.fromAsync(events.watch({ signal: abort.signal }))
    setTimeout(() => abort.abort(), 10)
    expect(await all).toEqual([])
    expect(await Array.fromAsync(events.watch({ signal: AbortSignal.abort() }))).toEqual([])
  })

  test(`${name}: a reader that is slower than its queue misses nothing`, async () => {
    using store = tempStore()
    const [events, other] = [store.open(), store.open()]
    await using stream = events.watch()
    await using quick = events.watch()
    const quickly = take(quick, 5000)
    for (let n = 0; n < 5000; n++) {
      other.append(happened(`${n}`))
      if (n % 50 === 0) await new Promise((done) => setTimeout(done))
    }
    await quickly
    const taken = await take(stream, 5000)
    expect(actions(taken)).toEqual(Array.from({ length: 5000 }, (_, n) => `${n}`))
  })

  test(`${name}: filters choose by type, action, actor, image and label`, () => {
    using store = tempStore()
    const events = store.open()
    const id = "ab".repeat(32)
    const attributes = { name: "web", image: "docker.io/library/nginx:latest", tier: "front" }
    events.append(happened("start", attributes, id))
    events.append(happened("exec_start: ls -l", attributes, id))
    events.append({ type: "image", action: "pull", actor: { id: "docker.io/library/nginx:latest", attributes: {} } })
    events.append({ type: "network", action: "connect", actor: { id: "n1", attributes: { name: "bridge" } } })
    events.append({ type: "volume", action: "mount", actor: { id: "data", attributes: {} } })
    const found = (filter: NonNullable<Parameters<Events["list"]>[0]>["filter"]) => actions(events.list({ filter }))
    expect(found({ types: ["image", "volume"] })).toEqual(["pull", "mount"])
    expect(found({ actions: ["exec_start"] })).toEqual(["exec_start: ls -l"])
    expect(found({ containers: ["web"] })).toEqual(["start", "exec_start: ls -l"])
    expect(found({ containers: ["abab"], actions: ["start"] })).toEqual(["start"])
    expect(found({ images: ["nginx"] })).toEqual(["start", "exec_start: ls -l", "pull"])
    expect(found({ labels: ["tier=front"], actions: ["start"] })).toEqual(["start"])
    expect(found({ labels: ["tier=back"] })).toEqual([])
    expect(found({ networks: ["bridge"] })).toEqual(["connect"])
    expect(found({ volumes: ["data"] })).toEqual(["mount"])
  })
}
