/** An attached `up`: what it shows, when it ends, and with which code. One user is enough. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "bun:test"
import { openStore } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** Writes the file of a project; gives the words before its verb. */
function project(name: string, services: Record<string, object>): string[] {
  const directory = join(skiff.directory, name)
  mkdirSync(directory, { recursive: true })
  const file = join(directory, "compose.yaml")
  writeFileSync(file, JSON.stringify({ name, services }))
  return ["compose", "-f", file]
}

const shell = (script: string, more: object = {}) => ({
  image: "busybox",
  command: ["sh", "-c", script.replaceAll("$", "$$")],
  stop_grace_period: "1s",
  ...more,
})

/** Starts it, and tells what it has written. */
function begin(words: readonly string[]): {
  seen: () => Outcome
  signal(name: NodeJS.Signals): void
  ended: Promise<Outcome>
} {
  const child = skiff.spawn([...words])
  const found: Outcome = { code: -1, stdout: "", stderr: "" }
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (found.stdout += text))
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (found.stderr += text))
  const ended = new Promise<Outcome>((resolve) => child.on("close", (code) => resolve({ ...found, code: code ?? -1 })))
  return { seen: () => found, signal: (name) => void child.kill(name), ended }
}

test("up shows each container's lines and end, and is over when all have ended", async () => {
  const words = project("ends", {
    a: shell("echo from a; echo bad >&2; exit 3"),
    "longer-b": shell("sleep 1; echo from b"),
    quiet: shell("echo unseen", { attach: false }),
  })
  const { code, stdout, stderr } = await skiff.run([...words, "up"])
  expect([code, stdout.split("\n")[0]]).toEqual([0, "Attaching to a-1, longer-b-1"])
  expect(stdout).toContain("a-1         | from a\n")
  expect(stdout).toContain("longer-b-1  | from b\n")
  expect(stdout).toContain("a-1 exited with code 3\n")
  expect(stdout).toContain("longer-b-1 exited with code 0\n")
  expect(stdout).not.toContain("unseen")
  expect(stderr).toContain("a-1         | bad\n")
  expect(stderr).toContain(" Container ends-a-1  Created\n")
})

test("what is shown is chosen by --attach, --no-attach, --attach-dependencies and the named services", async () => {
  const words = project("choose", {
    db: shell("echo from db"),
    web: shell("echo from web", { depends_on: ["db"] }),
    other: shell("echo from other"),
  })
  const first = async (...flags: string[]) =>
    (await skiff.run([...words, "up", "--force-recreate", ...flags])).stdout.split("\n")[0]
  expect(await first("web")).toBe("Attaching to web-1")
  expect(await first("--attach-dependencies", "web")).toBe("Attaching to db-1, web-1")
  expect(await first("--no-attach", "db")).toBe("Attaching to other-1, web-1")
  expect(await first("--attach", "other")).toBe("Attaching to other-1")
  const refused = await skiff.run([...words, "up", "--attach", "none"])
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("cannot attach to services not included in up: none"),
  ])
})

test("--abort-on-container-exit stops all at the first end, and shows what was written before", async () => {
  const words = project("abort", {
    // once the other runs, with its trap set
    chatty: shell("sleep 0.5; seq 100000; exit 0", { depends_on: ["stays"] }),
    stays: shell("trap 'exit 7' TERM; while :; do sleep 0.1; done"),
  })
  const { code, stdout, stderr } = await skiff.run([...words, "up", "--abort-on-container-exit", "--no-log-prefix"])
  expect(code).toBe(0)
  expect(stderr).toContain("Aborting on container exit...")
  expect(stdout.split("\n").filter((line) => /^\d+$/.test(line))).toHaveLength(100_000)
  expect(stdout).toContain("stays-1 exited with code 7")
  expect(await skiff.ok(...words, "ps", "--format", "{{.Name}}")).toBe("")
  const from = await skiff.run([...words, "up", "--exit-code-from", "stays"])
  expect(from.code).toBe(7)
  const unknown = await skiff.run([...words, "up", "--exit-code-from", "nobody"])
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("no such service: nobody")])
})

test("--abort-on-container-failure passes over a good end, and gives the code of the bad one", async () => {
  const words = project("fail", {
    good: shell("exit 0"),
    bad: shell("sleep 1; exit 111"),
    stays: shell("sleep 1000"),
  })
  const { code, stdout } = await skiff.run([...words, "up", "--abort-on-container-failure"])
  expect(code).toBe(111)
  expect(stdout).toContain("good-1 exited with code 0")
  expect(stdout).toContain("bad-1 exited with code 111")
})

test("an interrupt stops in order and gives 130; a second one kills", async () => {
  const words = project("stop", { a: shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done") })
  const polite = begin([...words, "up"])
  await eventually(() => expect(polite.seen().stdout).toContain("a-1  | up\n"), 20_000)
  polite.signal("SIGINT")
  const { code, stdout, stderr } = await polite.ended
  expect([code, stderr]).toEqual([130, expect.stringContaining("Gracefully Stopping... press Ctrl+C again to force")])
  expect(stdout).toContain("a-1  | bye\na-1 exited with code 0\n")

  const deaf = project("deaf", {
    a: shell("trap '' TERM; echo up; sleep 1000 & wait; sleep 1000", { stop_grace_period: "5m" }),
  })
  const rude = begin([...deaf, "up"])
  await eventually(() => expect(rude.seen().stdout).toContain("a-1  | up\n"), 20_000)
  rude.signal("SIGINT")
  await eventually(() => expect(rude.seen().stderr).toContain("Gracefully Stopping"), 20_000)
  rude.signal("SIGINT")
  const killed = await rude.ended
  expect(killed.code).toBe(130)
  expect(killed.stdout).toContain("a-1 exited with code 137")
})

test("up follows a container that is restarted by its policy, and those that are made meanwhile", async () => {
  const words = project("grow", {
    a: shell("echo round; sleep 0.5; exit 1", { restart: "on-failure:1" }),
    b: shell("echo b is up; sleep 1000"),
  })
  const run = begin([...words, "up"])
  await eventually(() => expect(run.seen().stdout.match(/a-1 {2}\| round/g) ?? []).toHaveLength(2), 30_000)
  await eventually(() => expect(run.seen().stdout).toContain("a-1 exited with code 1 (restarting)"), 20_000)
  await skiff.ok(...words, "up", "-d", "--scale", "b=2", "--no-recreate")
  await eventually(() => expect(run.seen().stdout).toContain("b-2  | b is up\n"), 20_000)
  await skiff.ok(...words, "stop")
  expect((await run.ended).code).toBe(0)
})

test("a failing start is told, after what was written by then", async () => {
  const words = project("broken", {
    job: shell("echo trying; exit 4"),
    web: shell("sleep 1000", { depends_on: { job: { condition: "service_completed_successfully" } } }),
  })
  const { code, stdout, stderr } = await skiff.run([...words, "up"])
  expect(code).toBe(1)
  expect(stdout).toContain("job-1  | trying")
  expect(stderr).toContain(`service "job" didn't complete successfully: exit 4`)
})

test("on a terminal the display is redrawn in place, output is coloured, and keys detach", async () => {
  const words = project("screen", { a: shell("while :; do echo tick; sleep 0.5; done") })
  const terminal = openTerminal(skiff, [...words, "up"], "stty cols 70 rows 20; ")
  await terminal.sees(/\[\+\] Running \d+\/\d+/)
  await terminal.sees(/✔.*Container screen-a-1 .*Created/)
  // oxlint-disable-next-line no-control-regex
  await terminal.sees(/\x1b\[36ma-1  \| \x1b\[0mtick/)
  await terminal.sees(/d Detach {3}r Restart {3}l Choose services/)
  terminal.type("r")
  await terminal.sees(/Container screen-a-1 {2}Restarted|Container screen-a-1 {2}Started/, 30_000)
  terminal.type("l")
  await terminal.sees(/Show the output of/)
  terminal.type("\n")
  terminal.type("d")
  expect(await terminal.exited).toBe(0)
  expect(await skiff.ok(...words, "ps", "--format", "{{.State}}")).toBe("running")
  await skiff.ok(...words, "down")
}, 90_000)

test("progress is lines, objects or nothing as --progress and the environment say, and so are failures", async () => {
  const words = project("modes", { a: shell("sleep 1000") })
  const up = (...flags: string[]) =>
    skiff.run([words[0] ?? "", ...flags, ...words.slice(1), "up", "-d", "--force-recreate"])
  expect((await up()).stderr).toContain(" Container modes-a-1  Started\n")
  expect((await up("--progress", "quiet")).stderr).toBe("")
  const { stderr } = await up("--progress", "json")
  const events = stderr
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object)
  expect(events).toContainEqual({ id: "Container modes-a-1", status: "Started" })
  const failed = await skiff.run(["compose", "--progress", "json", ...words.slice(1), "up", "-d", "nobody"])
  expect(failed.code).toBe(1)
  expect(JSON.parse(failed.stderr)).toEqual({
    error: true,
    message: expect.stringContaining("no such service: nobody"),
  })
  const dry = await skiff.run([...words, "--dry-run", "up", "--force-recreate"])
  expect(dry.stderr).toContain(" DRY-RUN MODE -  Container modes-a-1  ")
  expect(dry.stdout).toContain("end of 'compose up' output")
  await skiff.ok(...words, "down", "-t", "0")
})

test("verbs that look at a project know its services by the file", async () => {
  const words = project("look", {
    web: shell("echo hello; sleep 1000", { scale: 2 }),
    job: shell("exit 0", { profiles: ["jobs"] }),
  })
  await skiff.ok(...words, "up", "-d")
  expect(await skiff.ok(...words, "ps", "--format", "{{.Name}}")).toBe("look-web-1\nlook-web-2")
  for (const verb of ["ps", "logs", "top"]) {
    const refused = await skiff.run([...words, verb, "nobody"])
    expect([verb, refused.code, refused.stderr]).toEqual([verb, 1, expect.stringContaining("no such service: nobody")])
  }
  await eventually(async () => expect(await skiff.ok(...words, "logs", "--index", "2", "web")).toBe("web-2  | hello"))
  const graph = await skiff.ok(...words, "alpha", "viz", "--image")
  expect(graph).toContain(`"web" [style="filled" label=<<font point-size="15">web</font>`)
  const typed = await skiff.ok("__complete", "--", ...words, "logs", "")
  expect(typed.split("\n")).toEqual(expect.arrayContaining(["web", "job"]))
  await skiff.ok(...words, "down", "-t", "0")
})
