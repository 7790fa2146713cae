/** What happened, told to other processes: `events`, `wait`, `logs -f`. One user is enough. */
import { once } from "node:events"
import { join } from "node:path"
import { expect, test } from "bun:test"
import { FileLocks } from "../../src/sys/fs/file-locks.ts"
import { noLimits, openStore } from "../support/store.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

interface Message {
  Type: string
  Action: string
  Actor: { ID: string; Attributes: Record<string, string> }
  timeNano: number
}

/** The events that a call causes, as `events` prints them after the fact. */
async function eventsOf(work: () => Promise<unknown>, ...args: string[]): Promise<Message[]> {
  const since = `${Date.now() / 1000}`
  await work()
  const until = `${(Date.now() + 1) / 1000}`
  const text = await skiff.ok("events", "--format", "json", "--since", since, "--until", until, ...args)
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Message)
}

const shown = (messages: readonly Message[]) => messages.map(({ Type, Action }) => `${Type} ${Action}`)

test("a network is told when the first container needs it", async () => {
  const messages = await eventsOf(() => skiff.ok("run", "--rm", "busybox", "true"), "-f", "type=network")
  expect(shown(messages)).toEqual(["network create", "network connect", "network disconnect"])
  expect(new Set(messages.map(({ Actor }) => Actor.ID)).size).toBe(1)
})

test("an exec is told with its command, its id and its exit code, in the foreground and detached", async () => {
  await skiff.ok("run", "-d", "--name", "host", "busybox", "sleep", "1000")
  for (const how of [[], ["-d"]]) {
    const messages = await eventsOf(async () => {
      const since = `${Date.now() / 1000}`
      await skiff.run(["exec", ...how, "host", "sh", "-c", "exit 3"])
      await eventually(async () => {
        const until = `${(Date.now() + 1) / 1000}`
        expect(await skiff.ok("events", "--since", since, "--until", until, "-f", "event=exec_die")).not.toBe("")
      })
    })
    expect(shown(messages)).toEqual([
      "container exec_create: sh -c exit 3",
      "container exec_start: sh -c exit 3",
      "container exec_die",
    ])
    expect(new Set(messages.map(({ Actor }) => Actor.Attributes.execID)).size).toBe(1)
    expect(messages[2]?.Actor.Attributes).toMatchObject({ exitCode: "3", name: "host", image: "busybox" })
  }
  await skiff.ok("rm", "-f", "host")
})

test("a whole life is told in order, by Docker's names", async () => {
  const messages = await eventsOf(async () => {
    await skiff.ok("run", "-d", "--name", "told", "-l", "tier=web", "-v", "told:/data", "busybox", "sleep", "1000")
    if (!noLimits) for (const verb of ["pause", "unpause"]) await skiff.ok(verb, "told")
    await skiff.ok("rename", "told", "retold")
    await skiff.ok("restart", "-t", "0", "retold")
    await skiff.ok("stop", "-t", "0", "retold")
    await skiff.ok("rm", "retold")
    await skiff.ok("volume", "rm", "told")
  })
  const start = ["network connect", "volume mount", "container start"]
  const end = ["container die", "network disconnect", "volume unmount", "container stop"]
  const stop = ["container kill", "container kill", ...end]
  const changes = [...(noLimits ? [] : ["container pause", "container unpause"]), "container rename"]
  expect(shown(messages)).toEqual(
    ["container create", "volume create", start, changes, stop, start, "container restart"]
      .flat()
      .concat(stop, ["container destroy", "volume destroy"]),
  )
  const { Actor } = messages.find(({ Action }) => Action === "die") as Message
  expect(Actor.Attributes).toMatchObject({ name: "retold", image: "busybox", tier: "web", exitCode: "137" })
  expect(messages.find(({ Action }) => Action === "rename")?.Actor.Attributes.oldName).toBe("told")
  expect(messages.every(({ timeNano }, n) => n === 0 || timeNano >= (messages[n - 1]?.timeNano ?? 0))).toBe(true)
})

test("--rm is told to its end, with the exit code", async () => {
  const messages = await eventsOf(() =>
    skiff.run(["run", "--rm", "--network", "none", "busybox", "sh", "-c", "exit 3"]),
  )
  expect(shown(messages)).toEqual([
    "container create",
    "container attach",
    "container start",
    "container die",
    "container destroy",
  ])
  expect(messages[3]?.Actor.Attributes.exitCode).toBe("3")
})

test("what happens to an image is told", async () => {
  const messages = await eventsOf(async () => {
    await skiff.ok("tag", "busybox", "again:1")
    await skiff.ok("rmi", "again:1")
  })
  expect(shown(messages)).toEqual(["image tag", "image untag"])
  expect(messages[1]?.Actor.Attributes.name).toBe("again:1")
})

test("filters, a template and the line of docker's", async () => {
  const since = `${Date.now() / 1000}`
  await skiff.ok("run", "--rm", "--name", "one", "busybox", "true")
  await skiff.ok("run", "--rm", "--name", "two", "busybox", "true")
  const until = `${(Date.now() + 1) / 1000}`
  const events = (...args: string[]) => skiff.ok("events", "--since", since, "--until", until, ...args)
  const names = await events(
    "-f",
    "container=two",
    "-f",
    "event=start",
    "--format",
    "{{.Actor.Attributes.name}} {{.Status}}",
  )
  expect(names).toBe("two start")
  expect(await events("-f", "container=two", "-f", "event=die", "--format", "{{.TimeNano}}")).toMatch(/^\d{19}$/)
  const json = await events("-f", "container=two", "-f", "event=die", "--format", "{{json .}}")
  expect(JSON.parse(json)).toMatchObject({ status: "die", from: "busybox", Type: "container", scope: "local" })
  expect(json).toMatch(/"timeNano":\d{19}\}/)
  expect(await events("-f", "type=volume")).toBe("")
  const line = await events("-f", "container=one", "-f", "event=die")
  expect(line).toMatch(/^\S+ container die [0-9a-f]{64} \(execDuration=0, exitCode=0, image=busybox, name=one\)$/)
  expect((await skiff.run(["events", "--until", until, "-f", "nosuch=x"])).code).not.toBe(0)
})

test("events of other processes are told as they happen", async () => {
  const child = skiff.spawn(["events", "-f", "event=start", "--format", "{{.Actor.Attributes.name}}"])
  let text = ""
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
  // it has begun to watch when it tells of a first one
  let first = 0
  await eventually(async () => {
    await skiff.ok("run", "--rm", "--network", "none", "--name", `first${first++}`, "busybox", "true")
    expect(text).toContain("first")
  })
  const names = Array.from({ length: 6 }, (_, n) => `watched${n}`)
  await Promise.all(
    names.map((name) => skiff.ok("run", "--rm", "--network", "none", "--name", name, "busybox", "true")),
  )
  await eventually(() => {
    const told = text.split("\n").filter((name) => name.startsWith("watched"))
    expect(told.toSorted()).toEqual(names)
  })
  child.kill()
  await once(child, "close")
})

test("wait ends with the container, with many waiters, before anybody has cleaned up", async () => {
  const id = await skiff.ok(
    "run",
    "-d",
    "--name",
    "awaited",
    "busybox",
    "sh",
    "-c",
    "while test ! -e /end; do sleep 0.1; done; exit 5",
  )
  const waiters = Array.from({ length: 5 }, () => skiff.run(["wait", "awaited"]))
  await skiff.ok("exec", "awaited", "true")
  // as long as this is held, nobody writes the end into the records
  using _ = await new FileLocks(join(skiff.runRoot, "locks"), "container").acquire(id)
  await skiff.ok("exec", "awaited", "touch", "/end")
  for (const { code, stdout } of await Promise.all(waiters)) expect([code, stdout]).toEqual([0, "5\n"])
  expect(await skiff.ok("wait", "awaited")).toBe("5")
})

test("wait knows the code of a container that is removed as it ends, and one that is long gone", async () => {
  await skiff.ok("run", "-d", "--rm", "--name", "gone", "busybox", "sh", "-c", "sleep 1; exit 9")
  const waiting = [skiff.run(["wait", "gone"]), skiff.run(["wait", "gone"])]
  for (const { stdout } of await Promise.all(waiting)) expect(stdout).toBe("9\n")
  await skiff.run(["run", "--name", "ended", "busybox", "sh", "-c", "exit 4"])
  expect(await skiff.ok("wait", "ended")).toBe("4")
  await skiff.ok("rm", "ended")
  expect((await skiff.run(["wait", "ended"])).code).toBe(1)
})

test("wait does not end at a back-off, and ends when the container is stopped in it", async () => {
  const command = ["run", "-d", "--name", "backoff", "--restart", "always", "busybox", "sh", "-c", "exit 6"]
  await skiff.ok(...command)
  const waiting = skiff.run(["wait", "backoff"])
  const early = await Promise.race([waiting.then(() => "ended"), new Promise((done) => setTimeout(done, 700, "waits"))])
  expect(early).toBe("waits")
  await skiff.ok("stop", "backoff")
  expect((await waiting).stdout).toBe("6\n")
  await skiff.ok("rm", "backoff")
})

test("logs -f ends with its container, and goes on over its restarts", async () => {
  await skiff.ok(
    "run",
    "-d",
    "--name",
    "spoken",
    "--restart",
    "on-failure:2",
    "busybox",
    "sh",
    "-c",
    "echo word; exit 1",
  )
  const { stdout } = await skiff.run(["logs", "-f", "spoken"])
  expect(stdout).toBe("word\nword\nword\n")
  await skiff.ok("rm", "spoken")
})

test("events are told one by one, though nothing else has the records open between them", async () => {
  const child = skiff.spawn(["events", "-f", "event=destroy", "--format", "{{.Actor.Attributes.name}}"])
  let text = ""
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
  await eventually(async () => {
    await skiff.ok("create", "--name", `c${Date.now()}`, "busybox").then((id) => skiff.ok("rm", id))
    expect(text).not.toBe("")
  })
  for (let n = 0; n < 3; n++) {
    await skiff.ok("create", "--name", `last${n}`, "busybox")
    await skiff.ok("rm", `last${n}`)
  }
  await eventually(() => expect(text).toContain("last0\nlast1\nlast2\n"))
  child.kill()
  await once(child, "close")
})
