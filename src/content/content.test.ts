import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { testAsRoot } from "../../test/support/as-root.ts"
import { createHash } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { parseDigest, type Digest } from "../spec/digest.ts"
import { collectGarbage, type CollectableSnapshots, type Collected } from "./collect.ts"
import type { ContentStore, Leases } from "./content.ts"
import { openLeases } from "./leases.ts"
import { contentSchema } from "./schema.ts"
import { contentSuite } from "./content.suite.ts"
import { openContentStore } from "./open.ts"

let root: string
let db: Database
let store: ContentStore
let leases: Leases

beforeEach(() => {
  root = mkdtempSync("/tmp/skiff-content-")
  db = new Database(join(root, "skiff.db"))
  db.migrate([contentSchema])
  store = openContentStore({ root })
  leases = openLeases({ db })
})
afterEach(() => {
  db[Symbol.dispose]()
  rmSync(root, { recursive: true })
})

const utf8 = (text: string) => Buffer.from(text)
const digestOf = (text: string, algorithm = "sha256") =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(text).digest("hex")}`)

/** Runs `script` in a process of its own, with `store` and `leases` of the same root; gives it once it has printed a line. */
async function inOtherProcess(script: string): Promise<Bun.Subprocess<"ignore", "pipe", "inherit">> {
  const child = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { openContentStore } = await import("${import.meta.dir}/open.ts")
       const { openLeases } = await import("${import.meta.dir}/leases.ts")
       const { Database } = await import("${import.meta.dir}/../base/database.ts")
       const store = openContentStore({ root: "${root}" }), db = new Database("${root}/skiff.db"), leases = openLeases({ db })
       ${script}
       console.log("ready"); await Bun.sleep(60_000)`,
    ],
    { stdout: "pipe", stderr: "inherit" },
  )
  await child.stdout.getReader().read()
  return child
}

contentSuite("a store of a directory", async () => {
  const directory = mkdtempSync("/tmp/skiff-content-")
  return {
    store: openContentStore({ root: directory }),
    [Symbol.asyncDispose]: async () => rmSync(directory, { recursive: true }),
  }
})

describe("on the disk", () => {
  test("directories are closed to other users", () => {
    for (const name of ["blobs", "blobs/sha256", "ingest"]) expect(statSync(join(root, name)).mode & 0o777).toBe(0o700)
  })

  test("a blob and a refused one leave nothing beside them", async () => {
    await store.put(utf8("hello"))
    await using ingest = await store.ingest("t")
    await ingest.write(utf8("hello"))
    await expect(ingest.commit({ digest: digestOf("other"), size: 5 })).rejects.toMatchObject({ code: "DataLoss" })
    expect(readdirSync(join(root, "ingest"))).toEqual([])
  })

  test("a ref may hold anything: it never becomes a path", async () => {
    for (const ref of ["../../escape", "a/b", "x".repeat(5000), ""]) {
      await using ingest = await store.ingest(ref)
      await ingest.write(utf8("x"))
    }
    expect(
      readdirSync(root)
        .toSorted()
        .filter((name) => !name.startsWith("skiff.db")),
    ).toEqual(["blobs", "ingest"])
  })

  test("of a ref that another writes is Unavailable; one that was killed is taken over", async () => {
    const child = await inOtherProcess(
      `const ingest = await store.ingest("t"); await ingest.write(Buffer.from("half "))`,
    )
    await expect(store.ingest("t")).rejects.toMatchObject({ code: "Unavailable" })
    child.kill("SIGKILL")
    await child.exited
    await using ingest = await store.ingest("t")
    expect(ingest.offset).toBe(5)
    await ingest.write(utf8("whole"))
    await ingest.commit({ digest: digestOf("half whole") })
  })

  testAsRoot("a full disk is Unavailable with a hint, and what was whole is kept", async () => {
    const small = join(root, "small")
    mkdirSync(small)
    expect(Bun.spawnSync(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small]).exitCode).toBe(0)
    try {
      const tight = openContentStore({ root: small })
      await using ingest = await tight.ingest("t")
      await ingest.write(Buffer.alloc(512 << 10))
      const failed = ingest.write(Buffer.alloc(1 << 20))
      await expect(failed).rejects.toMatchObject({ code: "Unavailable", hint: { do: "freeSpace" } })
      await using again = await tight.ingest("t")
      expect(again.offset).toBe(512 << 10)
      // another holds it now: it is not ours to give up
      await ingest.discard()
      expect(readdirSync(join(small, "ingest"))).toHaveLength(1)
      await again.discard()
      expect(readdirSync(join(small, "ingest"))).toEqual([])
      await ingest.discard()
    } finally {
      Bun.spawnSync(["umount", "-l", small])
    }
  })
})

/** Snapshots as far as collecting sees them: name → parent. */
function snapshotsOf(all: Map<string, { parent?: string; kind: string; ownerAlive?: boolean }>): CollectableSnapshots {
  return {
    list: () => [...all].map(([name, info]) => Object.assign({ name }, info)),
    forget: (name) => {
      if ([...all.values()].some((info) => info.parent === name)) throw new Error(`${name} has children`)
      all.delete(name)
    },
    sweep: async () => 0,
  }
}
function collect(blobs: Digest[] = [], all = new Map(), snapshots: string[] = []): Promise<Collected> {
  return collectGarbage({
    db,
    root,
    content: store,
    snapshots: snapshotsOf(all),
    referenced: () => ({ blobs, snapshots }),
  })
}

describe("garbage collection", () => {
  test("removes what neither a record nor a lease holds", async () => {
    const [kept, leased, garbage] = await Promise.all(["a", "bb", "ccc"].map((text) => store.put(utf8(text))))
    if (!kept || !leased || !garbage) throw new Error("unreachable")
    await using lease = await leases.open()
    lease.addBlob(leased.digest)
    expect(await collect([kept.digest])).toEqual({ blobs: 1, snapshots: 0, bytes: 3 })
    expect([...store.list()].map(({ digest }) => digest).toSorted()).toEqual([kept.digest, leased.digest].toSorted())
    await lease[Symbol.asyncDispose]()
    expect(await collect([kept.digest])).toMatchObject({ blobs: 1 })
  })

  test("an expired lease holds nothing, nor does one of a killed process", async () => {
    const [one, two] = [await store.put(utf8("one")), await store.put(utf8("two"))]
    await using lease = await leases.open({ expiresInMs: 0 })
    lease.addBlob(one.digest)
    const child = await inOtherProcess(`const lease = await leases.open(); lease.addBlob("${two.digest}")`)
    expect(await collect()).toMatchObject({ blobs: 1 })
    expect(store.has(two.digest)).toBe(true)
    child.kill("SIGKILL")
    await child.exited
    expect(await collect()).toMatchObject({ blobs: 1 })
    expect(db.all("SELECT * FROM leases")).toEqual([])
  })

  test("a lease taken before the look is safe against collectors at any moment", async () => {
    // another process collects all the time; ours makes, looks and refers, as pull does
    const child = await inOtherProcess(`
      const { collectGarbage } = await import("${import.meta.dir}/collect.ts")
      db.exec("CREATE TABLE held (digest TEXT)")
      setInterval(() => collectGarbage({ db, root: "${root}", content: store,
        snapshots: { list: () => [], forget() {}, sweep: async () => 0 },
        referenced: () => ({ blobs: db.all("SELECT digest FROM held").map((row) => row.digest), snapshots: [] }) }), 0)`)
    try {
      for (let n = 0; n < 100; n++) {
        const text = `blob ${n}`
        {
          await using lease = await leases.open()
          lease.addBlob(digestOf(text))
          if (!store.has(digestOf(text))) await store.put(utf8(text))
          db.run("INSERT INTO held VALUES (?)", digestOf(text))
        }
        expect(store.has(digestOf(text))).toBe(true)
      }
      expect([...store.list()].length).toBe(100)
    } finally {
      child.kill("SIGKILL")
      await child.exited
    }
  })

  test("snapshots: keeps what is referred to, leased, active or being staged, and all below; children go first", async () => {
    const all = new Map(
      Object.entries({
        base: { kind: "committed" },
        image: { kind: "committed", parent: "base" },
        old: { kind: "committed", parent: "base" },
        older: { kind: "committed", parent: "old" },
        under: { kind: "committed" },
        container: { kind: "active", parent: "under" },
        leased: { kind: "committed" },
        staging: { kind: "stage", ownerAlive: true },
        left: { kind: "stage", ownerAlive: false },
      }),
    )
    await using lease = await leases.open()
    lease.addSnapshot("leased")
    expect(await collect([], all, ["image"])).toMatchObject({ snapshots: 3 })
    expect([...all.keys()].toSorted()).toEqual(["base", "container", "image", "leased", "staging", "under"])
  })

  test("removes ingests a day old, unless they are being written", async () => {
    const old = new Date(Date.now() - 25 * 60 * 60 * 1000)
    for (const name of ["new", "old"]) writeFileSync(join(root, "ingest", name), "x")
    utimesSync(join(root, "ingest/old"), old, old)
    await using writing = await store.ingest("t")
    for (const name of readdirSync(join(root, "ingest")))
      if (name.length === 64) utimesSync(join(root, "ingest", name), old, old)
    await collect()
    expect(readdirSync(join(root, "ingest")).length).toBe(2)
    expect(readdirSync(join(root, "ingest"))).toContain("new")
    await writing.write(utf8("x"))
  })
})
