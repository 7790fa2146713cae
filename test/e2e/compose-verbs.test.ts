/** Verbs of compose on projects that are known by their containers' labels alone. One user is enough. */
import { afterEach, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync, chmodSync, chownSync } from "node:fs"
import { join } from "node:path"
import {
  createLabelledNetwork,
  createLabelledVolume,
  labelledFlags,
  runLabelled,
  type Labelled,
} from "../support/labelled.ts"
import { composeProject } from "../support/compose.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const P = "shop"
const compose = (...words: string[]) => skiff.run(["compose", "-p", P, ...words])
const start = (one: Labelled) => runLabelled(skiff, P, one)
const names = async (...flags: string[]) =>
  (await skiff.ok("ps", "--format", "{{.Names}}", ...flags)).split("\n").filter(Boolean).toSorted()

/** A chain: web on api on db. */
const chain = async () => {
  await start({ service: "db" })
  await start({ service: "api", dependsOn: "db:service_started:false" })
  await start({ service: "web", dependsOn: "api:service_started:true" })
}

/** Which line came before which, by the words of their ends. */
const before = (text: string, first: string, second: string) => {
  expect(text).toContain(first)
  expect(text).toContain(second)
  expect(text.indexOf(first)).toBeLessThan(text.indexOf(second))
}

afterEach(async () => {
  await skiff.ok("rm", "--all", "--force", "--volumes")
  await skiff.ok("network", "prune", "-f")
  await skiff.ok("volume", "prune", "-a", "-f")
})

describe("stop and start", () => {
  test("go by the labels of dependencies, and leave one-offs alone", async () => {
    await chain()
    await start({ service: "db", oneOff: true })
    const stopped = await compose("stop")
    expect(stopped.code).toBe(0)
    expect(stopped.stdout).toBe("")
    before(stopped.stderr, " Container shop-web-1  Stopped", " Container shop-api-1  Stopping")
    before(stopped.stderr, " Container shop-api-1  Stopped", " Container shop-db-1  Stopping")
    expect(await names()).toEqual(["shop-db-run-0123456789ab"])
    const started = await compose("start", "api")
    expect(started.code).toBe(0)
    before(started.stderr, " Container shop-db-1  Started", " Container shop-api-1  Starting")
    expect(started.stderr).not.toContain("shop-web-1")
    expect(started.stderr).not.toContain("run")
    // one that runs already is not spoken of
    const again = await compose("start")
    expect(again.stderr).toContain(" Container shop-web-1  Started")
    expect(again.stderr).not.toContain("shop-db-1  Start")
  })

  test("stop of one service stops that one alone", async () => {
    await chain()
    expect((await compose("stop", "-t", "1", "db")).code).toBe(0)
    expect(await names()).toEqual(["shop-api-1", "shop-web-1"])
  })

  test("a service that is not there is refused where it is needed, and passed over where its container may be gone", async () => {
    await start({ service: "web" })
    for (const verb of ["start", "restart"]) {
      const { code, stderr } = await compose(verb, "web", "wbe")
      expect(`${verb} ${code} ${stderr}`).toContain(`${verb} 1 skiff: no such service: wbe`)
    }
    for (const verb of ["stop", "kill", "pause", "unpause", "rm", "down"]) {
      const { code, stderr } = await compose(verb, "wbe")
      expect(`${verb} ${code} ${stderr}`).toContain(`${verb} 0 skiff: warn: no such service: wbe`)
    }
    expect(await names()).toEqual(["shop-web-1"])
  })

  test("a bad project name is refused in docker's words", async () => {
    const { code, stderr } = await skiff.run(["compose", "-p", "Shop", "stop"])
    expect(code).toBe(1)
    expect(stderr).toContain(
      `invalid project name "Shop": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    )
  })

  test("start waits for a dependency to complete, and fails with its status", async () => {
    await skiff.ok("create", ...labelledFlags(P, { service: "job", command: ["sh", "-c", "exit 3"] }))
    await skiff.ok(
      "create",
      ...labelledFlags(P, { service: "web", dependsOn: "job:service_completed_successfully:false" }),
    )
    const { code, stderr } = await compose("start")
    expect(code).toBe(1)
    expect(stderr).toContain(`service "job" didn't complete successfully: exit 3`)
    expect(await names()).toEqual([])
  })

  test("start --wait ends when all are healthy, or the time is over", async () => {
    const check = ["--health-cmd", "test -e /ok", "--health-interval", "100ms", "--health-start-period", "30s"]
    await skiff.ok(
      "create",
      ...labelledFlags(P, { service: "web", flags: [...check, "--health-start-interval", "100ms"] }),
    )
    const late = await compose("start", "--wait", "--wait-timeout", "1")
    expect(late.code).toBe(1)
    expect(late.stderr).toContain("application not healthy after 1s")
    await skiff.ok("exec", "shop-web-1", "touch", "/ok")
    const { code, stderr } = await compose("start", "--wait", "--wait-timeout", "30")
    expect(code).toBe(0)
    before(stderr, " Container shop-web-1  Waiting", " Container shop-web-1  Healthy")
  })
})

describe("restart", () => {
  test("takes dependents along that are to be restarted, and no others", async () => {
    await chain()
    const { code, stderr } = await compose("restart", "api")
    expect(code).toBe(0)
    before(stderr, " Container shop-api-1  Started", " Container shop-web-1  Restarting")
    expect(stderr).not.toContain("shop-db-1")
    const alone = await compose("restart", "--no-deps", "api")
    expect(alone.stderr).not.toContain("shop-web-1")
  })
})

describe("kill, pause and unpause", () => {
  testUnless(noLimits)("freeze programs, and say what they did", async () => {
    await chain()
    expect((await compose("pause", "web")).stderr).toContain(" Container shop-web-1  Paused")
    expect((await skiff.inspect("shop-web-1")).State.Status).toBe("paused")
    const again = await compose("pause", "web")
    expect(again.code).toBe(1)
    expect(again.stderr).toContain("already paused")
    expect((await compose("unpause")).code).toBe(1) // the others are not paused
    expect((await skiff.inspect("shop-web-1")).State.Status).toBe("running")
  })

  test("kill sends its signal to running containers", async () => {
    await chain()
    const killed = await compose("kill", "-s", "SIGKILL", "web", "db")
    expect(killed.stderr).toContain(" Container shop-web-1  Killed")
    await skiff.ok("wait", "shop-web-1", "shop-db-1")
    expect(await names()).toEqual(["shop-api-1"])
    await compose("kill")
    const none = await compose("kill")
    expect(none).toEqual({ code: 0, stdout: "", stderr: "no container to kill\n" })
  })
})

describe("rm", () => {
  test("asks, and removes what does not run", async () => {
    await chain()
    expect((await compose("rm", "-f")).stderr).toBe("No stopped containers\n")
    await compose("stop", "web")
    const no = await skiff.run(["compose", "-p", P, "rm"], { stdin: "n\n" })
    expect(no.stdout).toContain("Going to remove shop-web-1")
    expect(await names("-a")).toHaveLength(3)
    const yes = await skiff.run(["compose", "-p", P, "rm"], { stdin: "y\n" })
    expect(yes.stderr).toContain(" Container shop-web-1  Removed")
    const rest = await compose("rm", "-f", "-s", "-v")
    expect(rest.stdout).toBe("Going to remove shop-api-1, shop-db-1\n")
    expect(await names("-a")).toEqual([])
  })
})

describe("down", () => {
  test("removes containers, dependents first, then networks; volumes when asked", async () => {
    await createLabelledNetwork(skiff, P, "default")
    await createLabelledVolume(skiff, P, "data")
    const network = `${P}_default`
    await start({ service: "db", network, flags: ["-v", "shop_data:/data"] })
    await start({ service: "web", network, dependsOn: "db:service_started:false" })
    const { code, stdout, stderr } = await compose("down")
    expect(code).toBe(0)
    expect(stdout).toBe("")
    before(stderr, " Container shop-web-1  Removed", " Container shop-db-1  Stopping")
    before(stderr, " Container shop-db-1  Removed", " Network shop_default  Removing")
    expect(stderr).toContain(" Network shop_default  Removed")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("shop_data")
    expect((await compose("down", "-v")).stderr).toContain(" Volume shop_data  Removed")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
  })

  test("says that there was nothing", async () => {
    expect(await compose("down")).toEqual({
      code: 0,
      stdout: "",
      stderr: `Warning: No resource found to remove for project "shop".\n`,
    })
  })

  test("leaves what is in use, and says so", async () => {
    await createLabelledNetwork(skiff, P, "default")
    await createLabelledVolume(skiff, P, "data")
    await start({ service: "web" })
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "stranger",
      "--network",
      "shop_default",
      "-v",
      "shop_data:/d",
      "busybox",
      "sleep",
      "1000",
    )
    const { code, stderr } = await compose("down", "-v")
    expect(code).toBe(0)
    expect(stderr).toContain(" Network shop_default  Resource is still in use")
    expect(stderr).toContain(" Volume shop_data  Resource is still in use")
    expect(await names()).toEqual(["stranger"])
  })

  test("one-offs go with --remove-orphans alone; one that has ended does not hold the network", async () => {
    await createLabelledNetwork(skiff, P, "default")
    const network = `${P}_default`
    await start({ service: "web", network })
    await skiff.ok("run", ...labelledFlags(P, { service: "web", network, oneOff: true, command: ["true"] }))
    const { stderr } = await compose("down")
    expect(stderr).toContain(" Network shop_default  Removed")
    expect(await names("-a")).toEqual(["shop-web-run-0123456789ab"])
    expect((await compose("down", "--remove-orphans")).stderr).toContain("run-0123456789ab  Removed")
    expect(await names("-a")).toEqual([])
  })

  test("of a service removes its containers alone", async () => {
    await chain()
    expect((await compose("down", "api")).code).toBe(0)
    expect(await names("-a")).toEqual(["shop-db-1", "shop-web-1"])
    expect((await compose("down", "nosuch")).code).toBe(0)
    expect(await names("-a")).toHaveLength(2)
  })

  test("--rmi local removes images that were built for the project, all those that services name", async () => {
    const directory = join(skiff.directory, "built")
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, "Dockerfile"), "FROM busybox\nLABEL a=b\n")
    chmodSync(directory, 0o755)
    chownSync(directory, user.uid, user.gid)
    const labels = ["project=shop", "service=web"].flatMap((label) => ["--label", `com.docker.compose.${label}`])
    await skiff.ok("build", "-q", "-t", "shop-web", ...labels, directory)
    await skiff.ok("tag", "busybox", "named:latest")
    await start({ service: "web" })
    expect((await compose("down", "--rmi", "local")).stderr).toContain(" Image shop-web:latest  Removed")
    expect(await skiff.ok("images", "-q", "shop-web")).toBe("")
    await skiff.ok(
      "run",
      "-d",
      ...labelledFlags(P, { service: "web" }).map((word) => (word === "busybox" ? "named" : word)),
    )
    expect((await compose("down", "--rmi", "all")).stderr).toContain(" Image named:latest  Removed")
    const wrong = await compose("down", "--rmi", "some")
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('invalid value for --rmi: "some"')
  })

  test("a dry run changes nothing and marks each line", async () => {
    await createLabelledNetwork(skiff, P, "default")
    await start({ service: "web", network: `${P}_default` })
    for (const words of [
      ["--dry-run", "down"],
      ["down", "--dry-run"],
    ]) {
      const { code, stderr } = await compose(...words)
      expect(code).toBe(0)
      expect(stderr).toContain("DRY-RUN MODE -  Container shop-web-1  Removed")
      expect(stderr).toContain("DRY-RUN MODE -  Network shop_default  Removed")
    }
    for (const words of [["stop"], ["restart"], ["kill"], ["pause"], ["rm", "-fs"]])
      expect((await compose("--dry-run", ...words)).code).toBe(0)
    expect((await skiff.inspect("shop-web-1")).State.Status).toBe("running")
  })

  test("killed in the middle, the next one finishes it", async () => {
    await createLabelledNetwork(skiff, P, "default")
    const network = `${P}_default`
    await start({ service: "db", network, command: ["sh", "-c", "trap '' TERM; sleep 1000 & wait; wait"] })
    await start({ service: "web", network, dependsOn: "db:service_started:false" })
    const child = skiff.spawn(["compose", "-p", P, "down", "-t", "60"])
    let text = ""
    await new Promise<void>((done) =>
      child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
        if (text.includes("shop-db-1  Stopping")) done()
      }),
    )
    child.kill("SIGKILL")
    const { code, stderr } = await compose("down", "-t", "0")
    expect(code).toBe(0)
    expect(stderr).not.toContain("shop-web-1")
    expect(stderr).toContain(" Network shop_default  Removed")
    expect(await names("-a")).toEqual([])
  })

  test("two of them at once take turns", async () => {
    await chain()
    const [one, two] = await Promise.all([compose("down"), compose("down")])
    expect([one.code, two.code]).toEqual([0, 0])
    const texts = [one.stderr, two.stderr]
    expect(texts.filter((text) => text.includes("shop-web-1  Removed"))).toHaveLength(1)
    expect(texts.filter((text) => text.includes("No resource found"))).toHaveLength(1)
  })
})

describe("wait", () => {
  test("gives the status of the container, and takes the project down when asked", async () => {
    const id = await start({ service: "job", command: ["sh", "-c", "sleep 2; exit 7"] })
    await start({ service: "web" })
    const { code, stdout } = await compose("wait", "job")
    expect(code).toBe(7)
    expect(stdout).toBe(`container "${id}" exited with status code 7\n`)
    // it has ended: that is what is waited for
    expect((await compose("wait", "job")).code).toBe(7)
    const none = await compose("wait", "nosuch")
    expect(none.code).toBe(1)
    expect(none.stderr).toContain(`no containers for project "shop"`)
    await skiff.ok("start", "shop-job-1")
    expect((await compose("wait", "--down-project", "job")).code).toBe(7)
    expect(await names("-a")).toEqual([])
  })
})

describe("exec", () => {
  test("runs in the first container, or the one of the index, and ends as the program", async () => {
    await start({ service: "web", number: 2, flags: ["-e", "N=2"] })
    await start({ service: "web", number: 1, flags: ["-e", "N=1"] })
    await start({ service: "web", oneOff: true, flags: ["-e", "N=0"] })
    expect(await compose("exec", "web", "sh", "-c", "echo $N")).toEqual({ code: 0, stdout: "1\n", stderr: "" })
    expect((await compose("exec", "-T", "--index", "2", "web", "sh", "-c", "echo $N")).stdout).toBe("2\n")
    expect(
      (await compose("exec", "-T", "-e", "A=b", "-w", "/tmp", "-u", "1", "web", "sh", "-c", "echo $A $PWD $(id -u)"))
        .stdout,
    ).toBe("b /tmp 1\n")
    expect((await compose("exec", "web", "sh", "-c", "exit 9")).code).toBe(9)
    expect((await compose("exec", "web", "nosuch")).code).toBe(127)
    expect((await skiff.run(["compose", "-p", P, "exec", "-T", "web", "cat"], { stdin: "in\n" })).stdout).toBe("in\n")
    const third = await compose("exec", "--index", "3", "web", "true")
    expect(third.code).toBe(1)
    expect(third.stderr).toContain(`service "web" is not running container #3`)
    const other = await compose("exec", "db", "true")
    expect(other.code).toBe(1)
    expect(other.stderr).toContain(`service "db" is not running`)
    const env = { FOO: "BAR" }
    const given = await skiff.run(["compose", "-p", P, "exec", "-e", "FOO", "web", "env"], { env })
    expect(given.stdout).toContain("FOO=BAR\n")
    expect((await compose("exec", "-e", "FOO", "web", "env")).stdout).not.toContain("FOO")
  })
})

describe("cp", () => {
  test("copies to all containers, from the first, to and from the one of the index", async () => {
    for (const number of [1, 2]) await start({ service: "web", number })
    const file = join(skiff.directory, "cp-me")
    writeFileSync(file, "hello")
    const { code, stderr } = await compose("cp", file, "web:/tmp/a")
    expect(code).toBe(0)
    expect(stderr).toContain(`shop-web-1`)
    for (const number of [1, 2]) expect(await skiff.ok("exec", `shop-web-${number}`, "cat", "/tmp/a")).toBe("hello")
    await compose("cp", "--index", "2", file, "web:/tmp/b")
    expect((await skiff.run(["exec", "shop-web-1", "cat", "/tmp/b"])).code).toBe(1)
    const out = join(skiff.directory, "out")
    mkdirSync(out)
    chownSync(out, user.uid, user.gid)
    expect((await compose("cp", "web:/tmp/a", join(out, "a"))).code).toBe(0)
    expect((await compose("cp", "--index=2", "web:/tmp/b", join(out, "b"))).code).toBe(0)
    expect(readFileSync(join(out, "b"), "utf8")).toBe("hello")
    expect(existsSync(join(out, "a"))).toBe(true)
    expect((await compose("cp", "web:/tmp/a", "-")).stdout).toContain("hello")
    const archive = Bun.spawnSync(["tar", "-C", skiff.directory, "-c", "cp-me"]).stdout.toString("latin1")
    const piped = await skiff.run(["compose", "-p", P, "cp", "-", "web:/tmp"], { stdin: archive })
    expect(piped.code).toBe(0)
    for (const number of [1, 2]) expect(await skiff.ok("exec", `shop-web-${number}`, "cat", "/tmp/cp-me")).toBe("hello")
    const across = await compose("cp", "web:/a", "db:/b")
    expect(across.stderr).toContain("copying between services is not supported")
    expect((await compose("cp", file, "db:/b")).stderr).toContain(`no container found for service "db"`)
    expect((await compose("cp", file, file)).stderr).toContain("unknown copy direction")
  })
})

describe("attach, export and commit", () => {
  test("take a service's container", async () => {
    await start({ service: "web", flags: ["-i"], command: ["sh", "-c", "read line; echo got $line; exit 4"] })
    await skiff.ok("exec", "shop-web-1", "sh", "-c", "echo made > /made")
    expect((await compose("export", "web")).stdout).toContain("made")
    expect((await compose("commit", "-m", "x", "web", "shop-web:made")).code).toBe(0)
    expect(await skiff.ok("run", "--rm", "shop-web:made", "cat", "/made")).toBe("made")
    await skiff.ok("rmi", "shop-web:made")
    const attached = await skiff.run(["compose", "-p", P, "attach", "web"], { stdin: "this\n" })
    expect(attached).toEqual({ code: 4, stdout: "got this\n", stderr: "" })
  })
})

const yaml = (mode: string) => `
services:
  web:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; sleep 1000 & wait"
    environment: { MODE: ${mode} }
  api:
    image: busybox
    command: sh -c "trap 'exit 0' TERM; sleep 1000 & wait"
    depends_on: { web: { condition: service_started, restart: true } }
`

describe("restart of what changed", () => {
  test("says what changed, and --apply recreates that and restarts the others", async () => {
    const project = composeProject(skiff, "changed", yaml("test"))
    await project.ok("up", "-d")
    const id = async (name: string) => (await skiff.inspect(name)).Id
    const [web, api] = [await id("changed-web-1"), await id("changed-api-1")]
    expect(await project.all("restart", "web")).not.toContain("changed since")
    project.write("compose.yaml", yaml("live"))
    const told = await project.all("restart", "web")
    expect(told).toContain(`service "web" was restarted as it was made, and changed since: environment.MODE changed`)
    // with files as by labels
    before(told, " Container changed-web-1  Started", " Container changed-api-1  Restarting")
    expect(await id("changed-web-1")).toBe(web)
    const applied = await project.all("restart", "--apply", "web")
    expect(applied).toContain(" Container changed-web-1  Recreated")
    expect(applied).toContain(" Container changed-api-1  Restarting")
    expect(await id("changed-web-1")).not.toBe(web)
    expect(await id("changed-api-1")).toBe(api)
    expect((await skiff.inspect("changed-web-1")).Config.Env).toContain("MODE=live")
    await project.ok("down")
  })

  test("verbs refuse a service that the files do not have", async () => {
    const project = composeProject(skiff, "changed", yaml("test"))
    for (const verb of ["stop", "start", "restart", "kill", "pause", "rm", "down"]) {
      const { code, stderr } = await project.run([verb, "wbe"])
      expect(`${verb} ${code} ${stderr}`).toContain(`${verb} 1 skiff: no such service: wbe`)
    }
  })
})

const sameName = (service: string) =>
  `name: same\nservices: { ${service}: { image: busybox, command: sleep 1000, stop_signal: KILL } }`

describe("with files", () => {
  const idle = `sh -c "trap 'exit 0' TERM; sleep 1000 & wait"`

  test("start leaves out what was not made, unless it is named", async () => {
    const project = composeProject(
      skiff,
      "partly",
      `services: { web: { image: busybox, command: '${idle.replaceAll("'", "''")}' }, db: { image: busybox, command: sleep 1 } }`,
    )
    const none = await project.run(["start"])
    expect(none.code).toBe(1)
    expect(none.stderr).toContain("has no container to start")
    await project.ok("up", "-d", "web")
    await project.ok("stop")
    expect(await project.all("start")).toContain("Container partly-web-1  Started")
    expect((await project.run(["start", "db"])).stderr).toContain(`service "db" has no container to start`)
    project.write(".env", "OF_FILE=yes\n")
    expect(await project.ok("exec", "-T", "-e", "OF_FILE", "-e", "NOWHERE", "web", "env")).toContain("OF_FILE=yes")
    await project.ok("down")
  })

  test("containers of a project of the same name elsewhere are no orphans of this one", async () => {
    const [one, other] = [composeProject(skiff, "here", sameName("a")), composeProject(skiff, "there", sameName("b"))]
    await one.ok("up", "-d")
    await other.ok("up", "-d")
    await other.ok("down", "--remove-orphans")
    expect(await names()).toEqual(["same-a-1"])
    await one.ok("down")
  })
})
