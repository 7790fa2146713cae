/**
 * One engine, open in one process for long, with many callers at once: as the API, the supervisor and CRI will be. It must neither
 * grow nor stand still. In the process of the test, so as root only: an ordinary user's engine lives in the namespaces of his
 * pause process.
 */
import { readdirSync, readFileSync } from "node:fs"
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
/** What the first lives make grow: code is compiled, caches are filled. */
const WARM_UP = 100
const TURN_LIMIT_MS = 20

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

/** What a process holds that a leak would make grow. */
function held(): { memoryMiB: number; descriptors: number } {
  Bun.gc(true)
  return { memoryMiB: process.memoryUsage.rss() / 1024 / 1024, descriptors: readdirSync("/proc/self/fd").length }
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
    let warm = held()
    const caller = async (until: number): Promise<void> => {
      while (lives < until) {
        const n = lives++
        await live(containers, n % 2 === 0 ? "none" : "bridge")
        if (n % 50 === 0) await lab.engine.maintain()
      }
    }
    const lead = (until: number) => Promise.all(Array.from({ length: CALLERS }, () => caller(until)))
    await lead(WARM_UP)
    warm = held()
    using turns = new Turns()
    await lead(LIVES)
    const end = held()
    expect(end.descriptors).toBeLessThanOrEqual(warm.descriptors + 2)
    expect(end.memoryMiB).toBeLessThan(warm.memoryMiB + 20)
    expect(Math.max(...turns.took)).toBeLessThan(TURN_LIMIT_MS)
    expect(containers.list({ all: true })).toEqual([])
    await eventually(() => expect(told).toBe(2 * (LIVES + 2)))
    await events[Symbol.asyncDispose]()
    await counting
  },
  600_000,
)
