/** What people do to containers that run: stats, logs, many started and removed again. */
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { removeAll, startMany } from "./containers.ts"
import { timed, type Engine } from "./engine.ts"
import type { Images } from "./images.ts"
import type { Measure } from "./measure.ts"

const best = (ratio: number) => ({ ratio, peer: "best" as const })

export function watchingMeasures(images: Images, quick: boolean): Measure[] {
  const few = quick ? 1 : 3
  const watched = quick ? 30 : 100
  const megabytes = quick ? 100 : 1000
  const crowd = quick ? [100] : [100, 1000]
  return [
    {
      name: `stats of ${watched} containers, of one processor`,
      unit: "%",
      rounds: few,
      target: { atMost: 5 },
      before: (engine) => startMany(engine, images.small, watched),
      // podman looks every five seconds, unless it is told
      round: (engine) => shareOfProcessor(engine, ["stats", ...(engine.name === "podman" ? ["--interval", "1"] : [])]),
      after: removeAll,
    },
    {
      name: `logs, ${megabytes} MB in lines of 100 bytes`,
      unit: "s",
      rounds: few,
      target: best(0.5),
      before: (engine) => writeLog(engine, images.small, megabytes),
      round: async (engine) => (await timed(engine, ["logs", "talker"])) / 1000,
      after: removeAll,
    },
    {
      name: "run -d, stop, rm",
      unit: "ms",
      rounds: quick ? 5 : 21,
      target: best(0.3),
      round: async (engine) => {
        // a shell that ends at the signal: what is measured is not a time-out
        const script = "trap 'exit 0' TERM; sleep 1000 & wait"
        const started = await timed(engine, ["run", "-d", "--name", "brief", images.small, "sh", "-c", script])
        return started + (await timed(engine, ["stop", "brief"])) + (await timed(engine, ["rm", "brief"]))
      },
    },
    ...crowd.map((count): Measure => ({
      name: `start and remove ${count} containers`,
      unit: "s",
      rounds: count > 100 ? 1 : few,
      target: best(0.3),
      round: async (engine) => {
        const begin = performance.now()
        await startMany(engine, images.small, count)
        await removeAll(engine)
        return (performance.now() - begin) / 1000
      },
    })),
  ]
}

/** A log driver that keeps all of it, where the default would not. */
async function writeLog(engine: Engine, image: string, megabytes: number): Promise<void> {
  const unlimited = engine.name === "skiff" ? ["--log-opt", "max-size=-1"] : []
  const driver = engine.name === "podman" ? ["--log-driver", "k8s-file"] : []
  const script = `yes ${"0123456789".repeat(10).slice(1)} | head -c ${megabytes}000000`
  await timed(engine, ["run", "-d", "--name", "talker", ...driver, ...unlimited, image, "sh", "-c", script])
  await timed(engine, ["wait", "talker"])
}

const WARM_UP_MS = 3_000
const MEASURED_MS = 10_000
const TICKS_PER_SECOND = 100

/** The CPU time of a command that goes on, and of the daemon that works for it; in percent. */
async function shareOfProcessor({ argv, env, daemon }: Engine, args: readonly string[]): Promise<number> {
  const [program = "", ...rest] = [...argv, ...args]
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: "ignore" })
  try {
    await sleep(WARM_UP_MS)
    const pids = [child.pid ?? 0, ...(daemon === true ? pidsOf(["dockerd", "containerd"]) : [])]
    const ticks = () => pids.reduce((sum, pid) => sum + ticksOf(pid), 0)
    const [begin, before] = [performance.now(), ticks()]
    await sleep(MEASURED_MS)
    return ((ticks() - before) / TICKS_PER_SECOND / ((performance.now() - begin) / 1000)) * 100
  } finally {
    child.kill("SIGKILL")
  }
}

function pidsOf(names: readonly string[]): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return names.includes(readFileSync(`/proc/${pid}/comm`, "utf8").trim()) ? [Number(pid)] : []
      } catch {
        return [] // it has just ended
      }
    })
}

/** User and system (proc_pid_stat(5)). */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1")
  const [user = 0, system = 0] = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number)
  return user + system
}
