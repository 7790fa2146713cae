/** One-offs of a service: what they take of it, what they do not, and how they end. One user is enough. */
import { afterEach, describe, expect, test } from "bun:test"
import { composeProject } from "../support/compose.ts"
import { openStore } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
// of root's and of an ordinary user's tests, which run side by side
const PORT = user.rootless ? 18_482 : 18_382

const YAML = `
services:
  back:
    image: busybox
    command: echo "Hello there!!"
    environment: { COLOUR: red, SHAPE: round }
    labels: { tier: back }
    restart: always
    container_name: fixed
    ports: ["${PORT}:80"]
    depends_on: [db]
    volumes: ["data:/data"]
    networks: { default: { aliases: [other] } }
  db:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; sleep 1000 & wait"
  front:
    image: busybox
    command: sleep 1000
volumes: { data: {} }
`

const open = () => composeProject(skiff, "run-test", YAML)
const names = async () => (await skiff.ok("ps", "-a", "--format", "{{.Names}}")).split("\n").filter(Boolean).toSorted()

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force", "--volumes")
  await skiff.ok("network", "prune", "-f")
  await skiff.ok("volume", "prune", "-a", "-f")
})

describe("compose run", () => {
  test("makes one container beside the service's, after what it depends on, with its words or those given", async () => {
    const project = open()
    const first = await project.run(["run", "back"])
    expect(first.code).toBe(0)
    expect(first.stdout).toBe("Hello there!!\n")
    expect(first.stderr).toContain("Container run-test-db-1  Started")
    expect(first.stderr).not.toContain("orphan")
    const second = await project.run(["run", "--rm", "back", "echo", "again"])
    expect(second.stdout).toBe("again\n")
    expect(second.stderr).toContain("orphan")
    const found = await names()
    expect(found).toEqual([expect.stringMatching(/^run-test-back-run-[0-9a-f]{12}$/), "run-test-db-1"])
    const { Config, HostConfig, State } = await skiff.inspect(found[0] ?? "")
    const { Labels: labels } = Config
    expect(State.Status).toBe("exited")
    expect(labels).toMatchObject({
      "com.docker.compose.project": "run-test",
      "com.docker.compose.service": "back",
      "com.docker.compose.oneoff": "True",
      tier: "back",
    })
    const slug = labels["com.docker.compose.slug"] ?? ""
    expect(slug).toMatch(/^[0-9a-f]{64}$/)
    expect(found[0]).toEndWith(slug.slice(0, 12))
    expect(labels).not.toHaveProperty("com.docker.compose.container-number")
    expect(HostConfig.RestartPolicy).toMatchObject({ Name: "no" })
    expect(await project.all("down", "--remove-orphans")).toContain("-run-")
    expect(await names()).toEqual([])
  })

  test("ends as its program, and with 1 when that cannot be run", async () => {
    const project = open()
    const code = async (...words: string[]) => (await project.run(["run", "--rm", "--no-deps", ...words])).code
    expect(await code("back", "sh", "-c", "exit 7")).toBe(7)
    expect(await code("back", "nosuchprogram")).toBe(1)
    expect(await code("nosuch")).toBe(1)
    expect((await project.run(["run", "--no-deps", "-t", "back"])).stderr).toContain("the input device is not a TTY")
    expect((await project.run(["run", "-t", "-T", "back"])).stderr).toContain(
      "--tty and --no-TTY can't be used together",
    )
    const both = await project.run(["run", "-P", "-p", "1:1", "back"])
    expect(both.stderr).toContain("--service-ports and --publish are incompatible")
    expect((await project.run(["run", "-l", "x", "back"])).stderr).toContain("label must be set as KEY=VALUE")
    expect(await names()).toEqual([])
  })

  test("takes variables, labels, user, directory, mounts and an entrypoint of its own", async () => {
    const project = open()
    project.write("vars", "SHAPE=file\nSIZE=big-$COLOUR\n")
    project.write("src/file", "mounted")
    const flags = [
      "-e",
      "COLOUR=blue",
      "-e",
      "GIVEN",
      "-e",
      "UNSET",
      "--env-from-file",
      "vars",
      "-u",
      "1:1",
      "-w",
      "/tmp",
    ]
    const run = ["run", "--rm", "-T", "--no-deps", ...flags, "-v", "./src:/src:ro", "-v", "extra:/extra"]
    const script =
      "echo $COLOUR $SHAPE $SIZE $GIVEN; env | grep -c UNSET; id -u; pwd; cat /src/file; ls -d /data /extra"
    const { stdout } = await project.run([...run, "--entrypoint", "sh -c", "back", script], { env: { GIVEN: "shell" } })
    expect(stdout).toBe("blue file big-blue shell\n0\n1\n/tmp\nmounted/data\n/extra\n")
    expect((await skiff.ok("volume", "ls", "-q")).split("\n").toSorted()).toEqual(["extra", "run-test_data"])
    await project.ok("run", "-d", "--no-deps", "-l", "a=b", "--name", "mine", "back", "sleep", "1000")
    const { Config } = await skiff.inspect("mine")
    expect(Config.Labels).toMatchObject({ a: "b", tier: "back" })
  })

  test("-d prints the id; ports are the service's with -P, those given with -p, else none", async () => {
    const project = open()
    const started = async (...flags: string[]) => {
      const id = await project.ok("run", "-d", "--no-deps", ...flags, "back", "sleep", "1000")
      const { Id, NetworkSettings } = await skiff.inspect(id)
      expect(Id).toBe(id)
      const ports = NetworkSettings.Ports["80/tcp"]?.map(({ HostPort }) => Number(HostPort)) ?? []
      await skiff.ok("rm", "-f", id)
      return ports
    }
    expect(await started()).toEqual([])
    expect(await started("-P")).toEqual([PORT])
    expect(await started("-p", `${PORT + 1}:80`)).toEqual([PORT + 1])
  })

  test("is not called as its service on networks, unless --use-aliases", async () => {
    const project = open()
    const hidden = await project.ok("run", "-d", "--no-deps", "--name", "plain", "back", "sleep", "1000")
    const asked = (name: string) => project.run(["run", "--rm", "-T", "--no-deps", "front", "nslookup", name])
    expect((await asked("plain")).code).toBe(0)
    expect((await asked("other")).code).not.toBe(0)
    await skiff.ok("rm", "-f", hidden)
    await project.ok("run", "-d", "--no-deps", "--use-aliases", "back", "sleep", "1000")
    expect((await asked("other")).code).toBe(0)
    expect((await asked("back")).code).toBe(0)
  })

  test("reads standard input, and has a terminal on one", async () => {
    const project = open()
    const { stdout } = await project.run(["run", "--rm", "-T", "--no-deps", "back", "cat"], { stdin: "in\n" })
    expect(stdout).toBe("in\n")
    const terminal = openTerminal(skiff, [
      "compose",
      "-f",
      `${project.directory}/compose.yaml`,
      "run",
      "--rm",
      "--no-deps",
      "back",
      "sh",
    ])
    await terminal.sees(/\/ # /, 30_000)
    terminal.type("tty; test -t 1 && echo is-a-terminal\r")
    await terminal.sees(/is-a-terminal\r\n/)
    terminal.type("exit 5\r")
    expect(await terminal.exited).toBe(5)
  })

  test("a dry run makes nothing", async () => {
    const project = open()
    expect((await project.run(["--dry-run", "run", "back"])).stderr).toContain(
      "DRY-RUN MODE -  Container run-test-db-1  Started",
    )
    expect(await names()).toEqual([])
  })
})

const hooked = (postStart: string, preStop: string) => `
services:
  sample:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; sleep 1000 & wait"
    volumes: ["data:/data"]
    post_start: [{ command: ${postStart} }]
    pre_stop: [{ command: ${preStop}, environment: [WORD=stopping], user: "0", working_dir: /data }]
volumes: { data: {} }
`
const script = (text: string) => `["sh", "-c", "${text}"]`
const log = () => skiff.ok("run", "--rm", "-v", "hooks_data:/data", "busybox", "cat", "/data/log")

describe("hooks", () => {
  test("post_start runs after each start, pre_stop before each stop, and what they write is shown", async () => {
    const project = composeProject(
      skiff,
      "hooks",
      hooked(script("echo starting; echo start >> /data/log"), script("echo $$WORD; echo $$WORD >> log")),
    )
    await project.ok("up", "-d")
    expect(await project.all("stop")).toContain("sample-1 ->  | stopping")
    // one that does not run is asked nothing
    expect(await project.all("stop")).not.toContain("stopping")
    expect(await project.all("start")).toContain("sample-1 ->  | starting")
    await project.ok("restart")
    await project.ok("down")
    expect((await log()).split("\n")).toEqual(["start", "stopping", "start", "stopping", "start", "stopping"])
  })

  test("one that fails ends the verb, and nothing is stopped", async () => {
    const project = composeProject(skiff, "hooks", hooked(script("true"), `["nosuchprogram"]`))
    await project.ok("up", "-d")
    for (const verb of ["stop", "restart", "down"]) {
      const { code, stderr } = await project.run([verb])
      expect(`${verb} ${code}`).toBe(`${verb} 1`)
      expect(stderr).toContain("sample hook exited with status 127")
    }
    expect((await skiff.inspect("hooks-sample-1")).State.Running).toBe(true)
    await skiff.ok("stop", "hooks-sample-1")
    await project.ok("down")
    const failing = composeProject(skiff, "hooks", hooked(script("exit 3"), script("true")))
    const { code, stderr } = await failing.run(["up", "-d"])
    expect(code).toBe(1)
    expect(stderr).toContain("sample hook exited with status 3")
  })
})
