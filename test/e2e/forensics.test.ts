/** forensics: one archive of a container at one moment, with a manifest that says what each file of it is. */
import { describe, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

interface Manifest {
  container: { id: string; name: string }
  state: string
  frozenMicroseconds?: number
  notFrozen?: string
  files: { name: string; sizeBytes: number; sha256: string }[]
}

/** Makes the archive and unpacks it; every file of it is as the manifest says. */
async function evidence(name: string, ...flags: string[]): Promise<{ directory: string; manifest: Manifest }> {
  const directory = join(skiff.directory, `evidence-${Bun.randomUUIDv7()}`)
  mkdirSync(directory)
  const words = skiff.command(["forensics", "-o", "-", ...flags, name])
  const { status, stderr } = spawnSync("sh", ["-c", `"$@" | tar -x -C ${directory}`, "sh", ...words], {
    env: skiff.env,
  })
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" })
  const manifest = JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8")) as Manifest
  for (const file of manifest.files) {
    const bytes = readFileSync(join(directory, file.name))
    const sha256 = createHash("sha256").update(bytes).digest("hex")
    expect({ name: file.name, sizeBytes: bytes.length, sha256 }).toEqual(file)
  }
  return { directory, manifest }
}

const names = ({ files }: Manifest) => files.map(({ name }) => name)
const read = (directory: string, name: string) => readFileSync(join(directory, name), "utf8")

describe("of a container that runs", () => {
  test("it tells processes, maps, open files, network, changes, logs; and lets it go on", async () => {
    const script = "echo said; echo changed > /root/mark; exec 7>/tmp/open; sleep 1001 & exec sleep 1002"
    await skiff.ok("run", "-d", "--name", "lives", "-e", "TOKEN=abc", "busybox", "sh", "-c", script)
    await skiff.ok("exec", "lives", "true")
    const { directory, manifest } = await evidence("lives")
    expect(manifest.container.name).toBe("lives")
    expect(manifest.state).toBe("running")
    const rows = JSON.parse(read(directory, "processes.json")) as { pid: number; pidInside: string; words: string[] }[]
    expect(rows.map(({ words }) => words.join(" ")).toSorted()).toEqual(["sleep 1001", "sleep 1002"])
    const first = rows.find(({ pidInside }) => pidInside === "1")
    const at = `processes/${first?.pid}`
    for (const name of ["maps", "environ", "status", "mountinfo", "process.json"])
      expect(names(manifest)).toContain(`${at}/${name}`)
    expect(read(directory, `${at}/maps`)).toContain("[stack]")
    expect(read(directory, `${at}/environ`)).toContain("TOKEN=abc")
    const about = JSON.parse(read(directory, `${at}/process.json`)) as {
      exeSha256: string
      files: { descriptor: number; target: string }[]
    }
    expect(about.files.find(({ descriptor }) => descriptor === 7)?.target).toBe("/tmp/open")
    expect(about.exeSha256).toBe(createHash("sha256").update(readFileSync("/bin/busybox")).digest("hex"))
    expect(read(directory, "network/dev")).toContain("eth0")
    const diff = JSON.parse(read(directory, "diff.json")) as { path: string; kind: string; sha256?: string }[]
    expect(diff.find(({ path }) => path === "/root/mark")).toMatchObject({
      kind: "added",
      sha256: createHash("sha256").update("changed\n").digest("hex"),
    })
    expect(names(manifest).some((name) => name.startsWith("logs/") && read(directory, name).includes("said"))).toBe(
      true,
    )
    expect(read(directory, "events.json")).toContain('"start"')
    expect(JSON.parse(read(directory, "inspect.json"))[0].Name).toBe("/lives")
    expect(manifest.frozenMicroseconds !== undefined || manifest.notFrozen !== undefined).toBe(true)
    if (!user.rootless) expect(manifest.frozenMicroseconds).toBeGreaterThan(0)
    expect(await skiff.ok("inspect", "-f", "{{.State.Status}}", "lives")).toBe("running")
    await skiff.ok("rm", "-f", "lives")
  })
})

test("of one that has ended, with the files that it changed", async () => {
  await skiff.run([
    "run",
    "--name",
    "dead",
    "--network",
    "none",
    "busybox",
    "sh",
    "-c",
    "echo x > /root/x; ln -s /etc/shadow /root/l; mkfifo /root/p; exit 3",
  ])
  const { directory, manifest } = await evidence("dead", "--files")
  expect(manifest).toMatchObject({ state: "exited", notFrozen: "it does not run" })
  expect(names(manifest)).not.toContain("processes.json")
  expect(spawnSync("tar", ["-tf", join(directory, "rootfs-diff.tar")]).stdout.toString()).toContain("root/x")
  const diff = JSON.parse(read(directory, "diff.json")) as { path: string; sha256?: string }[]
  expect(diff.filter(({ sha256 }) => sha256 !== undefined).map(({ path }) => path)).toEqual(["/root/x"])
})

test("without -o it writes a file of its own, for its owner alone; of a paused one, which stays so", async () => {
  await skiff.ok("run", "-d", "--name", "still", "--network", "none", "busybox", "sleep", "1000")
  const canPause = (await skiff.run(["pause", "still"])).code === 0
  const path = await skiff.run(["forensics", "still"], { cwd: skiff.home })
  expect(path.stdout.trim()).toMatch(/^still-[\dT-]+\.forensics\.tar\.zst$/)
  const file = join(skiff.home, path.stdout.trim())
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const manifest = spawnSync("sh", ["-c", `zstd -dc ${file} | tar -xO manifest.json`]).stdout.toString()
  if (canPause) {
    expect(JSON.parse(manifest)).toMatchObject({ state: "paused" })
    expect(await skiff.ok("inspect", "-f", "{{.State.Status}}", "still")).toBe("paused")
  }
  await skiff.ok("rm", "-f", "still")
  expect((await skiff.run(["forensics", "nosuch"])).stderr).toContain("no such container")
})
