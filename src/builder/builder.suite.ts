/** What every implementation of `WorkingContainers` must do (builder.ts). */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Images } from "../image/image.ts"
import { removeTreeSync } from "../sys/fs/remove-tree.ts"
import type { ConfigChanges, WorkingContainers, WorkingCopy, WorkingRun } from "./builder.ts"

/** A store with an image `base` that has busybox, and its working containers. */
export interface BuilderStore extends AsyncDisposable {
  working: WorkingContainers
  images: Images
}

const FROM = { pull: "never", access: {} } as const

const COPY: WorkingCopy = {
  sources: [],
  target: undefined,
  exclude: [],
  unpack: false,
  digest: false,
  addHistory: false,
}

const COMMIT = { squash: false, omitHistory: false, unsetEnv: [] } as const

/** A `configure()` that leaves all as it is. */
export const NO_CHANGES: ConfigChanges = {
  about: {},
  config: {},
  env: [],
  labels: [],
  annotations: [],
  ports: [],
  volumes: [],
  osFeatures: [],
  onBuild: [],
  addHistory: false,
}

export function builderSuite(name: string, openStore: () => Promise<BuilderStore>, skip: string | undefined): void {
  if (skip !== undefined) console.warn(`skipped: working containers of ${name}: ${skip}`)
  describe.skipIf(skip !== undefined)(`working containers: ${name}`, () => {
    let store: BuilderStore
    let host: string
    beforeAll(async () => {
      store = await openStore()
      host = mkdtempSync(join(tmpdir(), "skiff-builder-"))
      writeFileSync(join(host, "a.txt"), "a\n")
    })
    afterAll(async () => {
      removeTreeSync(host)
      await store[Symbol.asyncDispose]()
    })

    /** Runs a shell line; gives what it prints. */
    async function run(nameOrId: string, line: string, part: Partial<WorkingRun> = {}): Promise<string> {
      let text = ""
      await store.working.run(nameOrId, {
        argv: ["/bin/sh", "-c", line],
        env: [],
        mounts: [],
        network: "none",
        addHistory: false,
        onLog: (_, bytes) => void (text += Buffer.from(bytes).toString()),
        ...part,
      })
      return text
    }

    test("from() names a container after its image, and lists it until remove()", async () => {
      const first = await store.working.from("base", FROM)
      const second = await store.working.from("base", FROM)
      expect(first.name).toBe("base-working-container")
      expect(second.name).not.toBe(first.name)
      expect(store.working.list().map(({ id }) => id)).toEqual([first.id, second.id])
      expect(store.working.get(first.id.slice(0, 12)).name).toBe(first.name)
      for (const { id } of [first, second]) await store.working.remove(id)
      expect(store.working.list()).toEqual([])
      expect(() => store.working.get(first.id)).toThrow(first.id)
    })

    test("from() refuses a name that is taken, and an image that is not here when it may not pull", async () => {
      const { id } = await store.working.from("base", { ...FROM, name: "taken" })
      await expect(store.working.from("base", { ...FROM, name: "taken" })).rejects.toMatchObject({
        code: "AlreadyExists",
      })
      await expect(store.working.from("no-such-image", FROM)).rejects.toMatchObject({ code: "NotFound" })
      expect(store.working.list()).toHaveLength(1)
      await store.working.remove(id)
    })

    test("what run() and copy() change is in the image that commit() makes, and in no other", async () => {
      const { id, imageId } = await store.working.from("base", FROM)
      await run(id, "echo made > /made")
      await store.working.copy(id, { ...COPY, sources: [join(host, "a.txt")], target: "/copied/" })
      const image = await store.working.commit(id, { ...COMMIT, name: "localhost/committed" })
      expect(image.id).not.toBe(imageId)
      const again = await store.working.from("localhost/committed", FROM)
      expect(await run(again.id, "cat /made /copied/a.txt")).toBe("made\na\n")
      const other = await store.working.from("base", FROM)
      await expect(run(other.id, "cat /made")).rejects.toMatchObject({ code: "FailedPrecondition" })
      for (const each of [id, again.id, other.id]) await store.working.remove(each)
    })

    test("run() of a program that fails tells its exit code, and leaves the container", async () => {
      const { id } = await store.working.from("base", FROM)
      await expect(run(id, "exit 7")).rejects.toMatchObject({ data: { programExit: 7 } })
      expect(await run(id, "echo on")).toBe("on\n")
      await store.working.remove(id)
    })

    test("copy() gives a digest of names and contents, refuses what is not there, and changes nothing then", async () => {
      const { id } = await store.working.from("base", FROM)
      const copy = { ...COPY, sources: [join(host, "a.txt")], target: "/t", digest: true }
      const digest = await store.working.copy(id, copy)
      expect(digest).toMatch(/^[0-9a-f]{64}$/)
      expect(await store.working.copy(id, copy)).toBe(digest)
      await expect(store.working.copy(id, { ...copy, sources: [join(host, "none")] })).rejects.toMatchObject({
        code: "NotFound",
      })
      expect(await run(id, "cat /t")).toBe("a\n")
      await store.working.remove(id)
    })

    test("configure() changes what it names and keeps the rest", async () => {
      const { id } = await store.working.from("base", FROM)
      await store.working.configure(id, {
        ...NO_CHANGES,
        env: [["A", "1"]],
        labels: [["l", "x"]],
        config: { User: "1" },
      })
      await store.working.configure(id, { ...NO_CHANGES, env: [["B", "$A"]] })
      const { config } = store.working.get(id).workingImage
      expect(config.Env).toEqual(expect.arrayContaining(["A=1", "B=1"]))
      expect(config).toMatchObject({ Labels: { l: "x" }, User: "1" })
      await store.working.configure(id, { ...NO_CHANGES, env: [["-", undefined]] })
      expect(store.working.get(id).workingImage.config.Env ?? []).toEqual([])
      const image = await store.working.commit(id, COMMIT)
      expect((await store.images.config(image)).config).toMatchObject({ Labels: { l: "x" }, User: "1" })
      await store.working.remove(id)
    })

    test("a change that is cancelled before its turn has changed nothing", async () => {
      await store.working.from("base", { ...FROM, name: "busy" })
      const stop = new AbortController()
      const running = new AbortController()
      const later = Promise.withResolvers<PromiseSettledResult<unknown>[]>()
      const busy = run("busy", "echo on; sleep 1000", {
        signal: running.signal,
        onLog: () => {
          const { signal } = stop
          const calls = [
            store.working.configure("busy", { ...NO_CHANGES, labels: [["never", "x"]] }, { signal }),
            store.working.mount("busy", { signal }),
            store.working.copy("busy", { ...COPY, sources: [join(host, "a.txt")], target: "/never", signal }),
            store.working.commit("busy", { ...COMMIT, name: "never:1", signal }),
            store.working.remove("busy", { signal }),
          ]
          later.resolve(Promise.allSettled(calls))
          setImmediate(() => stop.abort())
        },
      })
      busy.catch(() => {})
      const outcomes = await later.promise
      expect(outcomes).toEqual(
        outcomes.map(() => ({ status: "rejected", reason: expect.objectContaining({ code: "Cancelled" }) })),
      )
      running.abort()
      await expect(busy).rejects.toMatchObject({ code: "Cancelled" })
      expect(store.working.get("busy").workingImage.config.Labels ?? {}).toEqual({})
      expect(await run("busy", "ls /never || echo none")).toContain("none")
      expect(store.images.find("never:1")).toBeUndefined()
      await store.working.remove("busy")
    })

    test("mount() shows the files until unmount(); both may be repeated", async () => {
      const { id } = await store.working.from("base", FROM)
      const path = await store.working.mount(id)
      expect(await store.working.mount(id)).toBe(path)
      writeFileSync(join(path, "written"), "by the host\n")
      expect(await run(id, "cat /written")).toBe("by the host\n")
      expect(readFileSync(join(path, "written"), "utf8")).toBe("by the host\n")
      expect(store.working.get(id).mountPoint).toBe(path)
      await store.working.unmount(id)
      await store.working.unmount(id)
      expect(existsSync(join(path, "written"))).toBe(false)
      expect(store.working.get(id).mountPoint).toBeUndefined()
      await store.working.remove(id)
    })

    test("a mounted container can be removed, and rename() refuses a name that is taken", async () => {
      const one = await store.working.from("base", { ...FROM, name: "one" })
      const two = await store.working.from("base", { ...FROM, name: "two" })
      expect(() => store.working.rename(one.id, "two")).toThrow("two")
      store.working.rename(one.id, "three")
      expect(store.working.get("three").id).toBe(one.id)
      const path = await store.working.mount(two.id)
      await store.working.remove(two.id)
      expect(existsSync(path)).toBe(false)
      await store.working.remove("three")
    })
  })
}
