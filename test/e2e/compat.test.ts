/** Called as podman, docker or buildah, skiff speaks as they do: scripts that look at names, columns, errors and exit codes run on. */
import { beforeAll, describe, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { executable, outcomeOf, type Outcome } from "../support/skiff.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
type Tool = "docker" | "podman" | "buildah"
const as = (tool: Tool, ...args: string[]) => skiff.run(args, { env: { SKIFF_COMPAT: tool } })
const lines = async (tool: Tool, ...args: string[]) => (await as(tool, ...args)).stdout.trimEnd().split("\n")
let made = ""
let up = ""

beforeAll(async () => {
  made = await skiff.ok("create", "--name", "made", "--label", "tier=front", "busybox", "sleep", "1000")
  await skiff.ok("tag", "busybox", "localhost/mine:1")
  up = await skiff.ok("run", "-d", "--name", "up", "busybox", "sleep", "1000")
})

/** By a link of that name. */
function called(name: string, args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const directory = join(skiff.directory, "bin")
  const link = join(directory, name)
  mkdirSync(directory, { recursive: true })
  chmodSync(directory, 0o755)
  if (!existsSync(link)) symlinkSync(executable(), link)
  const [program = "", ...words] = [...user.prefix, link, ...args]
  return outcomeOf(spawn(program, words, { env: { ...skiff.env, ...env }, cwd: skiff.directory }))
}

describe("the name that the executable is called by", () => {
  test("chooses the tool, inside the namespaces of an ordinary user as well", async () => {
    expect(await called("podman", ["stop", "absent"])).toMatchObject({
      code: 125,
      stderr: 'Error: no container with name or ID "absent" found: no such container\n',
    })
    expect(await called("buildah", ["from", "--name", "step", "busybox"])).toMatchObject({ code: 0, stdout: "step\n" })
    expect(await lines("podman", "ps", "--external", "--format", "{{.Names}} {{.Status}}")).toContain("step Storage")
    expect((await as("buildah", "rm", "step")).code).toBe(0)
  })

  test.each(["docker-compose", "podman-compose"])("puts compose before the words of %s", async (name) => {
    expect(await called(name, ["version", "--short"])).toMatchObject({ code: 0, stdout: "2.40.3\n" })
    expect(await called(name, ["--version"], { SKIFF_COMPAT: "skiff" })).toMatchObject({
      code: 0,
      stdout: "Docker Compose version v2.40.3\n",
    })
    // one that runs in the namespaces of an ordinary user
    expect(await called(name, ["-p", "nobody", "ps", "-q"])).toMatchObject({ code: 0, stdout: "" })
  })

  test("yields to SKIFF_COMPAT, which refuses a tool that it does not know", async () => {
    const { stderr } = await called("docker", ["stop", "absent"], { SKIFF_COMPAT: "skiff" })
    expect(stderr).toStartWith("skiff: no such container")
    const wrong = await skiff.run(["ps"], { env: { SKIFF_COMPAT: "nerdctl" } })
    expect(wrong.code).not.toBe(0)
    expect(wrong.stderr).toContain("valid: skiff, docker, podman, buildah")
  })
})

interface Row {
  args: string[]
  podman: [code: number, text: string]
  docker: [code: number, text: string]
}

const absent = 'Error: no container with name or ID "absent" found: no such container\n'
const errors: Row[] = [
  {
    args: ["rm", "absent"],
    podman: [1, 'Error: no container with ID or name "absent" found: no such container\n'],
    docker: [1, "Error response from daemon: No such container: absent\n"],
  },
  {
    args: ["logs", "absent"],
    podman: [125, absent],
    docker: [1, "Error response from daemon: No such container: absent\n"],
  },
  {
    args: ["inspect", "absent"],
    podman: [125, 'Error: no such object: "absent"\n'],
    docker: [1, "Error: No such object: absent\n"],
  },
  {
    args: ["rmi", "absent"],
    podman: [1, "Error: absent: image not known\n"],
    docker: [1, "Error response from daemon: No such image: absent:latest\n"],
  },
  {
    args: ["volume", "rm", "absent"],
    podman: [1, 'Error: no volume with name "absent" found: no such volume\n'],
    docker: [1, "Error response from daemon: get absent: no such volume\n"],
  },
  {
    args: ["exec", "made", "true"],
    podman: [255, "Error: can only create exec sessions on running containers: container state improper\n"],
    docker: [1, "Error response from daemon: container MADE is not running\n"],
  },
  {
    args: ["kill", "made"],
    podman: [125, "Error: can only kill running containers. MADE is in state created: container state improper\n"],
    docker: [1, "Error response from daemon: cannot kill container: made: container MADE is not running\n"],
  },
  {
    args: ["rm", "up"],
    podman: [
      2,
      "Error: cannot remove container UP as it is running - running or paused containers cannot be removed without force: container state improper\n",
    ],
    docker: [1, 'Error response from daemon: cannot remove container "up": container is running'],
  },
  {
    args: ["run", "--name", "up", "busybox"],
    podman: [125, 'Error: creating container storage: the container name "up" is already in use by UP.'],
    docker: [
      125,
      'docker: Error response from daemon: Conflict. The container name "/up" is already in use by container "UP".',
    ],
  },
  {
    args: ["run", "busybox", "/no/such"],
    podman: [127, 'Error: exec: "/no/such"'],
    docker: [127, 'docker: Error response from daemon: exec: "/no/such"'],
  },
  {
    args: ["run", "--nonsense", "busybox"],
    podman: [125, "Error: unknown flag: --nonsense\nSee 'podman run --help'\n"],
    docker: [125, "unknown flag: --nonsense\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n"],
  },
  {
    args: ["exec", "absent", "true"],
    podman: [125, absent],
    docker: [1, "Error response from daemon: No such container: absent\n"],
  },
  {
    args: ["start", "absent"],
    podman: [125, absent],
    docker: [1, "Error response from daemon: No such container: absent\nError: failed to start containers: absent\n"],
  },
  {
    args: ["logs", "--since", "bogus", "up"],
    podman: [125, 'Error: parsing --since "bogus": unable to interpret time value\n'],
    docker: [1, 'invalid value for "since": failed to parse value as time or duration: "bogus"\n'],
  },
  {
    args: ["unpause", "up"],
    podman: [125, `Error: "UP" is not paused, can't unpause: container state improper\n`],
    docker: [1, "Error response from daemon: Container UP is not paused\n"],
  },
  {
    args: ["port", "up", "80"],
    podman: [125, 'Error: failed to find published port "80"\n'],
    docker: [1, "Error: No public port '80' published for up\n"],
  },
  {
    args: ["run", "--env-file", "/no/such", "busybox"],
    podman: [125, 'Error: parsing env file "/no/such": open /no/such: no such file or directory\n'],
    docker: [125, "docker: open /no/such: no such file or directory\n\nRun 'docker run --help'"],
  },
  {
    args: ["inspect", "--format", "{{.Nonsense}}", "up"],
    podman: [125, "can't evaluate field Nonsense"],
    docker: [1, "template parsing error: "],
  },
  {
    args: ["rm"],
    podman: [125, "Error: you must provide at least one name or id\n"],
    docker: [1, "docker: 'docker rm' requires at least 1 argument\n\nUsage:  docker rm [OPTIONS] CONTAINER"],
  },
  {
    args: ["run"],
    podman: [125, "Error: requires at least 1 arg(s), only received 0\n"],
    docker: [1, "docker: 'docker run' requires at least 1 argument\n"],
  },
  {
    args: ["nonsense"],
    podman: [125, "Error: unrecognized command `podman nonsense`\nTry 'podman --help' for more information\n"],
    docker: [1, "docker: unknown command: docker nonsense\n\nRun 'docker --help' for more information\n"],
  },
]

describe.each(["podman", "docker"] as const)("an error of %s", (tool) => {
  test.each(errors.map((row) => [row.args.join(" "), row] as const))("%s", async (_, row) => {
    const [code, text] = row[tool]
    const outcome = await as(tool, ...row.args)
    const stderr = outcome.stderr.replaceAll(made, "MADE").replaceAll(up, "UP")
    expect([outcome.code, stderr]).toEqual([code, expect.stringContaining(text)])
    if (tool === "podman")
      await skiff.run(["rm", "--force", "--filter", "status=created", "--filter", "command=/no/such"])
  })
})

test("podman's letters mean podman's flags", async () => {
  const id = await skiff.ok("create", "busybox")
  expect((await as("docker", "rm", "-l", id)).code).not.toBe(0)
  expect(await as("podman", "rm", "-l")).toMatchObject({ code: 0, stdout: `${id}\n` })
})

test("podman's tables have its columns, its names in full, the oldest first", async () => {
  const [title, ...images] = await lines("podman", "images")
  expect(title).toMatch(/^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/)
  expect(images).toContainEqual(expect.stringMatching(/^localhost\/mine +1 +[0-9a-f]{12}  .* [\d.]+ MB$/))
  const [heading, first] = await lines("podman", "ps", "-a")
  expect(heading).toMatch(/^CONTAINER ID {2}IMAGE +COMMAND +CREATED +STATUS +PORTS {7}NAMES$/)
  expect(first).toStartWith(made.slice(0, 12))
})

test("podman's JSON is one array, with podman's keys", async () => {
  const { stdout } = await as("podman", "ps", "-a", "--format", "json")
  const [first] = JSON.parse(stdout) as Record<string, unknown>[]
  expect(first).toMatchObject({
    Id: made,
    Names: ["made"],
    Command: ["sleep", "1000"],
    Labels: { tier: "front" },
    State: "created",
    Exited: false,
    Pid: 0,
  })
  const images = JSON.parse((await as("podman", "images", "--format", "json")).stdout) as { Names: string[] }[]
  expect(images[0]?.Names).toContain("localhost/mine:1")
  expect(JSON.parse((await as("podman", "network", "ls", "--format", "json")).stdout)).toBeArray()
})

test("inspect says a name without a slash, an id without an algorithm; templates of both tools find their keys", async () => {
  const format = "{{.Name}} {{.ImageName}} {{.State.ConmonPid}} {{.State.Pid}} {{len .EffectiveCaps}} {{.Config.Umask}}"
  const podman = (await as("podman", "inspect", "--format", format, "up")).stdout.trim().split(" ")
  const plain = (await skiff.ok("inspect", "--format", format, "up")).split(" ")
  expect(podman[0]).toBe("up")
  expect(plain[0]).toBe("/up")
  expect(podman.slice(1)).toEqual(plain.slice(1))
  expect(Number(podman[2])).toBeGreaterThan(0)
  expect((await as("podman", "image", "inspect", "--format", "{{.Id}} {{.Digest}}", "busybox")).stdout).toMatch(
    /^[0-9a-f]{64} sha256:[0-9a-f]{64}\n$/,
  )
  expect(await skiff.ok("ps", "--format", "{{.Pid}} {{.Restarts}} {{.PodName}}")).toMatch(/^\d+ 0 ?$/)
})

test("info and version answer the templates of both tools", async () => {
  const podman = await as(
    "podman",
    "info",
    "--format",
    "{{.Host.Security.Rootless}} {{.Store.GraphRoot}} {{.host.arch}}",
  )
  expect(podman.stdout).toStartWith(`${user.rootless} ${skiff.root} `)
  expect(await skiff.ok("info", "--format", "{{.Host.CgroupsVersion}} {{.OSType}}")).toMatch(/^v[12] linux$/)
  expect((await as("podman", "info")).stdout).toContain("\nstore:\n")
  const format = "{{.Client.Version}} {{.Server.Version}}"
  for (const tool of ["podman", "docker"] as const) {
    const [client, server] = (await as(tool, "version", "--format", format)).stdout.trim().split(" ")
    expect(client).toBe(server)
  }
})

test("podman's results are ids without their algorithm, and names in full", async () => {
  const id = (await as("podman", "commit", "made", "localhost/committed:1")).stdout.trim()
  expect(id).toMatch(/^[0-9a-f]{64}$/)
  const archive = join(skiff.home, "committed.tar")
  expect((await as("podman", "save", "-o", archive, "localhost/committed:1")).code).toBe(0)
  const removed = (await as("podman", "rmi", "localhost/committed:1")).stdout
  expect(removed).toBe(`Untagged: localhost/committed:1\nDeleted: ${id}\n`)
  expect((await as("podman", "load", "-i", archive)).stdout).toBe("Loaded image: localhost/committed:1\n")
  const inspected = (await as("podman", "image", "inspect", "--format", "json", "localhost/committed:1")).stdout
  expect(JSON.parse(inspected)).toMatchObject([{ Id: id, RepoTags: ["localhost/committed:1"] }])
  await skiff.ok("rmi", "localhost/committed:1")
})

test("help is in podman's layout, and a group alone is a mistake", async () => {
  const { stdout } = await as("podman", "rm", "--help")
  expect(stdout).toContain("Usage:\n  podman rm [options] CONTAINER [CONTAINER...]\n")
  expect(stdout).toMatch(/^ {2}-l, --latest +Choose/m)
  expect((await as("podman", "--help")).stdout).toMatch(/^Available Commands:\n(?: {2}.*\n)* {2}attach +/m)
  expect((await as("podman", "help", "volume")).stdout).toContain("  podman volume [command]\n")
  const group = await as("podman", "container")
  expect(group).toMatchObject({ code: 125, stderr: "Error: missing command 'podman container COMMAND'\n" })
  expect((await as("docker", "rm", "--help")).stdout).toStartWith("Usage:  docker rm [OPTIONS] CONTAINER")
  expect((await as("podman", "--version")).stdout).toMatch(/^podman version \d/)
})

test("what is made here is localhost's for podman, who makes no volume twice and takes names of one letter", async () => {
  await as("podman", "tag", "busybox", "short:2")
  expect((await as("podman", "images", "--format", "{{.Repository}}:{{.Tag}}")).stdout).toContain("localhost/short:2\n")
  await as("podman", "rmi", "short:2")
  await as("podman", "volume", "create", "once")
  expect(await as("podman", "volume", "create", "once")).toMatchObject({
    code: 125,
    stderr: "Error: volume with name once already exists: volume already exists\n",
  })
  expect((await as("podman", "volume", "create", "--ignore", "once")).code).toBe(0)
  expect((await as("docker", "volume", "create", "once")).code).toBe(0)
  await skiff.ok("volume", "rm", "once")
  expect((await as("podman", "create", "--name", "x", "busybox")).code).toBe(0)
  expect(await as("podman", "rm", "x")).toMatchObject({ code: 0, stdout: "x\n" })
})

test("rmi --force of what is not there is no failure", async () => {
  for (const tool of ["docker", "podman"] as const) expect((await as(tool, "rmi", "-f", "absent")).code).toBe(0)
})

test("podman makes no directory of the host for -v, docker does", async () => {
  const missing = join(skiff.home, "missing")
  expect(await as("podman", "create", "-v", `${missing}:/x`, "busybox")).toMatchObject({
    code: 125,
    stderr: `Error: statfs ${missing}: no such file or directory\n`,
  })
  expect((await as("docker", "create", "-v", `${missing}:/x`, "busybox")).code).toBe(0)
})

test.each([
  [["ps", "extra"], "Error: `podman ps` takes no arguments\n"],
  [["exec", "up"], "Error: must provide a non-empty command to start an exec session: invalid argument\n"],
  [["create", "--name", "b@d", "busybox"], "Error: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument\n"],
  [["create", "--pull", "never", "absent:1"], "Error: absent:1: image not known\n"],
  [["--nonsense", "ps"], "Error: unknown flag: --nonsense\nSee 'podman --help'\n"],
])("podman %p says what podman says", async (args, stderr) => {
  expect(await as("podman", ...args)).toMatchObject({ code: 125, stderr })
})

test("nil lists and maps print empty, and are null in JSON", async () => {
  const format = "{{.Config.Entrypoint}} {{json .Config.Entrypoint}} {{.HostConfig.CapAdd}} {{json .HostConfig.Links}}"
  expect(await skiff.ok("inspect", "--format", format, "up")).toBe("[] null [] null")
})

describe("a program that podman cannot start", () => {
  test.each([
    [["--user", "nobody-here"], 126, "unable to find user nobody-here: no matching entries in passwd file"],
    [["--workdir", "/no/such"], 126, 'workdir "/no/such" does not exist on container '],
    [["--ip", "1.2.3.4"], 126, "requested static ip 1.2.3.4 not in any subnet on network "],
  ])("run %p ends with 126", async (words, code, text) => {
    const outcome = await as("podman", "run", "--rm", ...words, "busybox", "true")
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(text)])
  })

  test("exec ends with 255 where the user is not there, with 127 where the directory is not", async () => {
    expect((await as("podman", "exec", "--user", "nobody-here", "up", "true")).code).toBe(255)
    expect((await as("podman", "exec", "--workdir", "/no/such", "up", "true")).code).toBe(127)
  })
})

test("run does what podman does where docker does otherwise", async () => {
  const run = (...words: string[]) => as("podman", "run", "--rm", ...words)
  expect((await run("--entrypoint", '["echo","a b"]', "busybox", "c")).stdout).toBe("a b c\n")
  expect((await run("--tmpfs", "/x", "busybox", "grep", " /x ", "/proc/mounts")).stdout).not.toContain("noexec")
  const hosts = await run("--name", "mine", "--hostname", "box", "busybox", "cat", "/etc/hosts")
  expect(hosts.stdout).toMatch(/^[\d.]+\thost\.containers\.internal host\.docker\.internal$/m)
  expect(hosts.stdout).toMatch(/^[\d.]+\tbox mine$/m)
  expect((await run("--dns", "none", "busybox", "ls", "/etc/resolv.conf")).code).not.toBe(0)
  // the id is all that there is to see
  expect((await run("-a", "stdin", "busybox", "true")).stdout).toMatch(/^[0-9a-f]{64}\n$/)
  expect((await as("podman", "exec", "-d", "up", "true")).stdout).toMatch(/^[0-9a-f]{64}\n$/)
  // scripts compare standard error
  const refused = await run("-v", `${skiff.home}:/t:ro`, "busybox", "touch", "/t/x")
  expect(refused.stderr).toBe("touch: /t/x: Read-only file system\n")
})

describe("networks in podman's words", () => {
  test("have a domain that is searched, and each container's short id as an alias; the default one is called podman", async () => {
    expect((await as("podman", "network", "create", "words")).stdout).toBe("words\n")
    const id = (await as("podman", "run", "-d", "--name", "named", "--network", "words", "busybox", "sleep", "100"))
      .stdout
    const conf = (await as("podman", "exec", "named", "cat", "/etc/resolv.conf")).stdout
    expect(conf).toMatch(/^search dns\.podman.*\nnameserver /)
    const aliases = '{{(index .NetworkSettings.Networks "words").Aliases}}'
    expect((await as("podman", "inspect", "-f", aliases, "named")).stdout).toBe(`[${id.slice(0, 12)}]\n`)
    await as("podman", "network", "connect", "podman", "named")
    const both = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}"
    expect((await as("podman", "inspect", "-f", both, "named")).stdout.trim().split(" ").toSorted()).toEqual([
      "podman",
      "words",
    ])
    await as("podman", "network", "disconnect", "podman", "named")
    expect((await as("podman", "exec", "named", "cat", "/etc/resolv.conf")).stdout).toBe(conf)
    await as("podman", "rm", "-f", "-t", "0", "named")
    await as("podman", "network", "rm", "words")
  })

  test("refuse a taken port, and tell of ports that a mode does not have, as each tool does", async () => {
    const port = 30_000 + Math.floor(Math.random() * 2_000)
    await as("podman", "run", "-d", "--name", "first", "-p", `127.0.0.1:${port}:80`, "busybox", "sleep", "100")
    const second = await as("podman", "run", "--rm", "-p", `127.0.0.1:${port}:80`, "busybox", "true")
    expect(second.stderr).toContain(`listen tcp 127.0.0.1:${port}: bind: address already in use`)
    await as("podman", "rm", "-f", "-t", "0", "first")
    const ran = (tool: Tool, mode: string) =>
      as(tool, "run", "--rm", "--network", mode, "-p", "80", "busybox", "echo", "x")
    for (const mode of ["host", "none"])
      expect(await ran("podman", mode)).toMatchObject({
        stdout: "x\n",
        stderr: `Port mappings have been discarded because "${mode}" network namespace mode does not support them\n`,
      })
    expect((await ran("docker", "host")).stderr).toBe(
      "WARNING: Published ports are discarded when using host network mode\n",
    )
    expect((await ran("docker", "none")).stderr).toBe("")
  })
})

test("podman finds what is here by the end of its name, and docker does not", async () => {
  await skiff.ok("tag", "busybox", "registry.example/team/app:7")
  expect((await as("podman", "image", "exists", "app:7")).code).toBe(0)
  expect((await as("podman", "run", "--rm", "team/app:7", "echo", "here")).stdout).toBe("here\n")
  expect((await as("podman", "images", "--format", "{{.Repository}}", "app")).stdout).toBe(
    "registry.example/team/app\n",
  )
  expect((await as("docker", "image", "inspect", "app:7")).code).toBe(1)
  await skiff.ok("rmi", "registry.example/team/app:7")
})

test("podman's json template is the whole list, and the fields of a table are columns", async () => {
  const whole = (await as("podman", "ps", "--format", "{{json .}}")).stdout
  expect(JSON.parse(whole)).toBeArray()
  const [heading, row] = await lines("podman", "ps", "--format", "table {{.Names}} {{.State}}")
  expect(heading).toBe("NAMES       STATE")
  expect(row).toBe("up          running")
})

test("what podman is to forget silently it does not tell of", async () => {
  expect(await as("podman", "rmi", "-f", "absent")).toMatchObject({ code: 0, stdout: "", stderr: "" })
  expect(await as("podman", "volume", "rm", "-f", "absent")).toMatchObject({ code: 0, stdout: "", stderr: "" })
  expect((await as("podman", "volume", "ls")).stdout).toBe("")
})

test("podman's push writes to a layout, and its pull reads from there", async () => {
  const layout = join(skiff.home, "layout")
  expect((await as("podman", "push", "-q", "busybox", `oci:${layout}`)).code).toBe(0)
  const id = (await as("podman", "image", "inspect", "--format", "{{.Id}}", "busybox")).stdout
  expect((await as("podman", "pull", "-q", `oci:${layout}`)).stdout).toBe(id)
})

test("an image's changes may be written as KEY=VALUE, and labels of the image are the container's", async () => {
  const id = (await as("podman", "commit", "-q", "-c", "LABEL=made=here", "-c", "CMD=/bin/true", "made", "changed"))
    .stdout
  expect((await as("podman", "create", "--name", "labelled", "--label", "a=b", "changed")).code).toBe(0)
  expect((await as("podman", "ps", "-a", "--filter", "name=labelled", "--format", "{{.Labels}}")).stdout).toContain(
    "made:here",
  )
  expect((await as("docker", "ps", "-a", "--filter", "name=labelled", "--format", '{{.Label "made"}}')).stdout).toBe(
    "here\n",
  )
  await skiff.ok("rm", "labelled")
  await skiff.ok("rmi", id.trim())
})

test("podman's events have its statuses", async () => {
  await as("podman", "run", "--rm", "--name", "told", "busybox", "true")
  const told = ["events", "--stream=false", "--filter", "container=told"]
  const { stdout } = await as("podman", ...told, "--format", "{{.Type}} {{.Status}} {{.Name}}")
  const own = stdout.split("\n").filter((line) => line.startsWith("container ") && !line.includes("attach"))
  expect(own).toEqual(["create", "init", "start", "died", "cleanup", "remove"].map((one) => `container ${one} told`))
  // each tool's templates find their keys, whoever is asked
  const last = async (tool: Tool, format: string) => (await lines(tool, ...told, "--format", format)).at(-1)
  expect(await last("podman", "{{.Action}} {{.Scope}}")).toBe("remove local")
  expect(await last("docker", "{{.Action}} {{.Name}} {{.Image}}")).toBe("destroy told busybox")
  expect((await as("podman", ...told, "--filter", "status=died", "--format", "{{.Status}}")).stdout).toBe("died\n")
  const died = (await as("podman", ...told, "--filter", "event=died", "--format", "json")).stdout
  expect(JSON.parse(died)).toMatchObject({ Status: "died", Name: "told", ContainerExitCode: 0 })
})

const config = async (format: string) => (await lines("podman", "inspect", "--format", format, "checked"))[0]

test("podman's update says what a health check is made of, and templates print its times", async () => {
  await as("podman", "run", "-d", "--name", "checked", "busybox", "sleep", "1000")
  const alone = await as("podman", "update", "--health-interval=10s", "checked")
  expect(alone).toMatchObject({ code: 125, stderr: "Error: healthcheck command is not set\n" })
  const flags = [
    "--health-cmd=echo hi",
    "--health-interval=90s",
    "--health-on-failure=stop",
    "--health-max-log-count=7",
  ]
  expect((await as("podman", "update", ...flags, "--health-startup-cmd=true", "checked")).code).toBe(0)
  expect(await config("{{.Config.Healthcheck.Test}} {{.Config.Healthcheck.Interval}}")).toBe(
    "[CMD-SHELL echo hi] 1m30s",
  )
  expect(await config("{{json .Config.Healthcheck.Interval}}")).toBe("90000000000")
  expect(await config("{{.Config.HealthcheckOnFailureAction}} {{.Config.HealthMaxLogCount}}")).toBe("stop 7")
  expect(await config("{{.Config.HealthLogDestination}} {{.Config.StartupHealthCheck.Test}}")).toBe(
    "local [CMD-SHELL true]",
  )
  expect((await as("podman", "update", "--health-on-failure=none", "checked")).code).toBe(0)
  expect((await as("podman", "update", "--no-healthcheck", "checked")).code).toBe(0)
  expect(await config("{{.Config.HealthcheckOnFailureAction}} {{.Config.StartupHealthCheck}}")).toBe("none <nil>")
  // what runs next is bounded as the container is now
  expect((await as("podman", "update", "--ulimit", "nofile=99:99", "checked")).code).toBe(0)
  expect((await as("podman", "exec", "checked", "sh", "-c", "ulimit -n")).stdout).toBe("99\n")
  await as("podman", "rm", "-f", "-t0", "checked")
})

test.each([
  [["run", "--cpu-quota=1", "--cpus=2", "busybox"], "--cpu-quota and --cpus cannot be set together"],
  [["run", "--no-hosts", "--add-host=a:1.1.1.1", "busybox"], "--no-hosts and --add-host cannot be set together"],
  [["container", "cleanup", "--all", "--exec=x"], "--all and --exec cannot be set together"],
  [["container", "cleanup", "--exec=x", "--rmi", "y"], "--exec and --rmi cannot be set together"],
  [["pull", "--platform=x", "--arch=y", "z"], "--platform option can not be specified with --arch or --os"],
  [["run", "--device-read-bps=/dev/zero:1mb", "busybox"], "/dev/zero: not a block device"],
])("podman refuses %j", async (args, text) => {
  expect(await as("podman", ...args)).toMatchObject({ code: 125, stderr: `Error: ${text}\n` })
})

test("podman tags with several names, takes PREFIX* of the environment, and a whole image by its root", async () => {
  expect((await as("podman", "tag", "busybox", "one:1", "two:2")).code).toBe(0)
  expect((await as("podman", "untag", "busybox", "one:1", "two:2")).code).toBe(0)
  const env = { SKIFF_COMPAT: "podman", MARK: "a", MARK_TWO: "b" }
  const shown = await skiff.run(["run", "--rm", "--env", "MARK*", "busybox", "env"], { env })
  expect(shown.stdout).toMatch(/^MARK=a\nMARK_TWO=b$/m)
  const mount = "type=image,src=busybox,dst=/im,subpath=/bin"
  expect((await as("podman", "run", "--rm", "--mount", mount, "busybox", "ls", "/im")).stdout).toContain("busybox")
})

async function build(file: string, ...flags: string[]): Promise<Outcome> {
  const directory = join(skiff.directory, `context-${Math.random().toString(36).slice(2)}`)
  mkdirSync(directory)
  writeFileSync(join(directory, "Containerfile"), file)
  chmodSync(directory, 0o755)
  return as("podman", "build", ...flags, directory)
}

describe("a build of podman", () => {
  test("is told step by step, on standard output, with the image's id last", async () => {
    const file = `FROM busybox\nRUN echo first-${Date.now()}\nWORKDIR /w\n`
    const first = await build(file, "-t", "stepped")
    expect(first.code).toBe(0)
    expect(first.stdout).toMatch(
      /^STEP 1\/3: FROM \S*busybox\S*\nSTEP 2\/3: RUN echo first-\d+\nfirst-\d+\nSTEP 3\/3: WORKDIR \/w\nCOMMIT stepped\n--> [0-9a-f]{12}\nSuccessfully tagged localhost\/stepped:latest\n[0-9a-f]{64}\n$/,
    )
    expect((await build(file, "-t", "stepped")).stdout).toContain("--> Using cache")
    expect((await build(file, "--layers=false")).stdout).not.toContain("Using cache")
    // what RUN is held to decides what it may have written down
    expect((await build(file, "--ulimit", "nofile=101:102")).stdout).toContain("\nfirst-")
    const stages = await build("FROM busybox AS a\nRUN echo a > /a\nFROM busybox\nCOPY --from=a /a /a\n")
    expect(stages.stdout).toContain("[2/2] STEP 2/2: COPY --from=a /a /a")
    expect((await build(file, "-q")).stdout).toMatch(/^[0-9a-f]{64}\n$/)
    await as("podman", "rmi", "-f", "stepped")
  })

  test("ends with the code of the step that failed, and says which it was", async () => {
    const failed = await build("FROM busybox\nRUN exit 5\n")
    expect(failed.code).toBe(5)
    expect(failed.stderr).toEndWith('Error: building at STEP "RUN exit 5": while running runtime: exit status 5\n')
    const missing = await build("FROM no.such.host/image:1\n", "--pull=never")
    expect(missing).toMatchObject({ code: 125 })
    expect(missing.stderr).toContain("Error: creating build container: no.such.host/image:1: image not known")
    const none = await build("FROM busybox\n", "-f", "Other")
    expect(none.stderr).toContain("Other: no such file or directory")
    const unread = await build("FROM busybox\n", "--authfile", "/no/such/file")
    expect(unread).toMatchObject({ code: 125, stderr: expect.stringContaining("/no/such/file: no such file") })
  })
})

test("podman's artifacts say when they were made; an action on failure needs a check", async () => {
  const file = join(skiff.directory, "kept.txt")
  writeFileSync(file, "kept")
  chmodSync(file, 0o644)
  await as("podman", "artifact", "add", "localhost/made", file)
  const format = '{{index .Manifest.Annotations "org.opencontainers.image.created"}} {{len .Manifest.Layers}}'
  const { stdout } = await as("podman", "artifact", "inspect", "--format", format, "localhost/made")
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z 1\n$/)
  await as("podman", "artifact", "rm", "localhost/made")
  expect(await as("podman", "create", "--health-on-failure=kill", "busybox")).toMatchObject({
    code: 125,
    stderr: "Error: cannot set on-failure action to kill without a health check\n",
  })
})

test("podman tells of what is missing, pauses and prunes in its own words", async () => {
  const container = 'no container with name or ID "absent" found: no such container'
  for (const [args, text] of [
    [["rm", "absent"], 'no container with ID or name "absent" found: no such container'],
    [["container", "inspect", "absent"], 'no such container "absent"'],
    [["pod", "inspect", "absent"], "no such pod absent"],
    [["secret", "inspect", "absent"], 'inspecting secret: no secret with name or id "absent": no such secret'],
    [
      ["stats", "--no-stream", "absent"],
      `unable to get list of containers: unable to look up container absent: ${container}`,
    ],
    [["healthcheck", "run", "absent"], `unable to look up absent to perform a health check: ${container}`],
    [["kube", "play", "/no/such.yaml"], "open /no/such.yaml: no such file or directory"],
  ] as const)
    expect((await as("podman", ...args)).stderr).toEndWith(`Error: ${text}\n`)
  expect((await as("podman", "ps", "--sort", "x")).stderr).toBe(
    'Error: invalid argument "x" for "--sort" flag: "x" is not a valid value.  Choose from: "command, created, id, image, names, runningfor, size, status"\nSee \'podman ps --help\'\n',
  )
  const [pod] = await lines("podman", "pod", "create", "--name", "told")
  await as("podman", "run", "-d", "--pod", "told", "busybox", "sleep", "1000")
  expect(await lines("podman", "pod", "kill", "told")).toEqual([pod ?? ""])
  expect((await as("podman", "pod", "rm", "-f", "-t0", "told")).code).toBe(0)
  const [ended] = await lines("podman", "create", "busybox", "true")
  expect((await as("podman", "container", "prune", "-f", "--filter", "label=nobody")).stdout).toBe("")
  expect((await as("podman", "rm", ended ?? "")).code).toBe(0)
})

test("podman goes on without the terminal that was asked for, and shows an open port's keys in order", async () => {
  const run = await as("podman", "run", "-it", "--rm", "busybox", "tty")
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining("/dev/pts/") as string })
  expect(run.stderr).toContain(
    "The input device is not a TTY. The --tty and --interactive flags might not work properly",
  )
  const words = ["--name", "open", "-p", "81", "-p", "80", "--expose", "79", "busybox", "sleep", "1000"]
  expect((await as("podman", "run", "-d", ...words)).code).toBe(0)
  const [ports = "{}"] = await lines(
    "podman",
    "inspect",
    "-f",
    "{{json .NetworkSettings.Ports}} {{.State.Healthcheck}}",
    "open",
  )
  expect(await lines("podman", "ps", "--filter", "name=open", "--format", "{{.Ports}}")).toEqual([
    expect.stringMatching(/^0\.0\.0\.0:\d+->80\/tcp, 0\.0\.0\.0:\d+->81\/tcp, 79\/tcp$/) as string,
  ])
  expect(ports).toMatch(/^\{"79\/tcp":null,"80\/tcp":\[.*"81\/tcp":.* <nil>$/)
  await as("podman", "rm", "-f", "-t0", "open")
})
