/** The audit log: who changed what, in a chain that shows each change of itself. */
import { afterEach, expect, test } from "bun:test"
import { join } from "node:path"
import { Database } from "bun:sqlite"
import { Skiff } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

interface Row {
  Seq: string
  Uid: string
  LoginUid: string
  Command: string
  Flags: string
  Action: string
  Subject: string
  Image: string
  ImageDigest: string
  Result: string
  Hash: string
}

async function log(since = 0): Promise<Row[]> {
  const text = await skiff.ok("audit", "log", "--format", "json")
  const rows = text.split("\n").filter(Boolean)
  return rows.map((line) => JSON.parse(line) as Row).filter(({ Seq }) => Number(Seq) > since)
}

const lastSeq = async () => Number((await log()).at(-1)?.Seq ?? 0)

/** Writes to the records behind skiff's back. */
function tamper(...statements: string[]): void {
  using db = new Database(join(skiff.root, "skiff.db"))
  for (const statement of statements) db.run(statement)
}

test("each change is one row, with who made it, by which command, of which image", async () => {
  const before = await lastSeq()
  await skiff.ok("run", "-d", "--name", "web", "--memory", "64m", "busybox", "sleep", "1000").catch(() =>
    // an ordinary user may have no limits here
    skiff.ok("run", "-d", "--name", "web", "busybox", "sleep", "1000"),
  )
  await skiff.ok("exec", "web", "sh", "-c", "echo word-of-a-program")
  await skiff.ok("rename", "web", "other")
  await skiff.ok("rm", "-f", "other")
  const rows = await log(before)
  // the default network is made by whoever needs it first
  const ofContainers = rows.filter(({ Action, Result }) => Action.startsWith("container") && Result === "done")
  expect(ofContainers.map(({ Action }) => Action)).toEqual([
    "container create",
    "container start",
    "container exec_start",
    "container rename",
    "container destroy",
  ])
  const [create] = ofContainers
  expect(create).toMatchObject({ Command: "run", Subject: "web", Image: "busybox", Uid: String(user.uid) })
  expect(create?.Flags).toContain("--detach=true")
  expect(create?.ImageDigest).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect((await skiff.run(["audit", "verify"])).code).toBe(0)
})

test("no value of a variable, no secret and no word of a program is written, not even of what is refused", async () => {
  const secret = "s3cr3t-value"
  await skiff.ok(
    "run",
    "--rm",
    "-e",
    `A=${secret}`,
    "--env",
    `B=${secret}`,
    "--label",
    `c=${secret}`,
    "busybox",
    "echo",
    secret,
  )
  await skiff.run(["run", "--rm", "-e", `=${secret}`, "busybox"])
  await skiff.run(["run", "--rm", "--health-cmd", secret, "--name", "?", "busybox", secret])
  await skiff.run(["run", "--rm", "--entrypoint", secret, "busybox"])
  await skiff.run(["build", `https://me:${secret}@127.0.0.1:1/x.git`])
  await skiff.run(["build", "--build-context", `other=https://me:${secret}@127.0.0.1:1/x.git`, "/nowhere"])
  await skiff.run(["secret", "create", "name", "-"], { stdin: secret })
  using db = new Database(join(skiff.root, "skiff.db"), { readonly: true })
  const texts = db.query("SELECT entry FROM audit").all() as { entry: string }[]
  expect(texts.length).toBeGreaterThan(3)
  expect(texts.filter(({ entry }) => entry.includes(secret))).toEqual([])
  await skiff.run(["secret", "rm", "name"])
})

test("what is refused is written down with the error's code", async () => {
  const before = await lastSeq()
  await skiff.run(["rm", "nobody"])
  await skiff.run(["run", "--network", "nowhere", "busybox"])
  const rows = await log(before)
  expect(rows.map(({ Command, Result }) => [Command, Result])).toContainEqual(["run", "NotFound"])
})

test("verify finds a change, a removal, an insertion and a cut, each by its row", async () => {
  for (let round = 0; round < 4; round++) await skiff.ok("tag", "busybox", `again:${round}`)
  const last = await lastSeq()
  using saved = new Database(join(skiff.root, "skiff.db"))
  const rows = saved.query("SELECT * FROM audit").all() as { seq: number; entry: string; hash: string }[]
  const restore = () => {
    tamper("DELETE FROM audit")
    const insert = saved.query("INSERT INTO audit (seq, entry, hash) VALUES (?, ?, ?)")
    for (const { seq, entry, hash } of rows) insert.run(seq, entry, hash)
    saved.run("UPDATE sqlite_sequence SET seq = ? WHERE name = 'audit'", [last])
  }
  const middle = last - 2
  const cases: [string, string[]][] = [
    [`row ${middle}: changed`, [`UPDATE audit SET entry = replace(entry, 'tag', 'gat') WHERE seq = ${middle}`]],
    [`row ${middle}: missing`, [`DELETE FROM audit WHERE seq = ${middle}`]],
    [`row ${last}: cut off`, [`DELETE FROM audit WHERE seq = ${last}`]],
    [
      `row ${middle}: changed`,
      // moved up by one, with another put in its place
      [
        `UPDATE audit SET seq = -seq WHERE seq >= ${middle}`,
        `UPDATE audit SET seq = 1 - seq WHERE seq < 0`,
        `INSERT INTO audit SELECT ${middle}, entry, hash FROM audit WHERE seq = ${middle - 1}`,
      ],
    ],
  ]
  for (const [fault, statements] of cases) {
    tamper(...statements)
    const { code, stderr } = await skiff.run(["audit", "verify"])
    expect(code).toBe(1)
    expect(stderr).toContain(fault)
    restore()
    expect((await skiff.run(["audit", "verify"])).code).toBe(0)
  }
})

test("a log that was made anew as a whole is not the one whose head was noted down", async () => {
  const head = (await skiff.ok("audit", "verify")).split("head: ")[1] ?? ""
  expect(head).toMatch(/^[0-9a-f]{64}$/)
  await skiff.ok("tag", "busybox", "more:1")
  expect((await skiff.run(["audit", "verify", "--head", head])).code).toBe(0)
  using other = { skiff: new Skiff(), [Symbol.dispose]: () => {} }
  await other.skiff.ok("images")
  const { code, stderr } = await other.skiff.run(["audit", "verify", "--head", head])
  expect(code).toBe(1)
  expect(stderr).toContain("not the noted head")
  await other.skiff.close()
})

test("whoever is killed in a change has written neither the change nor its row", async () => {
  const before = await lastSeq()
  await skiff.run(["create", "--name", "half", "busybox"], { env: { SKIFF_CRASH_AT: "create:locked" } })
  expect(await log(before)).toEqual([])
  await skiff.run(["create", "--name", "half", "busybox"], { env: { SKIFF_CRASH_AT: "create:recorded" } })
  expect((await log(before)).map(({ Action }) => Action)).toEqual(["container create"])
  expect((await skiff.run(["audit", "verify"])).code).toBe(0)
})
