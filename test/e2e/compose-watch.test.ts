/**
 * What changes in files of the host is done in the containers of a project, while `compose watch` runs.
 *
 * One user is enough.
 */
import { afterEach, describe, expect, test } from "bun:test"
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { composeProject } from "../support/compose.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

const YAML = `
services:
  web:
    build:
      context: .
      dockerfile_inline: |
        FROM busybox
        COPY src /app
        CMD ["sleep", "1000"]
    stop_grace_period: 0s
    develop:
      watch:
        - { path: src, target: /app, action: sync, ignore: [cache/] }
        - { path: conf, target: /etc/conf, action: sync+restart }
        - { path: rebuild.txt, action: rebuild }
        - { path: hook, target: /hook, action: sync+exec, exec: { command: [sh, -c, "cat /hook/* > /hooked"] } }
`

interface Watching extends AsyncDisposable {
  directory: string
  container: string
  /** Until a line of it has the text. */
  says(text: string): Promise<void>
  in(...words: string[]): Promise<string>
}

let count = 0

async function watching(yaml = YAML, verb = ["watch"]): Promise<Watching> {
  const name = `watched${count++}`
  const project = composeProject(skiff, name, yaml)
  const at = (...names: string[]) => join(project.directory, ...names)
  mkdirSync(at("src"))
  writeFileSync(at("src/kept"), "one")
  const child = skiff.spawn(["compose", ...verb], { cwd: project.directory })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += String(chunk)))
  const ended = new Promise<void>((done) => child.once("close", () => done()))
  const says = (text: string) =>
    eventually(() => {
      if (!output.includes(text)) throw new Error(`no "${text}" in:\n${output}`)
    }, 30_000)
  await says("Watch enabled")
  return {
    directory: project.directory,
    says: async (text) => void (await says(text)),
    container: `${name}-web-1`,
    in: (...words) => skiff.ok("exec", `${name}-web-1`, ...words),
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT")
      await ended
    },
  }
}

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force", "--volumes")
  await skiff.ok("network", "prune", "-f")
})

describe("compose watch", () => {
  test("syncs what is new, changed, renamed and removed, names the file and its rule, and leaves out what is ignored", async () => {
    await using watch = await watching()
    const at = (...names: string[]) => join(watch.directory, "src", ...names)
    mkdirSync(at("deep/er"), { recursive: true })
    mkdirSync(at("cache"))
    writeFileSync(at("cache/no"), "x")
    writeFileSync(at("deep/er/new"), "two")
    chownSync(at("deep/er/new"), user.uid, user.gid)
    chmodSync(at("deep/er/new"), 0o640)
    writeFileSync(at("kept"), "changed")
    await watch.says(`(${at("deep")}: develop.watch[0] of web)`)
    await eventually(async () => expect(await watch.in("cat", "/app/kept", "/app/deep/er/new")).toBe("changedtwo"))
    expect(await watch.in("stat", "-c", "%a", "/app/deep/er/new")).toBe("640")
    renameSync(at("deep/er/new"), at("moved"))
    rmSync(at("kept"))
    await eventually(async () => expect(await watch.in("find", "/app", "-type", "f")).toBe("/app/moved"))
  }, 60_000)

  test("restarts, runs a program, and rebuilds, as the rule says", async () => {
    await using watch = await watching()
    const at = (...names: string[]) => join(watch.directory, ...names)
    mkdirSync(at("conf"))
    writeFileSync(at("conf/a"), "c")
    await watch.says('service(s) ["web"] restarted')
    expect(await watch.in("cat", "/etc/conf/a")).toBe("c")
    mkdirSync(at("hook"))
    writeFileSync(at("hook/x"), "hooked")
    await eventually(async () => expect(await watch.in("cat", "/hooked")).toBe("hooked"))
    writeFileSync(at("src/kept"), "in the image")
    await watch.says("src/kept")
    const before = (await skiff.inspect(watch.container)).Id
    writeFileSync(at("rebuild.txt"), "now")
    await watch.says('service(s) ["web"] successfully built')
    expect((await skiff.inspect(watch.container)).Id).not.toBe(before)
    expect(await watch.in("cat", "/app/kept")).toBe("in the image")
  }, 90_000)

  test("compares all again when somebody else has replaced the container", async () => {
    await using watch = await watching()
    writeFileSync(join(watch.directory, "src/added"), "later than the image")
    await watch.says("src/added")
    await eventually(async () => expect(await watch.in("cat", "/app/added")).toBe("later than the image"))
    const { code } = await skiff.run(["compose", "up", "-d", "--force-recreate", "--no-build"], {
      cwd: watch.directory,
    })
    expect(code).toBe(0)
    await watch.says("files differed at its start")
    await eventually(async () => expect(await watch.in("cat", "/app/added")).toBe("later than the image"))
  }, 60_000)

  test("loses nothing of a burst, and follows a compose file that changes; a broken one is told, and the watch goes on", async () => {
    await using watch = await watching()
    const at = (...names: string[]) => join(watch.directory, ...names)
    mkdirSync(at("src/many"))
    for (let index = 0; index < 9_000; index++) writeFileSync(at(`src/many/f${index % 1_000}`), `${index}`)
    await eventually(async () => {
      expect(await watch.in("sh", "-c", "ls /app/many | wc -l; cat /app/many/f999")).toBe("1000\n8999")
    }, 30_000)
    writeFileSync(at("compose.yaml"), "services: {web: {image: 5}}\n")
    await watch.says("services.web.image must be a string")
    writeFileSync(at("compose.yaml"), YAML.replace('"1000"', '"1001"').replace("target: /app", "target: /elsewhere"))
    await watch.says("the compose file has changed")
    await eventually(async () => expect(await watch.in("cat", "/elsewhere/kept")).toBe("one"), 30_000)
  }, 120_000)

  test("goes on beside an attached up, whose containers' lines it stands among", async () => {
    await using watch = await watching(YAML, ["up", "--build", "--watch"])
    writeFileSync(join(watch.directory, "src/beside"), "attached")
    await watch.says("src/beside")
    await eventually(async () => expect(await watch.in("cat", "/app/beside")).toBe("attached"))
  }, 60_000)

  test("refuses a project without rules, and a rebuild of what has no build", async () => {
    const none = composeProject(skiff, "unwatched", "services: {web: {image: busybox}}\n")
    const refused = await none.run(["watch"])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain("none of the selected services is configured for watch")
  })
})
