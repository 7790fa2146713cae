/** What is measured. Each gives one figure for one engine; the rounds of all engines are interleaved. */
import { setTimeout as sleep } from "node:timers/promises"
import { output, timed, type Engine } from "./engine.ts"
import { namedMib, newProcessesMib, processes } from "./memory.ts"

export interface Images {
  small: string
  large: string
}

export interface Measure {
  name: string
  unit: "ms" | "s" | "MiB"
  rounds: number
  /** The goal: at most `ratio` of the peer's figure, or an absolute figure. */
  target?: { ratio: number; peer: "podman" | "docker" | "best" } | { atMost: number }
  /** Asked of those that only build, too. */
  builds?: boolean
  /** Before its first round, not timed. */
  before?(engine: Engine): Promise<void>
  round(engine: Engine): Promise<number>
  after?(engine: Engine): Promise<void>
}

const IDLE = 50

async function startMany(engine: Engine, image: string, count: number, atOnce: number): Promise<void> {
  let begun = 0
  const worker = async () => {
    while (begun++ < count) await timed(engine, ["run", "-d", image, "sleep", "1000"])
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** Killed first: podman's `rm -f` waits ten seconds for each that ignores the stop signal, as any first process does. */
export async function removeAll(engine: Engine): Promise<void> {
  const running = output(engine, ["ps", "-q"]).split("\n").filter(Boolean)
  if (running.length > 0) await timed(engine, ["kill", ...running])
  const ids = output(engine, ["ps", "-aq"]).split("\n").filter(Boolean)
  if (ids.length > 0) await timed(engine, ["rm", "-f", ...ids])
}

export function measures(images: Images, quick: boolean): Measure[] {
  const rounds = quick ? 5 : 21
  const few = quick ? 1 : 3
  const idle = quick ? 10 : IDLE
  let port = 31_000
  const run = (...flags: string[]) => ["run", "--rm", ...flags, images.small, "true"]
  return [
    {
      name: "run --rm true, bridge",
      unit: "ms",
      rounds,
      target: { ratio: 0.35, peer: "podman" },
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
      target: { ratio: 0.5, peer: "podman" },
      round: (engine) => timed(engine, run("--network", "none")),
    },
    {
      name: "exec true",
      unit: "ms",
      rounds,
      target: { ratio: 0.35, peer: "docker" },
      before: async (engine) =>
        void (await timed(engine, ["run", "-d", "--name", "exec", images.small, "sleep", "1000"])),
      round: (engine) => timed(engine, ["exec", "exec", "true"]),
      after: removeAll,
    },
    {
      name: "ps, no container",
      unit: "ms",
      rounds,
      target: { ratio: 0.5, peer: "podman" },
      round: (engine) => timed(engine, ["ps"]),
    },
    {
      name: `ps, ${idle} containers`,
      unit: "ms",
      rounds,
      target: { ratio: 0.5, peer: "podman" },
      before: (engine) => startMany(engine, images.small, idle, 4),
      round: (engine) => timed(engine, ["ps"]),
      after: removeAll,
    },
    {
      name: `start ${idle} detached, 4 at a time`,
      unit: "s",
      rounds: few,
      target: { ratio: 0.5, peer: "podman" },
      round: async (engine) => {
        const started = performance.now()
        await startMany(engine, images.small, idle, 4)
        const seconds = (performance.now() - started) / 1_000
        await removeAll(engine)
        return seconds
      },
    },
    {
      name: "pull 150 MB",
      unit: "s",
      rounds: quick ? 1 : 5,
      target: { ratio: 0.8, peer: "podman" },
      round: async (engine) => {
        const ms = await timed(engine, ["pull", "-q", ...engine.pullFlags, images.large])
        await timed(engine, ["rmi", images.large])
        return ms / 1_000
      },
    },
    {
      name: "memory per idle container",
      unit: "MiB",
      rounds: few,
      target: { atMost: 0.5 },
      round: async (engine) => {
        const before = processes()
        await startMany(engine, images.small, idle, 4)
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
