/**
 * `skiff scan` of each kind of thing: packages with the layers that brought them, as Trivy's JSON and as a table.
 *
 * One user is enough.
 */
import { afterAll, expect, test } from "bun:test"
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { once } from "node:events"
import { join } from "node:path"
import { built, makeContext } from "../support/build.ts"
import { busyboxEntries } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { Skiff } from "../support/skiff.ts"
import { tar } from "../support/tar.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const registry = await sharedRegistry()
const skiff = new Skiff()
afterAll(() => skiff.close(), 60_000)
const base = registry.push("scan/base:1", { layers: [{ entries: busyboxEntries() }], config: { Env: ["PATH=/bin"] } })

const dpkg = (packages: Record<string, string>) =>
  Object.entries(packages)
    .map(
      ([name, version]) => `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
    )
    .join("\n")
const LODASH = '{"name":"lodash","version":"4.17.0"}'
const FILES = {
  Dockerfile: `FROM ${base}
COPY os-release /etc/os-release
COPY first /var/lib/dpkg/status
COPY second /var/lib/dpkg/status
COPY package.json /app/node_modules/lodash/package.json
`,
  "os-release": "ID=debian\nVERSION_ID=12\n",
  first: dpkg({ libc6: "2.36-9", curl: "8.0-1" }),
  second: dpkg({ libc6: "2.36-9", curl: "8.1-1", nginx: "1.22-1" }),
  "package.json": LODASH,
}

interface Listed {
  Name: string
  Layer?: { DiffID?: string; CreatedBy?: string }
}
const scan = async (...words: string[]) => {
  const text = await skiff.ok("scan", "--format", "json", "--list-all-pkgs", "--scanners", "license", ...words)
  const { Results } = JSON.parse(text) as { Results: { Packages?: Listed[] }[] }
  return new Map(Results.flatMap(({ Packages = [] }) => Packages).map((each) => [each.Name, each]))
}

test("an image, a container and an archive tell which layer brought a package; a directory and an SBOM tell the packages", async () => {
  await built(skiff, FILES, "-t", "scanned:1")
  const found = await scan("scanned:1")
  const createdBy = Object.fromEntries([...found].map(([name, { Layer }]) => [name, Layer?.CreatedBy]))
  expect(createdBy).toEqual({
    libc6: expect.stringContaining("first"),
    curl: expect.stringContaining("second"),
    nginx: expect.stringContaining("second"),
    lodash: expect.stringContaining("package.json"),
  })
  expect(await skiff.ok("scan", "--list-all-pkgs", "--show-layers", "--scanners", "license", "scanned:1")).toMatch(
    /^libc6 +2\.36-9 +3\/5 Dockerfile:3 COPY first/m,
  )
  // warm: the same, and in the archive the same
  expect(await scan("scanned:1")).toEqual(found)
  const archive = join(skiff.home, "scanned.tar")
  await skiff.ok("save", "-o", archive, "scanned:1")
  const archived = await scan("--input", archive)
  expect([...archived].map(([name, { Layer }]) => [name, Layer?.DiffID])).toEqual(
    [...found].map(([name, { Layer }]) => [name, Layer?.DiffID]),
  )

  const upgraded = dpkg({ libc6: "2.36-9", curl: "8.2-1", nginx: "1.22-1" })
  await skiff.ok("create", "--name", "changed", "scanned:1", "true")
  const status = join(skiff.home, "status")
  writeFileSync(status, upgraded)
  await skiff.ok("cp", status, "changed:/var/lib/dpkg/status")
  const changed = await scan("changed")
  expect(changed.get("curl")?.Layer).toEqual({})
  expect(changed.get("libc6")?.Layer).toEqual(found.get("libc6")?.Layer)

  const project = makeContext(skiff, { "node_modules/lodash/package.json": LODASH })
  expect([...(await scan("--dir", project)).keys()]).toEqual(["lodash"])
  const sbom = join(skiff.home, "sbom.json")
  await skiff.ok("scan", "--format", "cyclonedx", "-o", sbom, "scanned:1")
  expect([...(await scan(sbom)).keys()].toSorted()).toEqual(["curl", "libc6", "lodash", "nginx"])
}, 60_000)

test("an image at its registry is read there: nothing is extracted, what is told is the same; several are told one after the other", async () => {
  await built(skiff, FILES, "-t", `${registry.host}/scan/remote:1`)
  await skiff.ok("push", "-q", `${registry.host}/scan/remote:1`)
  const here = await scan(`${registry.host}/scan/remote:1`)
  const tmp = join(skiff.directory, "remote-tmp")
  mkdirSync(tmp)
  chownSync(tmp, user.uid, user.gid)
  const list = ["scan", "--format", "json", "--list-all-pkgs", "--scanners", "license"]
  const { stdout, code } = await skiff.run([...list, `docker://${registry.host}/scan/remote:1`], {
    env: { TMPDIR: tmp },
  })
  expect(code).toBe(0)
  const report = JSON.parse(stdout) as {
    Metadata: { RepoTags: string[]; RepoDigests: string[] }
    Results: { Packages?: Listed[] }[]
  }
  const there = report.Results.flatMap(({ Packages = [] }) => Packages)
  expect(there.map((each) => [each.Name, each.Layer?.DiffID]).toSorted()).toEqual(
    [...here].map(([name, { Layer }]) => [name, Layer?.DiffID]).toSorted(),
  )
  expect(report.Metadata.RepoTags).toEqual([`${registry.host}/scan/remote:1`])
  expect(report.Metadata.RepoDigests).toEqual([
    expect.stringMatching(new RegExp(`^${registry.host}/scan/remote@sha256:[0-9a-f]{64}$`)),
  ])
  expect(readdirSync(tmp)).toEqual([])

  const two = await skiff.run(["scan", "--scanners", "license", "--format", "json", "scan-none:1", base, "scanned:1"])
  expect(two.stderr).toContain("scan-none")
  expect(two.code).not.toBe(0)
  expect(two.stdout.match(/"ArtifactName"/g)).toHaveLength(2)
  expect((await skiff.run(["scan", "--format", "sarif", base, "scanned:1"])).stderr).toContain("is of one thing")
}, 60_000)

/** As `docker save` writes it, with one layer. */
function archiveOf(name: string, files: Parameters<typeof tar>[0]): string {
  const layer = tar(files)
  const digest = new Bun.CryptoHasher("sha256").update(layer).digest("hex")
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  })
  const path = join(skiff.home, name)
  writeFileSync(
    path,
    tar([
      { name: "layer.tar", content: layer },
      { name: "config.json", content: config },
      { name: "manifest.json", content: JSON.stringify([{ Config: "config.json", Layers: ["layer.tar"] }]) },
    ]),
  )
  return path
}

test("a scan ends at once by a signal, and what it leaves goes: by itself, or, where it was killed with its child, by the next", async () => {
  const tmp = join(skiff.directory, "scan-tmp")
  mkdirSync(tmp)
  chownSync(tmp, user.uid, user.gid)
  // some seconds of looking for secrets, in which no event of the process has its turn
  const line = `${"password = aws_secret_access_key = ghp_xoxb-eyJ ".repeat(40)}\n`
  const text = line.repeat(Math.ceil((9 * 2 ** 20) / line.length))
  const slow = (name: string) =>
    archiveOf(
      name,
      Array.from({ length: 8 }, (_, index) => ({ name: `f${index}.txt`, content: text })),
    )
  const env = { TMPDIR: tmp }
  // one is read where it lies; with a colon in its name one comes into a store
  const cases = [
    { path: slow("slow.tar"), signal: "SIGINT", inStore: 0 },
    { path: slow("slow:1.tar"), signal: "SIGTERM", inStore: 1 },
    { path: slow("slow:1.tar"), signal: "SIGINT", inStore: 1 },
  ] as const
  for (const { path, signal, inStore } of cases) {
    const child = skiff.spawn(["scan", "--scanners", "secret,malware", "--input", path], { env })
    child.stdout?.resume()
    child.stderr?.resume()
    if (inStore > 0) await eventually(() => readdirSync(tmp).length === inStore)
    await Bun.sleep(1_500)
    expect(child.exitCode).toBeNull()
    expect(readdirSync(tmp)).toHaveLength(inStore)
    const before = performance.now()
    child.kill(signal)
    await once(child, "exit")
    // far less than the scan would take
    expect(performance.now() - before).toBeLessThan(10_000)
    await eventually(() => readdirSync(tmp).length === 0)
  }
  // as of a process that was killed with all that it had started
  mkdirSync(join(tmp, "skiff-scan-left00/root/layers"), { recursive: true })
  chownSync(join(tmp, "skiff-scan-left00"), user.uid, user.gid)
  chownSync(join(tmp, "skiff-scan-left00/root"), user.uid, user.gid)
  chownSync(join(tmp, "skiff-scan-left00/root/layers"), user.uid, user.gid)
  const small = archiveOf("small:1.tar", [{ name: "f", content: "f" }])
  const { code, stderr } = await skiff.run(["scan", "--scanners", "secret", "--input", small], { env })
  expect([code, stderr]).toEqual([0, ""])
  expect(readdirSync(tmp)).toEqual([])
  for (const { path } of cases) rmSync(path, { force: true })
}, 120_000)
