/** container clone: another container with the options of one that is there. */
import { beforeAll, expect, test } from "bun:test"
import { openStore, noLimits, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
/** An ordinary user's need a network of the host's. */
const PORT = user.rootless ? [] : ["-p", "127.0.0.1:18411:80"]

const FLAGS = [
  "-e",
  "KEY=value",
  "--label",
  "a=b",
  "-v",
  "cloned:/data",
  "-v",
  "/anonymous",
  "--hostname",
  "host1",
  "--tmpfs",
  "/tmp",
]

beforeAll(async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "original",
    ...FLAGS,
    "busybox",
    "sh",
    "-c",
    "echo x > /root/changed; exec sleep 1000",
  )
})

test("has the options of the original, another id and name, and none of its changes", async () => {
  const id = await skiff.ok("container", "clone", "original")
  const [from, to] = await Promise.all([skiff.inspect("original"), skiff.inspect("original-clone")])
  expect(to.Id).toBe(id)
  expect(to.State.Status).toBe("created")
  expect(to.Config.Env.filter((entry) => !entry.startsWith("HOSTNAME"))).toEqual(
    from.Config.Env.filter((entry) => !entry.startsWith("HOSTNAME")),
  )
  for (const key of ["Cmd", "Image", "Hostname"])
    expect({ key, value: to.Config[key] }).toEqual({ key, value: from.Config[key] })
  expect(to.Config.Labels).toMatchObject({ a: "b" })
  const mount = (one: typeof to, at: string) => one.Mounts.find(({ Destination }) => Destination === at)?.Name
  expect(mount(to, "/data")).toBe("cloned")
  expect(mount(to, "/anonymous")).not.toBe(mount(from, "/anonymous"))
  await skiff.ok("container", "clone", "--run", "original", "named")
  expect(await skiff.ok("exec", "named", "hostname")).toBe("host1")
  // a second one without a name finds a free one
  await skiff.ok("container", "clone", "original")
  expect((await skiff.inspect("original-clone1")).Name).toBe("/original-clone1")
  await skiff.ok("rm", "-f", "-v", "original-clone", "original-clone1", "named")
})

testUnless(noLimits)("limits that are given replace the original's, of another image too", async () => {
  await skiff.ok(
    "create",
    "--name",
    "limited",
    "--memory",
    "64m",
    "--cpus",
    "0.5",
    "--pids-limit",
    "50",
    "busybox",
    "true",
  )
  await skiff.ok("tag", "busybox", "other:1")
  await skiff.ok("container", "clone", "--memory", "128m", "--cpu-quota", "20000", "limited", "wider", "other:1")
  const { HostConfig, Config } = await skiff.inspect("wider")
  expect(HostConfig).toMatchObject({ Memory: 128 * 1024 ** 2, CpuQuota: 20_000, NanoCpus: 0, PidsLimit: 50 })
  expect(Config.Image).toBe("other:1")
  await skiff.ok("rm", "limited", "wider")
})

test("--destroy takes the original away, a running one with --force; its name and ports are free then", async () => {
  await skiff.ok("run", "-d", "--name", "served", ...PORT, "busybox", "sleep", "1000")
  const refused = await skiff.run(["container", "clone", "--destroy", "served", "fresh"])
  expect(refused.code).toBe(125)
  expect(refused.stderr).toContain("destroyed by --force only")
  const before = (await skiff.inspect("served")).Id
  const id = await skiff.ok("container", "clone", "--destroy", "--force", "--run", "served", "served")
  const after = await skiff.inspect("served")
  expect({ id: after.Id, running: after.State.Running }).toEqual({ id, running: true })
  expect((await skiff.run(["inspect", before])).code).not.toBe(0)
  if (!user.rootless) expect(after.NetworkSettings.Ports["80/tcp"]?.[0]?.HostPort).toBe("18411")
  await skiff.ok("rm", "-f", "served")
})

test("what cannot be is said", async () => {
  for (const [args, words] of [
    [["nosuch"], /no such container: "nosuch"/],
    [["--force", "original"], /cannot set --force without --destroy/],
    [["original", "original"], /already in use/],
    [["--name", "x1", "original", "x2"], /give the name once/],
    [["original", "new", "no/image:here"], /./],
  ] as const) {
    const { code, stderr } = await skiff.run(["container", "clone", ...args])
    expect({ args, code }).toEqual({ args, code: 125 })
    expect(stderr).toMatch(words)
  }
})
