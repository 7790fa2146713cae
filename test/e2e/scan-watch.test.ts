/** `scan --watch`: running containers are scanned again when there are other data; what is new is told, and becomes events. */
import { afterAll, expect, test } from "bun:test"
import type { ChildProcess } from "node:child_process"
import { chownSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { boltFile } from "../support/bolt-writer.ts"
import { built } from "../support/build.ts"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const registry = await sharedRegistry()
const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)
const base = registry.push("scan/watched:1", {
  layers: [{ entries: busyboxEntries() }],
  config: { Env: ["PATH=/bin"] },
})

/** Trivy's database, with these CVEs of glibc. */
async function importData(...ids: string[]): Promise<void> {
  const path = join(skiff.home, "trivy.db")
  const advisories = Object.fromEntries(ids.map((id) => [id, JSON.stringify({ FixedVersion: "2.36-10" })]))
  writeFileSync(
    path,
    boltFile({
      "debian 12": { glibc: advisories },
      vulnerability: Object.fromEntries(ids.map((id) => [id, JSON.stringify({ Severity: "HIGH" })])),
    }),
  )
  chownSync(path, user.uid, user.gid)
  await skiff.ok("scan", "db", "import", path)
}

/** One that has begun to watch. */
async function watching(): Promise<ChildProcess> {
  const child = skiff.spawn(["scan", "--watch"])
  let said = ""
  child.stderr?.on("data", (chunk: Buffer) => (said += String(chunk)))
  await eventually(() => said.includes("watching"))
  return child
}

const events = async () =>
  await skiff.ok("events", "--stream=false", "--filter", "event=vulnerability", "--filter", "event=scan")

test("what becomes known of a running container is told, also when nobody looks on, until the watch is ended", async () => {
  const files = {
    Dockerfile: `FROM ${base}\nCOPY os-release /etc/os-release\nCOPY status /var/lib/dpkg/status\n`,
    "os-release": "ID=debian\nVERSION_ID=12\n",
    status: "Package: libc6\nStatus: install ok installed\nSource: glibc\nArchitecture: amd64\nVersion: 2.36-9\n",
  }
  await built(skiff, files, "-t", "watched:1")
  expect((await skiff.run(["scan", "--watch"])).stderr).toContain("there is no vulnerability database")
  await importData("CVE-2024-1")
  await skiff.ok("run", "-d", "--name", "web", "--network", "none", "watched:1", "sleep", "1000")
  await skiff.ok("create", "--name", "still", "--network", "none", "watched:1", "true")

  const watch = skiff.spawn(["scan", "--watch"])
  let told = ""
  watch.stdout?.on("data", (chunk: Buffer) => (told += String(chunk)))
  await eventually(() => told.includes("container scan"), 30_000)
  expect(told).toMatch(/high=1.*name=web/)
  await importData("CVE-2024-1", "CVE-2024-2")
  await eventually(() => told.includes("CVE-2024-2"), 30_000)
  expect(told).toContain("web: high CVE-2024-2 in libc6 2.36-9, fixed in 2.36-10")
  watch.kill("SIGINT")
  await eventually(() => watch.exitCode !== null || watch.signalCode !== null)

  await importData("CVE-2024-2", "CVE-2024-3")
  await eventually(async () => (await events()).includes("CVE-2024-3"), 60_000)
  expect((await events()).match(/vulnerability=CVE/g)).toHaveLength(2)

  const another = await watching()
  await skiff.ok("scan", "--watch=false")
  await eventually(() => another.exitCode === 0, 30_000)
  await importData("CVE-2024-4")
  await skiff.ok("rm", "-f", "web", "still")
  expect(await events()).not.toContain("CVE-2024-4")

  // who watches does not keep a store from being removed
  const last = await watching()
  await skiff.ok("system", "reset", "--force")
  await eventually(() => last.exitCode !== null, 30_000)
}, 180_000)
