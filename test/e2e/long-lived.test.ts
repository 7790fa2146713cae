/**
 * One engine, open in one process for long, with many callers at once: as the API, the supervisor and CRI will be. It must neither
 * grow nor stand still. In the process of the test, so as root only: an ordinary user's engine lives in the namespaces of his
 * pause process.
 */
import { readdirSync, readFileSync } from "node:fs"
import { heapStats } from "bun:jsc"
import { expect } from "bun:test"
import { outputOf, plainOptions } from "../../src/container/container.suite.ts"
import type { Containers } from "../../src/container/container.ts"
import { EngineLab } from "../../src/engine/engine-lab.suite.ts"
import { executable } from "../support/skiff.ts"
import { testUnless } from "../support/store.ts"
import { eventually } from "../support/wait.ts"
import { user } from "../support/user.ts"

const LIVES = 500
const CALLERS = 16
/** Lives of one round; after each, what is garbage is collected. */
const ROUND = 50
/** What the first lives make grow: code is compiled, caches are filled. */
const WARM_UP = 200
/** In one turn of the loop so many lives' work at most: it grows with all other work where the machine is busy or slow. */
const TURN_LIVES = 4

/** On the processor, in milliseconds, of this thread (proc_pid_schedstat(5)): what others on the machine do is no part of it. */
function ownCpuMs(): number {
  const [ns = "0"] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")
  return Number(ns) / 1e6
}

/** The most that this thread worked between two turns of its event loop. */
class Turns implements Disposable {
  readonly took: number[] = []
  #last = ownCpuMs()
  #timer = setTimeout(() => this.#tick(), 1)

  #tick(): void {
    const now = ownCpuMs()
    this.took.push(now - this.#last)
    this.#last = now
    this.#timer = setTimeout(() => this.#tick(), 1)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

/** What a process holds that a leak would make grow. Of memory the kernel counts what garbage once took, too: it is collected. */
function held(): { memoryMiB: number; objects: number; descriptors: number } {
  Bun.gc(true)
  return {
    memoryMiB: process.memoryUsage.rss() / 1024 / 1024,
    objects: heapStats().objectCount,
    descriptors: readdirSync("/proc/self/fd").length,
  }
}

async function live(containers: Containers, network: "none" | "bridge"): Promise<void> {
  const kind = network === "none" ? { kind: "none" as const } : { kind: "bridge" as const, name: "bridge" }
  const options = plainOptions("busybox", ["echo", "lived"], { autoRemove: true, network: kind })
  const started = await containers.run(options, undefined, { attach: true })
  const output = outputOf(started.attachment)
  expect(await started.exited).toBe(0)
  expect(await output).toBe("lived\n")
  started.attachment?.[Symbol.dispose]()
}

testUnless(user.rootless && "in the process of the test, which is no ordinary user's")(
  "500 containers live in one process, 16 at a time: it stays as small as it was, and its loop never stands still",
  async () => {
    await using lab = await EngineLab.open([executable()])
    const containers = await lab.engine.containers()
    await using events = (await lab.engine.events()).watch({ filter: { actions: ["die", "destroy"] } })
    let told = 0
    const counting = (async () => {
      for await (const _ of events) told++
    })()
    // each of it once, before it is measured
    await live(containers, "bridge")
    await live(containers, "none")
    let lives = 0
    const caller = async (until: number): Promise<void> => {
      while (lives < until) {
        const n = lives++
        await live(containers, n % 2 === 0 ? "none" : "bridge")
        if (n % ROUND === 0) await lab.engine.maintain()
      }
    }
    const took: number[] = []
    /** Round by round until so many lives; what is held then. */
    const lead = async (until: number) => {
      let holds = held()
      for (let next = lives + ROUND; next <= until; next += ROUND) {
        using turns = new Turns()
        await Promise.all(Array.from({ length: CALLERS }, () => caller(next)))
        took.push(...turns.took)
        holds = held()
      }
      return holds
    }
    const warm = await lead(WARM_UP)
    const end = await lead(LIVES)
    expect(end.descriptors).toBeLessThanOrEqual(warm.descriptors + 2)
    expect(end.memoryMiB).toBeLessThan(warm.memoryMiB + 20)
    // what each life leaves behind would be many objects; some hundred of code and its words come and go, more on a busy machine
    expect(end.objects).toBeLessThan(warm.objects + 4 * (LIVES - WARM_UP))
    const ofLife = took.reduce((sum, turn) => sum + turn, 0) / LIVES
    expect(Math.max(...took)).toBeLessThan(TURN_LIVES * ofLife)
    expect(containers.list({ all: true })).toEqual([])
    await eventually(() => expect(told).toBe(2 * (LIVES + 2)))
    await events[Symbol.asyncDispose]()
    await counting
  },
  600_000,
)
