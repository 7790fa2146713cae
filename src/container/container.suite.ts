/** What every implementation of `Containers` must do; a run of it is handed a store with an image of busybox. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type { ErrorCode } from "../base/errors.ts"
import { isSkiffError } from "../base/errors.ts"
import type { Attachment } from "../runtime/runtime.ts"
import type { ContainerOptions, Containers, ExecRequest } from "./container.ts"

export interface ContainerStore extends AsyncDisposable {
  containers: Containers
  /** The same store, as another process has it. */
  other: Containers
  /** Name of an image with busybox's commands. */
  image: string
}

/** Options with nothing asked for but a program. */
export function plainOptions(
  image: string,
  command: readonly string[],
  part: Partial<ContainerOptions> = {},
): ContainerOptions {
  return { image, command, pull: "never", network: { kind: "none" }, ...part }
}

export const execRequest = (...command: string[]): ExecRequest => ({ command })

/** All that a program writes, once both ends are closed. */
export async function outputOf(attachment: Attachment | undefined): Promise<string> {
  let text = ""
  attachment?.onOutput((_, chunk) => void (text += Buffer.from(chunk).toString()))
  await attachment?.closed
  return text
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | "none"> {
  try {
    await work
    return "none"
  } catch (error) {
    if (!isSkiffError(error)) throw error
    return error.code
  }
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((done) => setTimeout(done, 20))
}

const UNTIL_GO = "echo out; while [ ! -e /go ]; do sleep 0.05; done; exit 7"
const FOREVER = ["sleep", "1000"]

export function containerSuite(
  name: string,
  open: () => Promise<ContainerStore>,
  { skip }: { skip: string | false },
): void {
  if (skip !== false) console.log(`container suite of ${name} skipped: ${skip}`)

  describe.skipIf(skip !== false)(`container contract: ${name}`, () => {
    let store: ContainerStore
    beforeAll(async () => void (store = await open()))
    afterAll(async () => await store?.[Symbol.asyncDispose]())
    afterEach(async () => {
      const { containers } = store
      for (const { id } of containers.list({ all: true })) await containers.remove(id, { force: true, volumes: true })
    })

    const options = (command: readonly string[], part: Partial<ContainerOptions> = {}) =>
      plainOptions(store.image, command, part)
    const running = async (containerName: string, command: readonly string[] = FOREVER) => {
      const started = await store.containers.run(options(command, { name: containerName }))
      started.release()
      return started.container
    }

    test("a life: created, running, exited with its code, removed", async () => {
      const { containers } = store
      const { id } = await containers.create(options(["sh", "-c", "echo out; exit 3"], { name: "life" }))
      expect(containers.get("life").state).toEqual({ status: "created" })
      const started = await containers.start("life", { attach: true })
      expect(await outputOf(started.attachment)).toBe("out\n")
      expect(await started.exited).toBe(3)
      expect(containers.get(id).state).toMatchObject({ status: "exited", exitCode: 3 })
      expect(await containers.wait("life")).toBe(3)
      await containers.remove("life")
      expect(() => containers.get("life")).toThrow("no such container")
    })

    test("create() needs an image's name alone: the rest has defaults, which the record keeps", async () => {
      const { id } = await store.containers.create({ image: store.image })
      const { options: kept, mounts, run } = await store.other.inspect(id)
      expect(kept).toMatchObject({
        pull: "missing",
        network: { kind: "bridge", name: "bridge" },
        restart: { name: "no" },
        log: { driver: "k8s-file", options: {} },
        autoRemove: false,
        ports: [],
      })
      expect(mounts).toEqual([])
      expect(run).toMatchObject({ hostname: id.slice(0, 12), workdir: "/", stopSignal: "SIGTERM" })
    })

    test("a run that is refused leaves nothing; one whose program cannot be run stays as created", async () => {
      const { containers } = store
      const refused = containers.run(options(FOREVER, { resources: { memoryBytes: 1 } }))
      expect(await codeOf(refused)).toBe("InvalidArgument")
      expect(containers.list({ all: true })).toEqual([])
      const started = containers.run(options(["/no/such/program"], { name: "left" }))
      await expect(started).rejects.toMatchObject({ data: { programExit: 127 } })
      expect(containers.get("left").state.status).toBe("created")
    })

    test("a container of another process is the same one", async () => {
      await running("shared")
      const { other, containers } = store
      expect(other.get("shared").state.status).toBe("running")
      const code = other.wait("shared")
      await containers.kill("shared", "KILL")
      expect(await code).toBe(137)
      expect(other.get("shared").state).toMatchObject({ status: "exited", exitCode: 137 })
    })

    test("a name or id that is not there is NotFound; a name that is taken AlreadyExists; a wrong state FailedPrecondition", async () => {
      const { containers } = store
      await running("taken")
      expect(await codeOf(containers.start("nosuch"))).toBe("NotFound")
      expect(await codeOf(containers.wait("nosuch"))).toBe("NotFound")
      expect(await codeOf(containers.create(options(FOREVER, { name: "taken" })))).toBe("AlreadyExists")
      expect(await codeOf(containers.remove("taken"))).toBe("FailedPrecondition")
      expect(await codeOf(containers.unpause("taken"))).toBe("FailedPrecondition")
      await containers.stop("taken", { timeoutSeconds: 0 })
      expect(await codeOf(containers.kill("taken", "TERM"))).toBe("FailedPrecondition")
      expect(await codeOf(containers.execs.create("taken", execRequest("true")))).toBe("FailedPrecondition")
    })

    test("stop and remove may be repeated, by two at once", async () => {
      const { containers, other } = store
      const { id } = await running("twice")
      await Promise.all([containers.stop(id, { timeoutSeconds: 0 }), other.stop(id, { timeoutSeconds: 0 })])
      await containers.stop(id)
      await Promise.all([containers.remove(id), other.remove(id).catch(() => {})])
      expect(containers.list({ all: true })).toEqual([])
    })

    test("wait() ends with Cancelled when its signal is aborted, whatever it waits for", async () => {
      const { containers } = store
      await running("awaited")
      await containers.create(options(FOREVER, { name: "idle" }))
      for (const [waited, condition] of [
        ["awaited", "not-running"],
        ["idle", "next-exit"],
        ["idle", "removed"],
      ] as const) {
        const abort = new AbortController()
        const code = codeOf(containers.wait(waited, { condition, signal: abort.signal }))
        setTimeout(() => abort.abort(), 20)
        expect(await code).toBe("Cancelled")
      }
    })

    test("stop() that waits ends with Cancelled when it is aborted, and has sent its signal", async () => {
      const { containers, other } = store
      await running("stubborn", ["sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"])
      const abort = new AbortController()
      const code = codeOf(containers.stop("stubborn", { timeoutSeconds: -1, abort: abort.signal }))
      setTimeout(() => abort.abort(), 20)
      expect(await code).toBe("Cancelled")
      expect(await codeOf(containers.start("stubborn", { abort: AbortSignal.abort() }))).toBe("none")
      await other.kill("stubborn", "KILL")
    })

    test("a call that is cancelled before it begins changes nothing", async () => {
      const { containers } = store
      const { id } = await running("still")
      const created = await containers.execs.create(id, execRequest("true"))
      const abort = AbortSignal.abort()
      const exported = async () => {
        for await (const _ of containers.export(id, { abort })) expect("a byte").toBe("none")
      }
      const calls = {
        pause: () => containers.pause(id, { abort }),
        commit: () => containers.commit(id, { name: "never:1", abort }),
        export: exported,
        top: () => containers.top(id, [], { abort }),
        size: () => containers.size(id, { abort }),
        "execs.run": () => containers.execs.run(id, execRequest("true"), { abort }),
        "execs.start": () => containers.execs.start(created.id, { abort }),
        remove: () => containers.remove(id, { force: true, abort }),
      }
      for (const [call, begin] of Object.entries(calls))
        expect([call, await codeOf(begin())]).toEqual([call, "Cancelled"])
      expect(containers.get(id).state.status).toBe("running")
      expect((await containers.execs.list(id)).map(({ state }) => state.status)).toEqual(["created"])
      const session = await containers.execs.start(created.id)
      session.attachment?.[Symbol.dispose]()
      expect(await session.exited).toBe(0)
    })

    test("a start that is cancelled runs no program: a new container is gone, another as it was", async () => {
      const { containers } = store
      const stop = new AbortController()
      const run = containers.run(options(FOREVER), undefined, { abort: stop.signal, onCreated: () => stop.abort() })
      expect(await codeOf(run)).toBe("Cancelled")
      expect(containers.list({ all: true })).toEqual([])
      const { id } = await containers.create(options(["true"]))
      expect(await codeOf(containers.start(id, { abort: AbortSignal.abort() }))).toBe("Cancelled")
      expect(containers.get(id).state.status).toBe("created")
      expect(await (await containers.start(id)).exited).toBe(0)
    })

    test("a commit that is cancelled makes no image, and the program runs on", async () => {
      const { containers } = store
      const { id } = await running("written", [
        "sh",
        "-c",
        "dd if=/dev/zero of=/big bs=1M count=32; echo done; sleep 1000",
      ])
      const following = new AbortController()
      for await (const { bytes } of containers.logs(id, { follow: true, signal: following.signal }))
        if (Buffer.from(bytes).toString() === "done\n") following.abort()
      const stop = new AbortController()
      const states: string[] = []
      const onProgress = () => {
        states.push(containers.get(id).state.status)
        stop.abort()
      }
      expect(await codeOf(containers.commit(id, { name: "never:1", onProgress, abort: stop.signal }))).toBe("Cancelled")
      expect(states[0]).toBe("paused")
      expect(containers.get(id).state.status).toBe("running")
      expect(await codeOf(containers.create(options(FOREVER, { image: "never:1" })))).toBe("NotFound")
    })

    test("maintain() writes down an end that nobody did", async () => {
      const { containers, other } = store
      const { id } = await running("left")
      const { state } = containers.get(id)
      // as if its monitor was killed, and the program after it
      if (state.status === "running") for (const pid of [state.monitorPid, state.pid]) process.kill(pid, "SIGKILL")
      await eventually(async () => other.get(id).state.status === "exited")
      await other.maintain()
      expect(other.get(id).state).toMatchObject({ status: "exited", exitCode: 255 })
      await containers.start(id).then((started) => started.release())
    })

    test("wait() for the next exit waits for a start, and for the removal until it is gone", async () => {
      const { containers, other } = store
      const { id } = await containers.create(options(["sh", "-c", "exit 4"]))
      const next = other.wait(id, { condition: "next-exit" })
      const removed = other.wait(id, { condition: "removed" })
      await (
        await containers.start(id)
      ).exited
      expect(await next).toBe(4)
      await containers.remove(id)
      expect(await removed).toBe(4)
    })

    test("logs() follows to the end of the container, or of the signal", async () => {
      const { containers } = store
      await running("spoken", ["sh", "-c", "echo one; read line; echo two"])
      const abort = new AbortController()
      const lines: string[] = []
      for await (const { bytes } of containers.logs("spoken", { follow: true, signal: abort.signal })) {
        lines.push(Buffer.from(bytes).toString())
        abort.abort()
      }
      expect(lines[0]).toBe("one\n")
    })

    test("an exec has an id and a record, from its create to its exit code", async () => {
      const { containers, other } = store
      const { id: containerId } = await running("host")
      const created = await containers.execs.create("host", execRequest("sh", "-c", UNTIL_GO))
      expect(created).toMatchObject({ containerId, state: { status: "created" } })
      const started = await containers.execs.start(created.id)
      expect((await other.execs.get(created.id)).state.status).toBe("running")
      const go = await containers.execs.run("host", execRequest("touch", "/go"))
      expect(await go.exited).toBe(0)
      expect(await outputOf(started.attachment)).toBe("out\n")
      expect(await started.exited).toBe(7)
      expect(await other.execs.get(created.id)).toMatchObject({
        request: { command: ["sh", "-c", UNTIL_GO] },
        state: { status: "exited", exitCode: 7 },
      })
      expect(await codeOf(containers.execs.start(created.id))).toBe("FailedPrecondition")
      await containers.execs.resize(created.id, { rows: 10, columns: 10 })
      expect(await codeOf(containers.execs.get("nosuch"))).toBe("NotFound")
    })

    test("the end of a detached exec is written down though nobody is there", async () => {
      const { containers } = store
      await running("host")
      const session = await containers.execs.run("host", execRequest("sh", "-c", "exit 5"), { detach: true })
      session.release()
      await eventually(async () => (await containers.execs.get(session.exec.id)).state.status === "exited")
      expect((await containers.execs.get(session.exec.id)).state).toEqual({ status: "exited", exitCode: 5 })
    })

    test("an exec that cannot be run says so, and its record too", async () => {
      const { containers } = store
      await running("host")
      const { id } = await containers.execs.create("host", execRequest("nosuchprogram"))
      expect(await codeOf(containers.execs.start(id))).toBe("InvalidArgument")
      expect((await containers.execs.get(id)).state).toEqual({ status: "exited", exitCode: 127 })
      expect(await codeOf(containers.execs.run("host", execRequest()))).toBe("InvalidArgument")
    })

    test("execs are listed in order, end with their container, and go with it", async () => {
      const { containers } = store
      await running("host")
      const { exec: first } = await containers.execs.run("host", execRequest(...FOREVER))
      const second = await containers.execs.create("host", execRequest("true"))
      expect((await containers.execs.list("host")).map(({ id }) => id)).toEqual([first.id, second.id])
      expect((await containers.inspect("host")).runningExecs).toEqual([first.id])
      await containers.stop("host", { timeoutSeconds: 0 })
      expect((await containers.execs.get(first.id)).state).toEqual({ status: "exited", exitCode: 137 })
      await containers.remove("host")
      expect(await codeOf(containers.execs.get(first.id))).toBe("NotFound")
    })

    test("a container has its networks in order, with an endpoint while it runs", async () => {
      const { containers } = store
      const bridge = { network: { kind: "bridge", name: "bridge" }, address: undefined } as const
      await containers.create(options(FOREVER, { name: "attached", ...bridge }))
      expect(containers.get("attached").attachments).toEqual([{ network: "bridge" }])
      const started = await containers.start("attached")
      const [attachment] = started.container.attachments
      expect(attachment?.endpoint).toMatchObject({ interface: "eth0", address: expect.stringMatching(/^\d+\./) })
      started.release()
      await containers.stop("attached", { timeoutSeconds: 0 })
      // its address is asked for again by the next start
      const lastAddress = attachment?.endpoint?.address
      expect(containers.get("attached").attachments).toEqual([{ network: "bridge", lastAddress }])
    })
  })
}
