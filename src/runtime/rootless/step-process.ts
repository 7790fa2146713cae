import { createReadStream, readlinkSync, writeSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { close, pipe } from "../../sys/libc.ts"
import { spawnProcess, type Child } from "../../sys/process/process.ts"
import { mapIds } from "../../sys/rootless/id-map.ts"

const POLL_MS = 1

/** The program of a step, or unshare(1) before it, with pipes for its output that it may open again as /dev/stdout. */
export class StepProcess {
  readonly pid: number
  readonly exited: Promise<number>
  /** Resolves when nobody holds its output any more. */
  readonly drained: Promise<unknown>
  readonly #child: Child
  readonly #go: number

  constructor(words: readonly string[], terminal: boolean) {
    const go = pipe()
    const streams = terminal ? [] : [pipe(), pipe()]
    const outputs = terminal ? [1, 2] : streams.map(({ writeEnd }) => writeEnd)
    try {
      this.#child = spawnProcess(words, { cwd: "/", env: process.env, stdio: [0, ...outputs, go.readEnd] })
    } finally {
      for (const fd of [go.readEnd, ...streams.map(({ writeEnd }) => writeEnd)]) close(fd)
    }
    this.#go = go.writeEnd
    this.pid = this.#child.pid
    this.exited = this.#child.exited
    this.drained = Promise.all(streams.map(({ readEnd }, index) => pump(readEnd, index + 1)))
  }

  /** Maps ids into the user namespace that it makes, and lets it go on then. Throws FailedPrecondition. */
  async mapIds(map: "all"): Promise<void> {
    const own = readlinkSync("/proc/self/ns/user")
    let hasEnded = false
    void this.exited.then(() => (hasEnded = true))
    while (namespaceOf(this.pid) === own) {
      if (hasEnded) throw new FailedPrecondition("no user namespace can be made for the step")
      await sleep(POLL_MS)
    }
    await mapIds(this.pid, map)
    writeSync(this.#go, "\n")
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`)
  } catch {
    return undefined
  }
}

/** Copies to descriptor `to`, which is whatever our caller gave us. */
async function pump(from: number, to: number): Promise<void> {
  for await (const chunk of createReadStream("", { fd: from }) as AsyncIterable<Uint8Array>)
    for (let done = 0; done < chunk.length;) {
      try {
        done += writeSync(to, chunk, done)
      } catch (error) {
        if (!hasErrno(error, "EAGAIN")) throw error
        await sleep(POLL_MS)
      }
    }
}
