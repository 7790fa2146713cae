/** Containers: run, exec, ps, many at once, and the memory that each takes. */
import { setTimeout as sleep } from "node:timers/promises"
import { output, timed, type Engine } from "./engine.ts"
import type { Images } from "./images.ts"
import type { Measure } from "./measure.ts"
import { namedMib, newProcessesMib, processes } from "./memory.ts"

const AT_ONCE = 4

/** Detached, a few at a time. */
export async function startMany(engine: Engine, image: string, count: number): Promise<void> {
  let begun = 0
  const worker = async () => {
    while (begun++ < count) await timed(engine, ["run", "-d", image, "sleep", "1000"])
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Killed first: podman's `rm -f` waits ten seconds for each that ignores the stop signal, as any first process does. */
export async function removeAll(engine: Engine): Promise<void> {
  const running = output(engine, ["ps", "-q"]).split("\n").filter(Boolean)
  if (running.length > 0) await timed(engine, ["kill", ...running])
  const ids = output(engine, ["ps", "-aq"]).split("\n").filter(Boolean)
  if (ids.length > 0) await timed(engine, ["rm", "-f", ...ids])
}

const best = (ratio: number) => ({ ratio, peer: "best" as const })

export function containerMeasures(images: Images, quick: boolean): Measure[] {
  const rounds = quick ? 5 : 21
  const few = quick ? 1 : 3
  const idle = quick ? 10 : 50
  const next = quick ? 30 : 300
  const many = quick ? 100 : 500
  let port = 31_000
  const run = (...flags: string[]) => ["run", "--rm", ...flags, images.small, "true"]
  const started = async (engine: Engine, count: number) => {
    const begin = performance.now()
    await startMany(engine, images.small, count)
    return (performance.now() - begin) / 1_000
  }
  const psOf = (count: number, ratio: number): Measure => ({
    name: `ps, ${count === 0 ? "no container" : `${count} containers`}`,
    unit: "ms",
    rounds,
    target: best(ratio),
    before: (engine) => startMany(engine, images.small, count),
    round: (engine) => timed(engine, ["ps"]),
    after: removeAll,
  })
  return [
    {
      name: "run --rm true, bridge",
      unit: "ms",
      rounds,
      target: best(0.17),
      round: (engine) => timed(engine, run()),
    },
    {
      name: "run --rm true, published port",
      unit: "ms",
      rounds,
      round: (engine) => timed(engine, run("-p", `${port++}:80`)),
    },
    {
      name: "run --rm true, --network none",
      unit: "ms",
      rounds,
      target: best(0.28),
      round: (engine) => timed(engine, run("--network", "none")),
    },
    {
      name: "exec true",
      unit: "ms",
      rounds,
      target: best(0.18),
      before: async (engine) =>
        void (await timed(engine, ["run", "-d", "--name", "exec", images.small, "sleep", "1000"])),
      round: (engine) => timed(engine, ["exec", "exec", "true"]),
      after: removeAll,
    },
    psOf(0, 0.2),
    psOf(idle, 0.2),
    psOf(many, 0.25),
    {
      name: `start ${idle} detached, ${AT_ONCE} at a time`,
      unit: "s",
      rounds: few,
      target: best(0.25),
      round: async (engine) => {
        const seconds = await started(engine, idle)
        await removeAll(engine)
        return seconds
      },
    },
    {
      name: `start the next ${next} detached`,
      unit: "s",
      rounds: 1,
      target: best(0.25),
      before: async (engine) => void (await started(engine, idle)),
      round: (engine) => started(engine, next),
      after: removeAll,
    },
    {
      name: "memory per idle container",
      unit: "MiB",
      rounds: few,
      target: { atMost: 0.5 },
      round: async (engine) => {
        const before = processes()
        await startMany(engine, images.small, idle)
        await sleep(500)
        const mib = newProcessesMib(before, "sleep") / idle
        await removeAll(engine)
        return mib
      },
    },
    {
      name: "memory of daemons",
      unit: "MiB",
      rounds: 1,
      round: async (engine) => (engine.name === "docker" ? namedMib(["dockerd", "containerd"]) : 0),
    },
  ]
}

/** As an ordinary user: each with its own default network, then both with a bridge. */
export function rootlessMeasures(image: string, quick: boolean): Measure[] {
  const row = (name: string, ...flags: string[]): Measure => ({
    name,
    unit: "ms",
    rounds: quick ? 5 : 21,
    by: "user",
    round: (engine) => timed(engine, ["run", "--rm", ...flags, image, "true"]),
  })
  return [
    row("rootless run --rm true"),
    { ...row("rootless run --rm true, bridge", "--network", "bridge"), target: best(0.35) },
    row("rootless run --rm true, --network none", "--network", "none"),
  ]
}
