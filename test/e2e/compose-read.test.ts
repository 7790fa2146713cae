/** Compose's verbs that look: containers are known by their labels, whoever made them. One user is enough. */
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

/** A container as `up` would make it. */
async function make(
  project: string,
  service: string,
  number: number,
  script: string,
  ...flags: string[]
): Promise<void> {
  const labels = {
    project,
    service,
    "container-number": String(number),
    "config-hash": "0".repeat(64),
    oneoff: "False",
    "project.config_files": `/srv/${project}/compose.yaml`,
    "project.working_dir": `/srv/${project}`,
  }
  const words = Object.entries(labels).flatMap(([key, value]) => ["--label", `com.docker.compose.${key}=${value}`])
  const name = `${project}-${service}-${number}`
  await skiff.ok("run", "-d", "--name", name, ...words, ...flags, "busybox", "sh", "-c", script)
}

const compose = (project: string, ...words: string[]) => skiff.ok("compose", "-p", project, ...words)

test("ps shows the containers of one project by name, with what docker's JSON says of each", async () => {
  await make("look", "web", 2, "sleep 1000")
  await make("look", "web", 1, "sleep 1000", "--expose", "80")
  await make("look", "job", 1, "exit 3")
  await make("other", "web", 1, "sleep 1000")
  await skiff.ok("wait", "look-job-1")
  expect(await compose("look", "ps", "--format", "{{.Name}}")).toBe("look-web-1\nlook-web-2")
  expect(await compose("look", "ps", "--all", "--format", "{{.Name}} {{.Service}} {{.State}} {{.ExitCode}}")).toBe(
    "look-job-1 job exited 3\nlook-web-1 web running 0\nlook-web-2 web running 0",
  )
  expect(await compose("look", "ps")).toMatch(
    /^NAME +IMAGE +COMMAND +SERVICE +CREATED +STATUS +PORTS\nlook-web-1 +busybox +"sh -c 'sleep 1000'|sh -c/,
  )
  const [first] = (await compose("look", "ps", "--format", "json")).split("\n")
  const row = JSON.parse(first ?? "") as Record<string, unknown>
  expect(Object.keys(row).join(" ")).toBe(
    "Command CreatedAt ExitCode Health ID Image Labels LocalVolumes Mounts Name Names Networks Ports Project Publishers RunningFor Service Size State Status",
  )
  expect(row.Publishers).toEqual([{ URL: "", TargetPort: 80, PublishedPort: 0, Protocol: "tcp" }])
  expect(await compose("look", "ps", "--all", "--services")).toBe("job\nweb")
  expect(await compose("look", "ps", "--status", "exited", "--format", "{{.Name}}")).toBe("look-job-1")
  expect(await compose("look", "ps", "--filter", "status=exited", "-q")).toMatch(/^[0-9a-f]{64}$/)
  expect(await compose("look", "ps", "web", "--format", "{{.Project}}")).toBe("look\nlook")
  const refused = await skiff.run(["compose", "-p", "look", "ps", "--filter", "color=red"])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("unknown filter color")])
})

test("ls counts the states of each project", async () => {
  const list = JSON.parse(await skiff.ok("compose", "ls", "--all", "--format", "json")) as object[]
  expect(list).toEqual([
    { Name: "look", Status: "exited(1), running(2)", ConfigFiles: "/srv/look/compose.yaml" },
    { Name: "other", Status: "running(1)", ConfigFiles: "/srv/other/compose.yaml" },
  ])
  expect(await skiff.ok("compose", "ls", "--filter", "name=^ot", "--quiet")).toBe("other")
  expect(await skiff.ok("compose", "ls")).toMatch(/^NAME {16}STATUS {14}CONFIG FILES\nlook {16}running\(2\) /)
})

test("top has a line for each process, with its service and number", async () => {
  const [titles, ...lines] = (await compose("look", "top")).split("\n")
  expect(titles).toMatch(/^SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD$/)
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^web +1 .*sleep 1000$/)
  expect(await compose("look", "top", "job")).toBe("")
})

test("images, stats and volumes look at the project alone", async () => {
  const images = JSON.parse(await compose("look", "images", "--format", "json")) as Record<string, unknown>[]
  expect(images.map(({ ContainerName }) => ContainerName)).toEqual(["look-job-1", "look-web-1", "look-web-2"])
  expect(Object.keys(images[0] ?? {}).join(" ")).toBe("ID ContainerName Repository Tag Platform Size Created")
  expect(await compose("look", "images")).toMatch(
    /^CONTAINER +REPOSITORY +TAG +PLATFORM +IMAGE ID +SIZE +CREATED\nlook-job-1 +\S*busybox +latest +linux\/\w+ /,
  )
  expect((await compose("look", "images", "-q")).split("\n")).toHaveLength(1)
  const stats = await compose("look", "stats", "--no-stream", "--format", "{{.Name}}")
  expect(stats.split("\n").toSorted()).toEqual(["look-web-1", "look-web-2"])
  await skiff.ok("volume", "create", "--label", "com.docker.compose.project=look", "look_data")
  await skiff.ok("volume", "create", "elsewhere")
  expect(await compose("look", "volumes")).toMatch(/^DRIVER +VOLUME NAME\nlocal +look_data$/)
})

test("port gives the host's end, and says which ports there are", async () => {
  await make("look", "door", 1, "sleep 1000", "-p", "127.0.0.1::80", "--expose", "81/udp")
  expect(await compose("look", "port", "door", "80")).toMatch(/^127\.0\.0\.1:\d+$/)
  const none = await skiff.run(["compose", "-p", "look", "port", "door", "90"])
  expect([none.code, none.stderr]).toEqual([
    1,
    expect.stringContaining("no port 90/tcp for container look-door-1: 80/tcp, 81/udp"),
  ])
  const stopped = await skiff.run(["compose", "-p", "look", "port", "--index", "4", "door", "80"])
  expect(stopped.stderr).toContain('service "door" is not running container #4')
})

test("events are those of the project's containers, without compose's own labels", async () => {
  const lines = (await compose("look", "events", "--since", "1h", "--until", "0s", "--json", "job")).split("\n")
  const events = lines.map((line) => JSON.parse(line) as { action: string; service: string; attributes: object })
  expect(events.map(({ action }) => action)).toEqual(expect.arrayContaining(["create", "start", "die"]))
  expect(new Set(events.map(({ service }) => service))).toEqual(new Set(["job"]))
  expect(Object.keys(events[0] ?? {}).join(" ")).toBe("action attributes id service time type")
  expect(lines.join("")).not.toContain("com.docker.compose")
  const child = skiff.spawn(["compose", "-p", "look", "events"])
  let seen = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (seen += text))
  try {
    await eventually(async () => {
      await skiff.ok("restart", "-t", "0", "look-web-2")
      if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} container start [0-9a-f]{64} \(.*name=look-web-2/m.test(seen))
        throw new Error(seen)
    }, 20_000)
  } finally {
    child.kill("SIGINT")
  }
})

const turn = (first: string, rest: string) =>
  `sleep ${first}; for i in 1 2 3; do echo ${rest} $i; sleep 0.4; done; echo bad >&2`

test("logs merges the containers by time, each line behind its name, and keeps the two streams apart", async () => {
  await Promise.all([make("talk", "a", 1, turn("0.2", "one")), make("talk", "longer", 1, turn("0.4", "two"))])
  await Promise.all(["talk-a-1", "talk-longer-1"].map((name) => skiff.ok("wait", name)))
  const { stdout, stderr, code } = await skiff.run(["compose", "-p", "talk", "logs"])
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split("\n")
  expect(lines.toSorted()).toEqual(
    ["one 1", "one 2", "one 3", "two 1", "two 2", "two 3"].map((text) =>
      text.startsWith("one") ? `a-1       | ${text}` : `longer-1  | ${text}`,
    ),
  )
  expect(stderr.trimEnd().split("\n").toSorted()).toEqual(["a-1       | bad", "longer-1  | bad"])
  const stamped = (await compose("talk", "logs", "--timestamps", "--no-log-prefix")).split("\n")
  const times = stamped.map((line) => line.split(" ")[0] ?? "")
  expect(times).toEqual(times.toSorted())
  expect(times[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  expect(await compose("talk", "logs", "-n", "1", "--no-log-prefix", "a")).toBe("")
  expect(await compose("talk", "logs", "-n", "2", "--no-log-prefix", "a")).toBe("one 3")
  expect(await compose("talk", "--ansi", "always", "logs", "a")).toContain("\u001b[36ma-1  | \u001b[0mone 1")
})

test("logs --follow goes on with containers that are made meanwhile, and ends when all have", async () => {
  await make("flow", "a", 1, "echo begin; until [ -e /tmp/go ]; do sleep 0.1; done; echo end; exit 4")
  const child = skiff.spawn(["compose", "-p", "flow", "logs", "--follow"])
  let seen = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (seen += text))
  const ended = new Promise((resolve) => child.on("close", resolve))
  await eventually(() => expect(seen).toContain("a-1  | begin\n"), 20_000)
  await make("flow", "a", 2, "echo hello; sleep 1")
  await eventually(() => expect(seen).toContain("a-2  | hello\n"), 20_000)
  await skiff.ok("exec", "flow-a-1", "touch", "/tmp/go")
  expect(await ended).toBe(0)
  expect(seen).toContain("a-1  | end\na-1 exited with code 4\n")
  expect(seen).toContain("a-2 exited with code 0\n")
})

test("logs --follow loses no line of a container that is started again", async () => {
  await make("again", "a", 1, "cut -c1-8 /proc/uptime; echo done")
  await skiff.ok("wait", "again-a-1")
  await make("again", "b", 1, "sleep 1000")
  const child = skiff.spawn(["compose", "-p", "again", "logs", "--follow", "--no-log-prefix"])
  let seen = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (seen += text))
  const ended = new Promise((resolve) => child.on("close", resolve))
  await eventually(() => expect(seen).toContain("done\n"), 20_000)
  for (let round = 2; round < 5; round++) {
    await skiff.ok("start", "again-a-1")
    await eventually(() => expect(seen.split("done\n")).toHaveLength(round + 1), 20_000)
  }
  child.kill("SIGINT")
  expect(await ended).toBe(130)
  expect(seen.split("\n").filter((line) => /^[\d. ]+$/.test(line))).toHaveLength(4)
})

test("50 containers that write 10,000 lines a second together lose none", async () => {
  const lines = 2_000
  const script = `i=0; while [ $i -lt ${lines / 200} ]; do seq $((i * 200 + 1)) $((i * 200 + 200)); sleep 1; i=$((i + 1)); done`
  const children = Array.from({ length: 10 }, (_, batch) => batch)
  for (const batch of children)
    await Promise.all(Array.from({ length: 5 }, (_, index) => make("many", "s", batch * 5 + index + 1, script)))
  const output = await skiff.ok("compose", "-p", "many", "logs", "--follow", "--no-log-prefix")
  const counts = Map.groupBy(
    output.split("\n").filter((line) => /^\d+$/.test(line)),
    (line) => line,
  )
  expect(counts.size).toBe(lines)
  expect([...counts.values()].every(({ length }) => length === 50)).toBe(true)
}, 240_000)
