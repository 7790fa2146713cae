/** What every implementation of `Sandboxes` must do. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, statSync } from "node:fs"
import { isSkiffError, type ErrorCode } from "../base/errors.ts"
import type { Sandbox, SandboxOptions, Sandboxes } from "./sandbox.ts"

export interface SandboxStore extends AsyncDisposable {
  sandboxes: Sandboxes
  /** The same store, as another process has it. */
  other: Sandboxes
  /** Says that a container uses the sandbox, from now on. */
  use(id: string): Promise<AsyncDisposable>
}

export const sandboxOptions = (name: string, part: Partial<SandboxOptions> = {}): SandboxOptions => ({
  name,
  hostname: name,
  labels: {},
  sharePid: false,
  networks: [],
  ports: [],
  shmSizeBytes: 1024 * 1024,
  ...part,
})

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | "none"> {
  try {
    await work
    return "none"
  } catch (error) {
    if (!isSkiffError(error)) throw error
    return error.code
  }
}

/** Inodes name namespaces (namespaces(7)). */
function inodesOf({ state }: Sandbox): number[] {
  if (state.status !== "ready") return []
  return Object.values(state.namespaces).map((path) => statSync(path).ino)
}

export function sandboxSuite(
  name: string,
  open: () => Promise<SandboxStore>,
  { skip }: { skip: string | false },
): void {
  if (skip !== false) console.log(`sandbox suite of ${name} skipped: ${skip}`)

  describe.skipIf(skip !== false)(`sandbox contract: ${name}`, () => {
    let store: SandboxStore
    beforeAll(async () => void (store = await open()))
    afterAll(async () => await store?.[Symbol.asyncDispose]())
    afterEach(async () => {
      for (const { id } of store.sandboxes.list()) await store.sandboxes.remove(id)
    })

    test("a sandbox is ready when it is made, with namespaces of its own, and any process sees it so", async () => {
      const { sandboxes, other } = store
      const made = await sandboxes.create(sandboxOptions("one", { labels: { a: "b" } }))
      const inodes = inodesOf(made)
      expect(inodes.length).toBe(3)
      const own = new Set(["net", "ipc", "uts"].map((kind) => statSync(`/proc/self/ns/${kind}`).ino))
      expect(inodes.filter((inode) => own.has(inode))).toEqual([])
      expect(inodesOf(other.get("one"))).toEqual(inodes)
      expect(other.get(made.id.slice(0, 12)).id).toBe(made.id)
      expect(other.list({ label: ["a=b"] }).map(({ id }) => id)).toEqual([made.id])
      expect(other.list({ label: ["a=c"] })).toEqual([])
    })

    test("stop lets go of the namespaces, start makes others, both may be repeated", async () => {
      const { sandboxes, other } = store
      const made = await sandboxes.create(sandboxOptions("again"))
      await other.stop("again")
      await sandboxes.stop("again")
      expect(sandboxes.get("again").state).toEqual({ status: "stopped" })
      if (made.state.status === "ready") expect(existsSync(made.state.namespaces.network ?? "")).toBe(false)
      const started = await sandboxes.start("again")
      expect(started.state.status).toBe("ready")
      expect(inodesOf(await other.start("again"))).toEqual(inodesOf(started))
    })

    test("a pid namespace is shared when it is asked for, and ends with the sandbox", async () => {
      const { sandboxes } = store
      const { state } = await sandboxes.create(sandboxOptions("pids", { sharePid: true }))
      const path = state.status === "ready" ? (state.namespaces.pid ?? "") : ""
      expect(statSync(path).ino).not.toBe(statSync("/proc/self/ns/pid").ino)
      await sandboxes.stop("pids")
      expect(existsSync(path)).toBe(false)
    })

    test("it shares what it was asked to, and of a pod that begins stopped only the record is made", async () => {
      const { sandboxes, other } = store
      const id = "ab".repeat(32) as Sandbox["id"]
      const part = { shares: ["ipc"] } as const
      const made = await sandboxes.create(sandboxOptions("later", part), { start: false, id })
      expect([made.id, made.state.status, made.startedAt]).toEqual([id, "stopped", undefined])
      const { state, startedAt } = await other.start("later")
      expect(state.status === "ready" && Object.keys(state.namespaces)).toEqual(["ipc"])
      expect(startedAt?.getTime()).toBeGreaterThan(Date.now() - 60_000)
      await sandboxes.stop("later", { unless: () => true })
      expect(sandboxes.get("later").state.status).toBe("ready")
      await sandboxes.stop("later", { unless: () => false })
      expect(sandboxes.get("later")).toMatchObject({ state: { status: "stopped" }, startedAt })
    })

    test("changes at the same time come one after the other: whoever starts it has the namespaces that there are", async () => {
      const { sandboxes, other } = store
      const { id } = await sandboxes.create(sandboxOptions("busy"), { start: false })
      const started = await Promise.all([sandboxes, other, sandboxes, other].map((one) => one.start(id)))
      expect(new Set(started.map((one) => inodesOf(one).join())).size).toBe(1)
      await Promise.all([sandboxes.stop(id), other.start(id), sandboxes.stop(id), other.stop(id)])
      const { state } = await other.start(id)
      expect(state.status).toBe("ready")
    })

    test("a name can be had once; what is not there is NotFound; one that is used stays", async () => {
      const { sandboxes } = store
      const { id } = await sandboxes.create(sandboxOptions("taken"))
      expect(await codeOf(sandboxes.create(sandboxOptions("taken")))).toBe("AlreadyExists")
      expect(await codeOf(sandboxes.create(sandboxOptions("../bad")))).toBe("InvalidArgument")
      expect(await codeOf(sandboxes.create(sandboxOptions("lost", { networks: [{ network: "nosuch" }] })))).toBe(
        "NotFound",
      )
      expect(sandboxes.list().map((one) => one.name)).toEqual(["taken"])
      expect(() => sandboxes.get("nosuch")).toThrow("no such sandbox")
      {
        await using _ = await store.use(id)
        expect(await codeOf(sandboxes.remove("taken"))).toBe("FailedPrecondition")
      }
      await sandboxes.remove("taken")
      expect(sandboxes.list()).toEqual([])
    })

    test("what is cancelled before it begins changes nothing", async () => {
      const { sandboxes } = store
      const signal = AbortSignal.abort()
      expect(await codeOf(sandboxes.create(sandboxOptions("never"), { signal }))).toBe("Cancelled")
      expect(sandboxes.list()).toEqual([])
      const { id } = await sandboxes.create(sandboxOptions("kept"))
      for (const call of ["start", "stop", "remove"] as const)
        expect([call, await codeOf(sandboxes[call](id, { signal }))]).toEqual([call, "Cancelled"])
      expect(sandboxes.get(id).state.status).toBe("ready")
    })

    test("it is on its networks, bound to its namespace and to no process", async () => {
      const { sandboxes } = store
      const made = await sandboxes.create(sandboxOptions("net", { networks: [{ network: "bridge" }] }))
      expect(made.endpoints[0]).toMatchObject({ network: "bridge", interface: "eth0" })
      await sandboxes.stop("net")
      expect(sandboxes.get("net").endpoints).toEqual([])
    })

    test("reconcile() leaves what is ready", async () => {
      const { sandboxes, other } = store
      const made = await sandboxes.create(sandboxOptions("kept"))
      await other.reconcile()
      expect(inodesOf(other.get("kept"))).toEqual(inodesOf(made))
    })
  })
}
