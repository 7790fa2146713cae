/** What has containers run at boot, and as units of systemd. */
import { afterEach, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { asRootOnly, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
let count = 0

afterEach(async () => {
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", ...ids)
})

/** The file system of an image with these directories. */
async function newPrefix(...directories: string[]): Promise<string> {
  const prefix = join(skiff.home, `prefix-${count++}`)
  mkdirSync(prefix, { mode: 0o777 })
  spawnSync("chown", ["-R", `${user.uid}`, prefix])
  for (const directory of directories) mkdirSync(join(prefix, directory), { recursive: true })
  return prefix
}

/** What systemd itself has against units; nothing where it is not installed. */
function complaints(name: string, text: string): string {
  const path = join(skiff.directory, name)
  writeFileSync(path, text)
  const { stderr, error } = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" })
  if (error !== undefined) return ""
  return stderr
    .split("\n")
    .filter((line) => line.includes(name))
    .join("\n")
}

test("enable-boot installs a unit of systemd, and disable-boot removes it", async () => {
  const prefix = await newPrefix("usr/lib/systemd/system", "etc", skiff.home)
  spawnSync("chown", ["-R", `${user.uid}`, prefix])
  const said = await skiff.ok("system", "enable-boot", "--prefix", prefix)
  const directory = user.rootless
    ? join(prefix, skiff.home, ".config/systemd/user")
    : join(prefix, "etc/systemd/system")
  const unit = join(directory, "skiff-boot.service")
  const link = join(directory, user.rootless ? "default.target.wants" : "multi-user.target.wants", "skiff-boot.service")
  expect(said).toContain(`wrote ${unit}`)
  expect(said.includes("loginctl enable-linger")).toBe(user.rootless)
  expect(readlinkSync(link)).toBe("../skiff-boot.service")
  const text = readFileSync(unit, "utf8")
  expect(text).toContain("start --all --filter should-start-on-boot=true\n")
  expect(text).toContain("Type=oneshot\nRemainAfterExit=yes\n")
  expect(complaints("skiff-boot.service", text)).toBe("")
  await skiff.ok("system", "enable-boot", "--prefix", prefix)
  expect(await skiff.ok("system", "disable-boot", "--prefix", prefix)).toContain(`removed ${unit}`)
  expect(existsSync(unit) || readdirSync(join(link, "..")).length > 0).toBe(false)
  await skiff.ok("system", "disable-boot", "--prefix", prefix)
})

testUnless(asRootOnly)(
  "enable-boot installs a script where the host has OpenRC, and says so where it has nothing",
  async () => {
    const prefix = await newPrefix("sbin", "etc")
    writeFileSync(join(prefix, "sbin/openrc-run"), "")
    await skiff.ok("system", "enable-boot", "--prefix", prefix)
    const script = readFileSync(join(prefix, "etc/init.d/skiff-boot"), "utf8")
    expect(script).toStartWith("#!/sbin/openrc-run\n")
    expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0)
    expect(readlinkSync(join(prefix, "etc/runlevels/default/skiff-boot"))).toBe("../../init.d/skiff-boot")
    await skiff.ok("system", "disable-boot", "--prefix", prefix)
    expect(existsSync(join(prefix, "etc/init.d/skiff-boot"))).toBe(false)
    const { code, stderr } = await skiff.run(["system", "enable-boot", "--prefix", await newPrefix("etc")])
    expect(code).toBe(1)
    expect(stderr).toContain("neither systemd nor OpenRC nor cron")
  },
)

test("what a boot starts: always, and unless-stopped but for what somebody stopped", async () => {
  for (const [name, policy] of [
    ["one", "always"],
    ["two", "unless-stopped"],
    ["three", "unless-stopped"],
    ["four", "on-failure"],
    ["five", "no"],
  ] as const)
    await skiff.ok("run", "-d", "--name", name, "--restart", policy, "busybox", "sleep", "1000")
  await skiff.ok("stop", "-t", "0", "one", "three")
  const chosen = await skiff.ok("ps", "-a", "--filter", "should-start-on-boot=true", "--format", "{{.Names}}")
  expect(chosen.split("\n").toSorted()).toEqual(["one", "two"])
  await skiff.ok("start", "--all", "--filter", "should-start-on-boot=true")
  expect((await skiff.ok("ps", "--format", "{{.Names}}")).split("\n").toSorted()).toEqual([
    "five",
    "four",
    "one",
    "two",
  ])
})

test("generate systemd: a unit that starts a container, one that makes it, and a template", async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "web",
    "-e",
    "WORD=100% $HOME",
    "--stop-timeout",
    "7",
    "busybox",
    "sleep",
    "1000",
  )
  const plain = await skiff.ok(
    "generate",
    "systemd",
    "--name",
    "--restart-policy",
    "always",
    "--wants",
    "db.service",
    "web",
  )
  expect(plain).toStartWith("# container-web.service\n")
  for (const line of [
    "Wants=db.service",
    "Restart=always",
    "TimeoutStopSec=67",
    "Type=forking",
    "WantedBy=default.target",
  ])
    expect(`${plain}\n`).toContain(`\n${line}\n`)
  expect(plain).toMatch(/\nExecStart=.* start web\nExecStop=.* stop -t 7 web\n/)
  expect(plain).toMatch(/\nPIDFile=\/.*conmon\.pid\n/)
  expect(complaints("container-web.service", `${plain}\n`)).toBe("")
  const made = await skiff.ok("generate", "systemd", "--name", "--new", "--no-header", "web")
  expect(made).toMatch(/\nExecStart=.* run --cidfile=%t\/%n\.ctr-id --sdnotify=conmon -d --replace --rm .*--name web/)
  expect(made).toContain('"WORD=100%% $$HOME"')
  expect(made).toContain("\nType=notify\nNotifyAccess=all\n")
  expect(complaints("new-web.service", `${made}\n`)).toBe("")
  expect(await skiff.ok("generate", "systemd", "--template", "web")).toContain("--name web-%i")
})
