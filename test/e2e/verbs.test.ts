/** Flags of single commands that docker's and podman's users know: logs of several, exec, top, port, commit, events, volumes, globals. */
import { afterEach, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { outcomeOf } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { spawn } from "node:child_process"

const skiff = openStore()
const path = (name: string) => join(skiff.directory, name)

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force", "--volumes")
})

const sleeper = (name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--name", name, ...flags, "busybox", "sleep", "1000")

/** Whole command lines in a shell, which opens descriptors. */
const shell = (script: string) => {
  const [program = "", ...words] = [...user.prefix, "sh", "-c", script, ...skiff.command([]).slice(user.prefix.length)]
  return outcomeOf(spawn(program, words, { env: skiff.env, cwd: skiff.directory }))
}

describe("logs", () => {
  test("of several containers come in the order of their times, with ids or names before the lines", async () => {
    const start = (name: string, script: string) =>
      skiff.ok("run", "-d", "--name", name, "-v", "turns:/v", "busybox", "sh", "-c", script)
    const one = await start("one", "echo first; touch /v/a; until [ -e /v/b ]; do sleep 0.05; done; echo third")
    await start("two", "until [ -e /v/a ]; do sleep 0.05; done; echo second; touch /v/b")
    await skiff.ok("wait", "one", "two")
    expect(await skiff.ok("logs", "--names", "two", "one")).toBe("one first\ntwo second\none third")
    expect((await skiff.ok("logs", "one", "two")).split("\n")[0]).toBe(`${one.slice(0, 12)} first`)
    expect(await skiff.ok("logs", "--names", "--follow", "--latest")).toBe("two second")
    expect(await skiff.ok("logs", "--color", "--names", "two")).toBe("\x1b[34mtwo\x1b[0m second")
    await skiff.ok("rm", "one", "two")
    await skiff.ok("volume", "rm", "turns")
  })

  test("--details shows labels and variables that the log options name", async () => {
    const words = ["--log-opt", "labels=tier", "--log-opt", "env=MODE", "--label", "tier=front", "-e", "MODE=fast"]
    await skiff.ok("run", "--name", "told", ...words, "busybox", "echo", "hello")
    expect(await skiff.ok("logs", "--details", "told")).toBe("MODE=fast,tier=front hello")
  })
})

describe("exec", () => {
  test("finds its container by --latest and --cidfile", async () => {
    const file = path("exec-id")
    writeFileSync(file, await sleeper("host"))
    chmodSync(file, 0o644)
    expect(await skiff.ok("exec", "--latest", "echo", "a")).toBe("a")
    expect(await skiff.ok("exec", "--cidfile", file, "echo", "b")).toBe("b")
  })

  test("--no-session leaves no trace in the events", async () => {
    await sleeper("quiet")
    expect(await skiff.ok("exec", "--no-session", "quiet", "echo", "hidden")).toBe("hidden")
    expect((await skiff.run(["exec", "--no-session", "quiet", "sh", "-c", "exit 4"])).code).toBe(4)
    await skiff.ok("exec", "quiet", "echo", "seen")
    const events = await skiff.ok("events", "--stream=false", "--filter", "container=quiet", "--format", "{{.Action}}")
    expect(events).toContain("exec_create: echo seen")
    expect(events).not.toContain("hidden")
    expect((await skiff.run(["exec", "-d", "--no-session", "quiet", "true"])).code).toBe(125)
  })

  test("passes descriptors on under their numbers, and refuses one that is not open", async () => {
    await sleeper("handed")
    const { stdout, stderr } = await shell(
      'exec 3<<X 5<<Y\nthree\nX\nfive\nY\n"$0" exec --preserve-fd 3,5 handed sh -c "cat <&3 <&5; cat <&3"',
    )
    expect([stdout, stderr]).toEqual(["five\nthree\n", expect.not.stringContaining("descriptor")])
    const refused = await skiff.run(["exec", "--preserve-fds", "40", "handed", "true"])
    expect(refused).toMatchObject({ code: 125, stderr: expect.stringContaining("is not available") })
  })
})

test("run passes descriptors on, too", async () => {
  const { stdout, stderr } = await shell(
    'exec 3<<X\nhanded\nX\n"$0" run --rm --preserve-fds 1 busybox cat /proc/self/fd/3',
  )
  expect([stdout, stderr]).toEqual(["handed\n", expect.not.stringContaining("descriptor")])
})

test("top knows the descriptors of podman and the options of ps", async () => {
  await skiff.ok("run", "-d", "--name", "busy", "--user", "65534", "--cap-drop", "all", "busybox", "sleep", "1000")
  const [titles, row] = (await skiff.ok("top", "busy", "pid", "huser,user", "seccomp", "capeff", "%a")).split("\n")
  expect(titles?.split(/ {2,}/)).toEqual(["PID", "HUSER", "USER", "SECCOMP", "EFFECTIVE CAPS", "COMMAND"])
  expect(row).toMatch(/^1 .* filter +none +sleep 1000$/)
  expect(await skiff.ok("top", "busy", "-eo", "pid,comm")).toMatch(/^PID +COMMAND\n\d+ +sleep$/)
  const podman = await skiff.run(["top", "busy"], { env: { SKIFF_COMPAT: "podman" } })
  expect(podman.stdout).toMatch(/^USER +PID +PPID +%CPU +ELAPSED +TTY +TIME +COMMAND\n\S+ +1 +0 /)
})

test("port --all shows every running container's", async () => {
  const started = await skiff.run(["run", "-d", "-p", "127.0.0.1:34517:80", "busybox", "sleep", "1000"])
  // an ordinary user's ports are pasta's, which needs an interface of the host
  if (started.stderr.includes("no network interface")) return
  const id = started.stdout.trim()
  expect(await skiff.ok("port", "--all")).toBe(`${id.slice(0, 12)}\t80/tcp -> 127.0.0.1:34517`)
  expect(await skiff.ok("port", "--latest")).toBe("80/tcp -> 127.0.0.1:34517")
})

test("commit takes run parameters from a file, and volumes from the container", async () => {
  await skiff.ok("create", "--name", "kept", "-v", "/data", "busybox", "true")
  writeFileSync(
    path("config.json"),
    JSON.stringify({ Cmd: ["echo", "merged"], Labels: { from: "file" }, Volumes: null }),
  )
  chmodSync(path("config.json"), 0o644)
  await skiff.ok("commit", "--config", path("config.json"), "--include-volumes", "kept", "kept:1")
  const format = "{{json .Config.Cmd}} {{.Config.Labels.from}} {{json .Config.Volumes}}"
  expect(await skiff.ok("image", "inspect", "--format", format, "kept:1")).toBe('["echo","merged"] file {"/data":{}}')
  writeFileSync(path("config.json"), '{"Cmd": "echo"}')
  const { code, stderr } = await skiff.run(["commit", "--config", path("config.json"), "kept"])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("Cmd is not a list of texts") })
  await skiff.ok("rmi", "kept:1")
})

test("events --stream=false ends with the last one, --no-trunc=false shortens ids", async () => {
  const id = await skiff.ok("create", "busybox")
  const words = [
    "events",
    "--stream=false",
    "--no-trunc=false",
    "--filter",
    `container=${id}`,
    "--format",
    "{{.ID}} {{.Action}}",
  ]
  expect(await skiff.ok(...words)).toBe(`${id.slice(0, 12)} create`)
})

test("volumes are inspected and removed all at once; --time takes their containers with them", async () => {
  await skiff.ok("volume", "create", "one")
  await skiff.ok("volume", "create", "two")
  expect(JSON.parse(await skiff.ok("volume", "inspect", "--all"))).toHaveLength(2)
  await skiff.ok("run", "-d", "-v", "one:/data", "busybox", "sleep", "1000")
  expect((await skiff.run(["volume", "rm", "one"])).code).toBe(1)
  expect(await skiff.ok("volume", "rm", "--all", "--force", "--time", "0")).toBe("one\ntwo")
  expect(await skiff.ok("ps", "-aq")).toBe("")
})

test("a volume may be a directory of the host, or belong to somebody", async () => {
  mkdirSync(path("home/shared"))
  writeFileSync(path("home/shared/here"), "from the host")
  chownSync(path("home/shared"), user.uid, user.gid)
  const bind = ["-o", "type=none", "-o", "o=bind", "-o", `device=${path("home/shared")}`]
  await skiff.ok("volume", "create", ...bind, "shared")
  expect(await skiff.ok("run", "--rm", "-v", "shared:/data", "busybox", "cat", "/data/here")).toBe("from the host")
  expect(await skiff.ok("volume", "inspect", "-f", "{{.Options.device}}", "shared")).toBe(path("home/shared"))
  await skiff.ok("volume", "rm", "shared")
  expect(existsSync(path("home/shared/here"))).toBe(true)
  await skiff.ok("volume", "create", "--ignore", "--uid", "1234", "--gid", "55", "owned")
  expect(await skiff.ok("run", "--rm", "-v", "owned:/data", "busybox", "stat", "-c", "%u:%g", "/data")).toBe("1234:55")
  await skiff.ok("volume", "rm", "owned")
  const { code, stderr } = await skiff.run(["volume", "create", "-o", "type=nfs", "-o", "o=addr=192.0.2.1"])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("missing device in volume options") })
})

test("volume ls finds those that no container uses, and those without a label", async () => {
  await skiff.ok("volume", "create", "--label", "k=v", "used")
  await skiff.ok("volume", "create", "idle")
  await skiff.ok("create", "-v", "used:/data", "busybox")
  const found = (...filter: string[]) => skiff.ok("volume", "ls", "-q", ...filter.flatMap((one) => ["--filter", one]))
  expect(await found("dangling=true")).toBe("idle")
  expect(await found("dangling=false")).toBe("used")
  expect(await found("label!=k")).toBe("idle")
  expect(await found("until=1h")).toBe("")
  await skiff.ok("rm", "--all")
  await skiff.ok("volume", "rm", "--all")
})

test("the files of a volume go out as a tar, and into another", async () => {
  await skiff.ok(
    "run",
    "--rm",
    "-v",
    "from:/data",
    "busybox",
    "sh",
    "-c",
    "echo kept >/data/file; chown 7:8 /data/file",
  )
  await skiff.ok("volume", "export", "--output", path("home/volume.tar"), "from")
  await skiff.ok("volume", "create", "to")
  await skiff.ok("volume", "import", "to", path("home/volume.tar"))
  const words = ["run", "--rm", "-v", "to:/data", "busybox", "sh", "-c", "cat /data/file; stat -c %u:%g /data/file"]
  expect(await skiff.ok(...words)).toBe("kept\n7:8")
  expect(await skiff.ok("volume", "mount", "to")).toBe(
    await skiff.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "to"),
  )
  expect(await skiff.ok("volume", "unmount", "to")).toBe("to")
  expect((await skiff.run(["volume", "import", "absent", path("home/volume.tar")])).code).toBe(1)
  await skiff.ok("volume", "rm", "from", "to")
})

test("image tree shows the layers, and what ends in them", async () => {
  expect(await skiff.ok("image", "tree", "busybox")).toMatch(
    /Image Layers\n└── ID: [0-9a-f]{12} Size: .*Top Layer of: \[.*busybox/,
  )
  expect(await skiff.ok("image", "tree", "--whatrequires", "busybox")).toContain("Image ID: ")
})

test("unshare --rootless-netns enters the network of an ordinary user's containers", async () => {
  const { code, stdout, stderr } = await skiff.run(["unshare", "--rootless-netns", "readlink", "/proc/self/ns/net"])
  if (!user.rootless) {
    expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringContaining("root has no network namespace") })
    return
  }
  expect(stdout).toMatch(/^net:\[\d+\]\n$/)
  expect(stdout).not.toBe((await skiff.run(["unshare", "readlink", "/proc/self/ns/net"])).stdout)
})

test("buildx knows one builder, which can neither be made nor removed", async () => {
  expect(await skiff.ok("buildx", "ls", "--format", "{{.Name}}")).toBe("default*")
  expect(await skiff.ok("buildx", "inspect", "--bootstrap")).toContain("Driver: skiff")
  await skiff.ok("buildx", "use", "default")
  await skiff.ok("buildx", "rm", "--all-inactive", "--force")
  for (const words of [
    ["create", "--use"],
    ["rm", "default"],
    ["use", "other"],
  ])
    expect([words, (await skiff.run(["buildx", ...words])).code]).toEqual([words, 1])
})

test("container runlabel shows a label, and runs none", async () => {
  await skiff.ok("create", "--name", "labelled", "busybox")
  await skiff.ok("commit", "-c", "LABEL run=touch-the-host", "labelled", "labelled:1")
  expect(await skiff.ok("container", "runlabel", "--display", "run", "labelled:1")).toBe("command: touch-the-host")
  const { code, stderr } = await skiff.run(["container", "runlabel", "run", "labelled:1"])
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is not run on this host") })
  await skiff.ok("rmi", "labelled:1")
})

describe("global flags of docker and podman", () => {
  const harmless = [
    "--context default",
    "--host unix:///var/run/docker.sock",
    "--log-level warning",
    "--storage-driver overlay",
  ]
  test.each(harmless)("%s changes nothing", async (flags) => {
    expect((await skiff.run([...flags.split(" "), "ps"])).code).toBe(0)
  })

  test.each([
    "--host tcp://1.2.3.4",
    "--context other",
    "--tlsverify",
    "--transient-store",
    "--imagestore /x",
    "--module x",
  ])("%s is refused with its reason", async (flags) => {
    const { code, stderr } = await skiff.run([...flags.split(" "), "ps"])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("is not supported: ") })
  })

  test("--out writes results, and programs' output, to a file", async () => {
    const file = path("home/out.txt")
    expect(await skiff.ok("--out", file, "run", "--rm", "busybox", "echo", "aside")).toBe("")
    expect(readFileSync(file, "utf8")).toBe("aside\n")
  })

  test("--runtime-flag reaches the runtime", async () => {
    const { code, stderr } = await skiff.run(["--runtime-flag", "no-such-flag", "run", "--rm", "busybox", "true"])
    expect(code).not.toBe(0)
    // crun says no more than where to look
    expect(stderr).toMatch(/no-such-flag|crun --help/)
  })
})
