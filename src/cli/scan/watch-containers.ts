import { eventLine } from "../../docker/event.ts"
import type { Engine } from "../../engine/engine.ts"
import type { Event } from "../../event/event.ts"
import { AbortOnInterrupt } from "../abort-on-interrupt.ts"
import type { Out } from "../out.ts"

/** Between two looks whether there are other data or containers: the supervisor looks as well, for when this process is gone. */
const LOOK_MS = 2_000

/** `scan --watch`: begins the watch, and tells what becomes known, until it is interrupted; the watch goes on. `--watch=false` ends it, and who tells of it. */
export async function watchContainers(engine: Engine, isWatched: boolean, out: Out): Promise<number> {
  const scans = await engine.scans()
  if (!isWatched) {
    await scans.setWatched(false)
    return 0
  }
  // says what is missing before anything is begun
  await (await scans.data()).info()
  await scans.setWatched(true)
  const [events, containers] = [await engine.events(), await engine.containers()]
  using interrupt = new AbortOnInterrupt()
  const ended = new AbortController()
  const signal = interrupt.signal === undefined ? ended.signal : AbortSignal.any([interrupt.signal, ended.signal])
  await using watch = events.watch({
    filter: { types: ["container"], actions: ["scan", "vulnerability"] },
    signal,
  })
  out.note(
    `watching ${containers.list().length} running containers; the supervisor goes on until 'skiff scan --watch=false'`,
  )
  const look = () =>
    void engine.keepScanned().then(
      (goesOn) => goesOn || ended.abort(),
      (error: unknown) => out.warn(String(error)),
    )
  const timer = setInterval(look, LOOK_MS)
  look()
  try {
    for await (const event of watch) out.line(told(event))
  } finally {
    clearInterval(timer)
  }
  return 0
}

function told(event: Event): string {
  const { name = "", vulnerability, severity = "", package: of = "", version = "", fixed } = event.actor.attributes
  if (event.action !== "vulnerability" || vulnerability === undefined) return eventLine(event)
  const fix = fixed === undefined ? "nothing fixes it yet" : `fixed in ${fixed}`
  return `${new Date(Number(event.timeNs / 1_000_000n)).toISOString()} ${name}: ${severity} ${vulnerability} in ${of} ${version}, ${fix}`
}
