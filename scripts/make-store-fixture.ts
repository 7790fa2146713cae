/**
 * Writes a store of the skiff that is built now to test/testdata/stores/N-COMMIT, for test/e2e/old-stores.test.ts. To be run, as root,
 * before the shape of any record changes: `node_modules/.bin/bun scripts/make-store-fixture.ts N-COMMIT`.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { busyboxEntries } from "../test/support/image.ts"
import { tar } from "../test/support/tar.ts"

const [name = ""] = process.argv.slice(2)
if (!/^\d+-[0-9a-f]{7,40}$/.test(name)) throw new Error("usage: make-store-fixture.ts N-COMMIT")
const target = join(import.meta.dir, "../test/testdata/stores", name)
const work = mkdtempSync(join(tmpdir(), "skiff-fixture-"))
const root = join(work, "root")
/** No machine's: so that all that ran has ended with a boot of another. */
const NO_BOOT = "00000000-0000-4000-8000-000000000000"

function skiff(...args: string[]): string {
  const words = ["--root", root, "--runroot", join(work, "run"), ...args]
  const { status, stdout, stderr } = spawnSync(resolve(import.meta.dir, "../dist/skiff"), words, { encoding: "utf8" })
  if (status !== 0 && status !== 7) throw new Error(`skiff ${args.join(" ")}: ${stderr}`)
  return stdout
}

function fill(): void {
  const data = { name: "data/", type: "directory" as const, mode: 0o755 }
  writeFileSync(join(work, "base.tar"), tar([...busyboxEntries(), data, { name: "data/file", content: "hello\n" }]))
  skiff("import", "-c", 'CMD ["sh"]', join(work, "base.tar"), "base")
  mkdirSync(join(work, "context"))
  const lines = ["FROM base", "ENV A=1", "RUN echo built > /built", "VOLUME /vol", 'CMD ["cat","/built"]']
  writeFileSync(join(work, "context/Dockerfile"), `${lines.join("\n")}\n`)
  skiff("build", "-q", "-t", "made", join(work, "context"))
  skiff("create", "--name", "created", "-e", "X=1", "-l", "a=b", "base", "echo", "created")
  const script = "echo out; echo err >&2; cat /data/file; exit 7"
  skiff("run", "--name", "exited", "-v", "named:/data", "made", "sh", "-c", script)
  const ports = ["-p", "18080:80", "--restart", "on-failure:3"]
  skiff("run", "-d", "--name", "running", ...ports, "made", "sleep", "1000")
  skiff("run", "-d", "--name", "autoremoved", "--rm", "base", "sleep", "1000")
  skiff("run", "-d", "--name", "paused", "base", "sleep", "1000")
  skiff("pause", "paused")
  skiff("volume", "create", "--label", "k=v", "vol2")
  skiff("builder", "from", "--name", "work", "base")
}

/** The database as text: tables, their rows, indexes. */
function dump(): string {
  using db = new DatabaseSync(join(root, "skiff.db"))
  const objects = db
    .prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'index'",
    )
    .all()
  const lines = objects.map(({ sql }) => `${String(sql)};`)
  for (const { type, name: table } of objects) {
    if (type !== "table") continue
    const columns = db
      .prepare(`SELECT name FROM pragma_table_info('${String(table)}')`)
      .all()
      .map((row) => String(row.name))
    const values = columns.map((column) => `quote("${column}")`).join(" || ', ' || ")
    for (const row of db.prepare(`SELECT ${values} AS line FROM "${String(table)}"`).all())
      lines.push(`INSERT INTO ${String(table)} VALUES (${String(row.line)});`)
  }
  const version = db.prepare("PRAGMA user_version").get()?.user_version
  const bridge = db.prepare("SELECT bridge FROM networks").get()?.bridge
  return `${lines.join("\n")}\nPRAGMA user_version = ${String(version)};\n`
    .replaceAll(root, "@ROOT@")
    .replaceAll(String(bridge), "@BRIDGE@")
    .replaceAll(bootId(), NO_BOOT)
}

function bootId(): string {
  return spawnSync("cat", ["/proc/sys/kernel/random/boot_id"], { encoding: "utf8" }).stdout.trim()
}

/** All files but the database, and what holds busybox: the test has one of its own. */
function pack(): void {
  for (const layer of readdirSync(join(root, "layers")))
    rmSync(join(root, "layers", layer, "work/work"), { recursive: true, force: true })
  const left = ["./skiff.db*", "./cache", "./layers/1/diff/bin/busybox"].map((path) => `--exclude=${path}`)
  const big = spawnSync("find", ["blobs", "-type", "f", "-size", "+100k", "-printf", "--exclude=./%p\\n"], {
    cwd: root,
    encoding: "utf8",
  })
  const blobs = big.stdout.split("\n").filter(Boolean)
  const words = [
    "--sort=name",
    "--numeric-owner",
    "--mtime=2026-01-01",
    ...left,
    ...blobs,
    "-czf",
    join(target, "files.tar.gz"),
    ".",
  ]
  const { status } = spawnSync("tar", words, { cwd: root, stdio: "inherit" })
  if (status !== 0) throw new Error("tar failed")
}

try {
  fill()
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, "skiff.sql"), dump())
  // dead, not stopped: their records stay as they were written
  pack()
  skiff("unpause", "paused")
} finally {
  skiff("rm", "-f", "-v", "running", "paused", "autoremoved", "created", "exited")
  rmSync(work, { recursive: true, force: true })
}
