/** What `compose up` makes of a file, what it does when the file changes, and what is left when it is killed. */
import { afterEach, describe, expect, test } from "bun:test"
import { createServer } from "node:net"
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { openStore } from "../support/store.ts"
import { supervisorsOf } from "../support/supervisor.ts"
import { ten } from "../support/ranges.ts"
import { eventually, freePort } from "../support/wait.ts"
import type { Outcome, RunOptions } from "../support/skiff.ts"

const skiff = openStore()
const directory = () => `${skiff.directory}/p`
const SLEEP = "image: busybox, command: sleep 1000, stop_grace_period: 0s"
/** The same for a block of its own. */
const SLEEP_LINES = SLEEP.replaceAll(", ", "\n    ")

/** Writes the project's file: services by name as YAML flow mappings. */
function write(text: string, files: Record<string, string> = {}): void {
  mkdirSync(directory(), { recursive: true })
  for (const [name, content] of Object.entries({ "compose.yaml": text, ...files }))
    writeFileSync(`${directory()}/${name}`, content)
}

const compose = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  skiff.run(["compose", ...args], { cwd: directory(), ...options })

async function ok(...args: string[]): Promise<Outcome> {
  const outcome = await compose(args)
  if (outcome.code !== 0) throw new Error(`compose ${args.join(" ")} gave ${outcome.code}\n${outcome.stderr}`)
  return outcome
}

const addresses = (name: string) => skiff.ok("exec", name, "ip", "-4", "-o", "addr")
const names = async (...args: string[]) =>
  (await skiff.ok("ps", "--format", "{{.Names}}", ...args)).split("\n").filter(Boolean).toSorted()
const idOf = async (name: string) => (await skiff.inspect(name)).Id
const reasonFor = (text: string, name: string) =>
  new RegExp(`^Container ${name} +(.*)$`, "m").exec(text)?.[1]?.replace(/ +/, " ")

afterEach(async () => {
  await compose(["down", "-v", "-t", "0", "--remove-orphans"])
  const ids = (await skiff.ok("ps", "-aq")).split("\n").filter(Boolean)
  if (ids.length > 0) await skiff.ok("rm", "-f", "-v", ...ids)
  await skiff.ok("volume", "prune", "-a", "-f")
  rmSync(directory(), { recursive: true, force: true })
})

describe("what is made", () => {
  test("networks, volumes and containers with docker's names and labels, and a second time nothing", async () => {
    write(`services: {web: {${SLEEP}, volumes: ['data:/data']}, db: {${SLEEP}}}\nvolumes: {data: {}}\n`)
    const { stderr } = await ok("up", "-d")
    expect(stderr).toContain(" Network p_default  Created\n")
    expect(stderr).toContain(" Volume p_data  Created\n")
    expect(stderr).toContain(" Container p-web-1  Started\n")
    expect(await names()).toEqual(["p-db-1", "p-web-1"])
    const { Config } = (await skiff.inspect("p-web-1")) as unknown as { Config: { Labels: Record<string, string> } }
    expect(Config.Labels).toMatchObject({
      "com.docker.compose.project": "p",
      "com.docker.compose.service": "web",
      "com.docker.compose.container-number": "1",
      "com.docker.compose.oneoff": "False",
      "com.docker.compose.project.working_dir": directory(),
      "com.docker.compose.project.config_files": `${directory()}/compose.yaml`,
    })
    const before = await Promise.all(["p-web-1", "p-db-1"].map(idOf))
    const again = await ok("up", "-d")
    expect(again.stderr).toContain(" Container p-web-1  Running\n")
    expect(again.stderr).not.toContain("Created")
    expect(await Promise.all(["p-web-1", "p-db-1"].map(idOf))).toEqual(before)
    expect((await compose(["diff"])).code).toBe(0)
  })

  test("with --all-resources what no service uses, and where there is no service at all", async () => {
    write("volumes: {lone: {}}\nnetworks: {apart: {}}\n")
    expect((await compose(["up"])).stderr).toContain("no service selected")
    const { stderr } = await ok("--all-resources", "up")
    expect(stderr).toContain("Volume p_lone  Created")
    expect(stderr).toContain("Network p_apart  Created")
    await ok("--all-resources", "down", "-v")
    expect(await skiff.ok("volume", "ls", "-q")).not.toContain("p_lone")
  })

  test("services find each other by their names and aliases", async () => {
    write(`services: {web: {${SLEEP}}, db: {${SLEEP}, networks: {default: {aliases: [sql]}}}}\n`)
    await ok("up", "-d")
    for (const name of ["db", "sql", "p-db-1"])
      expect(await skiff.ok("exec", "p-web-1", "ping", "-c", "1", "-W", "5", name)).toContain("1 packets received")
  })

  test("secrets and configs have their owners and modes, in a read-only container too", async () => {
    write(
      `services:
  web:
    ${SLEEP_LINES}
    read_only: true
    secrets:
      - {source: token, uid: "1000", gid: "100", mode: 0440}
      - {source: file}
    configs: [{source: motd, target: /etc/motd}]
secrets: {token: {environment: TOKEN}, file: {file: ./s.txt}}
configs: {motd: {content: hello}}
`,
      { "s.txt": "from a file" },
    )
    await compose(["up", "-d"], { env: { TOKEN: "from the environment" } })
    expect(await skiff.ok("exec", "p-web-1", "cat", "/run/secrets/token")).toBe("from the environment")
    expect(await skiff.ok("exec", "p-web-1", "stat", "-c", "%u %g %a", "/run/secrets/token")).toBe("1000 100 440")
    expect(await skiff.ok("exec", "p-web-1", "cat", "/run/secrets/file")).toBe("from a file")
    expect(await skiff.ok("exec", "p-web-1", "cat", "/etc/motd")).toBe("hello")
    const before = await idOf("p-web-1")
    const { code } = await compose(["up", "-d"], { env: { TOKEN: "another" } })
    expect(code).toBe(0)
    expect(await idOf("p-web-1")).not.toBe(before)
    expect(await skiff.ok("exec", "p-web-1", "cat", "/run/secrets/token")).toBe("another")
  })

  test("fixed addresses, several networks, and no network at all", async () => {
    write(`services:
  web:
    ${SLEEP_LINES}
    networks: {front: {ipv4_address: ${ten(77)}.0.9, priority: 10}, back: {}}
  alone: {${SLEEP}, network_mode: none}
  side: {${SLEEP}, network_mode: "service:web"}
networks: {front: {ipam: {config: [{subnet: ${ten(77)}.0.0/24}]}}, back: {internal: true}}
`)
    await ok("up", "-d")
    expect(await addresses("p-web-1")).toContain(`${ten(77)}.0.9/24`)
    expect((await addresses("p-web-1")).split("\n")).toHaveLength(3)
    expect((await addresses("p-alone-1")).split("\n")).toHaveLength(1)
    expect(await addresses("p-side-1")).toBe(await addresses("p-web-1"))
    // the address is given on to the one that takes its place, and who shares its network goes along
    const { stdout } = await ok("up", "-d", "--force-recreate", "--explain", "web")
    expect(await addresses("p-web-1")).toContain(`${ten(77)}.0.9/24`)
    expect(reasonFor(stdout, "p-web-1")).toBe("recreate it was asked for")
    const after = await ok("up", "-d", "--explain")
    expect(reasonFor(after.stdout, "p-side-1")).toContain("recreate")
    expect(await addresses("p-side-1")).toBe(await addresses("p-web-1"))
  })
})

describe("what stays", () => {
  test("nothing of ours, where nothing needs it; and the supervisor for as long as something does", async () => {
    write(`services: {web: {${SLEEP}}}\n`)
    await ok("up", "-d")
    await eventually(() => supervisorsOf(skiff).length === 0)
    write(`services:
  web: {${SLEEP}, healthcheck: {test: "true", interval: 100ms}}
  flaky: {image: busybox, command: ["sh", "-c", "exit 3"], restart: always}
`)
    await ok("up", "-d")
    // a second one may be there for a moment, until it finds the lock taken
    await eventually(() => expect(supervisorsOf(skiff)).toHaveLength(1))
    await eventually(async () => (await skiff.ok("ps", "--format", "{{.Status}}")).includes("(healthy)"))
    await eventually(
      async () => ((await skiff.inspect("p-flaky-1")) as unknown as { RestartCount: number }).RestartCount > 1,
    )
    await ok("down", "-t", "0")
    await eventually(() => supervisorsOf(skiff).length === 0)
  })

  test("a provider's variables are its dependents', and it hears of the end", async () => {
    write(
      `services:
  db: {provider: {type: madeup, options: {size: small}}}
  web: {${SLEEP}, depends_on: [db]}
`,
      {
        "docker-madeup": `#!/bin/sh\necho "$@" >> ${skiff.home}/calls\necho '{"type":"setenv","message":"URL=db://x"}'\n`,
      },
    )
    chmodSync(`${directory()}/docker-madeup`, 0o755)
    const env = { PATH: `${directory()}:${process.env.PATH ?? ""}` }
    expect((await compose(["up", "-d"], { env })).stderr).toContain(" p-web-1  Started")
    expect(await skiff.ok("exec", "p-web-1", "sh", "-c", "echo $DB_URL")).toBe("db://x")
    expect((await compose(["down", "-t", "0"], { env })).code).toBe(0)
    expect(readFileSync(`${skiff.home}/calls`, "utf8")).toBe(
      "compose --project-name=p up --size=small db\ncompose --project-name=p down --size=small db\n",
    )
    const { code, stderr } = await compose(["up", "-d"])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`there is no provider "madeup"`)])
  })
})

describe("order", () => {
  test("a service starts when what it depends on is healthy, and a job has ended well", async () => {
    write(`services:
  web:
    ${SLEEP_LINES}
    depends_on: {db: {condition: service_healthy}, job: {condition: service_completed_successfully}}
  db: {${SLEEP}, healthcheck: {test: "test -e /ready || { touch /ready; false; }", interval: 200ms, retries: 9}}
  job: {image: busybox, command: ["true"]}
`)
    const { stderr } = await ok("up", "-d")
    const at = (line: string) => stderr.indexOf(line)
    expect(at("p-db-1  Healthy")).toBeGreaterThan(at("p-db-1  Started"))
    expect(at("p-web-1  Starting")).toBeGreaterThan(at("p-db-1  Healthy"))
    expect(at("p-web-1  Starting")).toBeGreaterThan(at("p-job-1  Exited"))
  })

  test("a dependency that fails keeps its dependents from starting", async () => {
    write(`services:
  web: {${SLEEP}, depends_on: {job: {condition: service_completed_successfully}}}
  job: {image: busybox, command: ["sh", "-c", "exit 4"]}
`)
    const { code, stderr } = await compose(["up", "-d"])
    expect(code).toBe(1)
    expect(stderr).toContain(`service "job" didn't complete successfully: exit 4`)
    expect(await names()).toEqual([])
    expect(await names("-a")).toEqual(["p-job-1", "p-web-1"])
  })

  test("--wait ends when all run, and fails when that takes too long", async () => {
    write(`services: {web: {${SLEEP}, healthcheck: {test: "false", interval: 100ms, retries: 1000}}}\n`)
    const { code, stderr } = await compose(["up", "--wait", "--wait-timeout", "1"])
    expect(code).toBe(1)
    expect(stderr).toContain("application not healthy after 1s")
    write(`services: {web: {${SLEEP}, healthcheck: {test: "true", interval: 100ms}}}\n`)
    await ok("up", "--wait")
    expect((await skiff.ok("ps", "--format", "{{.Status}}")).includes("(healthy)")).toBe(true)
  })
})

/** A service on which two others depend, one of them with `restart: true`. */
function writeDependents(more: string): void {
  write(`services:
  db: {${SLEEP}, volumes: ['/data']${more}}
  web: {${SLEEP}, depends_on: {db: {condition: service_started, restart: true}}}
  other: {${SLEEP}, depends_on: [db]}
`)
}

/** Two replicas that are replaced one by one. */
function writeReplicas(value: string): void {
  write(`services:
  web: {${SLEEP}, environment: {V: '${value}'}, healthcheck: {test: "true", interval: 100ms}, deploy: {replicas: 2, update_config: {order: start-first, parallelism: 1}}}
`)
}

test("at boot a project's containers start in the order of their dependencies", async () => {
  write(`services:
  web: {${SLEEP}, restart: always, depends_on: {db: {condition: service_healthy}}}
  db: {${SLEEP}, restart: always, healthcheck: {test: "test -e /ready || { touch /ready; false; }", interval: 200ms, retries: 9}}
`)
  await ok("up", "--no-start")
  const started = await skiff.ok("start", "--all", "--filter", "should-start-on-boot=true")
  expect(started.split("\n").toSorted()).toEqual((await Promise.all(["p-db-1", "p-web-1"].map(idOf))).toSorted())
  const startedAt = async (name: string) => Date.parse((await skiff.inspect(name)).State.StartedAt)
  // healthy with the second check, 200 ms after the first
  expect((await startedAt("p-web-1")) - (await startedAt("p-db-1"))).toBeGreaterThanOrEqual(200)
})

describe("what changes", () => {
  test("only what the file says otherwise is replaced, with its anonymous volumes; the first key is named", async () => {
    writeDependents("")
    await ok("up", "-d")
    await skiff.ok("exec", "p-db-1", "touch", "/data/kept")
    const [web, other] = [await idOf("p-web-1"), await idOf("p-other-1")]
    writeDependents(", environment: {A: '1'}")
    const difference = await compose(["diff"])
    expect(difference.code).toBe(1)
    expect(reasonFor(difference.stdout, "p-db-1")).toBe("recreate environment.A changed")
    const dry = await ok("up", "-d", "--dry-run")
    expect(dry.stderr).toContain(" DRY-RUN MODE - ")
    expect(await idOf("p-web-1")).toBe(web)
    const { stdout, stderr } = await ok("up", "-d", "--explain")
    expect(reasonFor(stdout, "p-other-1")).toBe("keep nothing changed")
    expect(reasonFor(stdout, "p-web-1")).toContain("restart service db")
    expect(stderr).toContain(" Container p-db-1  Recreated\n")
    expect(stderr).toContain(" Container p-web-1  Stopped\n")
    expect([await idOf("p-web-1"), await idOf("p-other-1")]).toEqual([web, other])
    expect(await names()).toEqual(["p-db-1", "p-other-1", "p-web-1"])
    expect(await skiff.ok("exec", "p-db-1", "ls", "/data")).toBe("kept")
    await ok("up", "-d", "-V", "db")
    expect(await skiff.ok("exec", "p-db-1", "ls", "/data")).toBe("")
  })

  test("numbers go up and down, and the highest go first", async () => {
    write(`services: {web: {${SLEEP}}}\n`)
    await ok("up", "-d", "--scale", "web=3")
    expect(await names()).toEqual(["p-web-1", "p-web-2", "p-web-3"])
    await ok("scale", "web=2")
    expect(await names()).toEqual(["p-web-1", "p-web-2"])
    await ok("up", "-d", "--scale", "web=0")
    expect(await names("-a")).toEqual([])
    const { code, stderr } = await compose(["up", "-d", "--scale", "web"])
    expect([code, stderr]).toEqual([1, expect.stringContaining(`invalid --scale option "web". Should be SERVICE=NUM`)])
  })

  test("containers of a service that is gone are told of, and go when that is asked for", async () => {
    write(`services: {web: {${SLEEP}}, old: {${SLEEP}}}\n`)
    await ok("up", "-d")
    write(`services: {web: {${SLEEP}}}\n`)
    const { stderr } = await ok("up", "-d")
    expect(stderr).toContain("Found orphan containers ([p-old-1]) for this project.")
    await ok("up", "-d", "--remove-orphans")
    expect(await names()).toEqual(["p-web-1"])
  })

  test("a network that changed is made anew, with the containers on it", async () => {
    write(`services: {web: {${SLEEP}}}\n`)
    await ok("up", "-d")
    write(`services: {web: {${SLEEP}}}\nnetworks: {default: {internal: true}}\n`)
    const { stdout } = await ok("up", "-d", "--explain")
    expect(reasonFor(stdout, "p-web-1")).toBe("recreate network p_default changed")
    expect(await skiff.ok("network", "inspect", "p_default", "--format", "{{.Internal}}")).toBe("true")
    expect(await names()).toEqual(["p-web-1"])
  })

  test("--no-recreate leaves all as it is, --no-start starts nothing", async () => {
    write(`services: {web: {${SLEEP}}}\n`)
    await ok("up", "--no-start")
    expect([await names(), await names("-a")]).toEqual([[], ["p-web-1"]])
    await ok("up", "-d")
    const before = await idOf("p-web-1")
    write(`services: {web: {${SLEEP}, tty: true}}\n`)
    await ok("up", "-d", "--no-recreate")
    expect(await idOf("p-web-1")).toBe(before)
  })

  test("with update_config replicas are replaced one by one, and one runs all the time", async () => {
    writeReplicas("1")
    await ok("up", "-d", "--wait")
    writeReplicas("2")
    let fewest = Infinity
    const done = new AbortController()
    const watching = (async () => {
      while (!done.signal.aborted) fewest = Math.min(fewest, (await names()).length)
    })()
    await ok("up", "-d")
    done.abort()
    await watching
    expect(fewest).toBeGreaterThanOrEqual(2)
    expect(await names("-a")).toEqual(["p-web-1", "p-web-2"])
    for (const name of await names()) expect(await skiff.ok("exec", name, "sh", "-c", "echo $V")).toBe("2")
  })

  test("with failure_action: rollback a new one that fails gives way to the old one", async () => {
    const deploy = "deploy: {update_config: {failure_action: rollback, monitor: 1s}}"
    write(`services: {web: {${SLEEP}, ${deploy}}}\n`)
    await ok("up", "-d")
    const before = await idOf("p-web-1")
    write(`services: {web: {image: busybox, command: ["sh", "-c", "exit 3"], ${deploy}}}\n`)
    const { code, stderr } = await compose(["up", "-d"])
    expect(code).toBe(1)
    expect(stderr).toContain("exited (3)")
    expect(await idOf("p-web-1")).toBe(before)
    expect(await names()).toEqual(["p-web-1"])
  })
})

/** A container with an anonymous volume, and a network; with `more` both are others. */
function writeChanging(more: string): void {
  write(`services: {web: {${SLEEP}, volumes: ['/data']${more}}}\nnetworks: {default: {internal: ${more !== ""}}}\n`)
}

describe("what goes wrong", () => {
  test("a taken port, a missing file and a missing network are told together, and nothing is made", async () => {
    const port = await freePort()
    const server = createServer().listen(port, "0.0.0.0")
    try {
      write(`services:
  web: {${SLEEP}, ports: ['${port}:80']}
  db: {${SLEEP}, volumes: [{type: bind, source: ./none, target: /none}], networks: [other]}
networks: {other: {external: true, name: nobody-has-it}}
`)
      const { code, stderr } = await compose(["up", "-d"])
      expect(code).toBe(1)
      expect(stderr).toContain(`port ${port}/tcp of the host is in use by another program`)
      expect(stderr).toContain(`bind source path does not exist: "${directory()}/none"`)
      expect(stderr).toContain("network nobody-has-it declared as external, but could not be found")
      expect(await names("-a")).toEqual([])
    } finally {
      server.close()
    }
  })

  test("flags that contradict each other are refused in docker's words", async () => {
    write(`services: {web: {${SLEEP}}}\n`)
    const refusals = [
      [["--build", "--no-build"], "--build and --no-build are incompatible"],
      [["--force-recreate", "--no-recreate"], "--force-recreate and --no-recreate are incompatible"],
      [["-V", "--no-recreate"], "--no-recreate and --renew-anon-volumes are incompatible"],
      [["-d", "--abort-on-container-exit"], "--detach cannot be combined with --abort-on-container-exit"],
      [["--wait", "--attach", "web"], "--wait cannot be combined with --abort-on-container-exit"],
    ] as const
    for (const [flags, message] of refusals) {
      const { code, stderr } = await compose(["up", ...flags])
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
    }
  })

  test("two at once take turns, and make one project", async () => {
    write(`services: {web: {${SLEEP}}, db: {${SLEEP}}}\n`)
    const both = await Promise.all([compose(["up", "-d"]), compose(["up", "-d"])])
    expect(both.map(({ code, stderr }) => [code, code === 0 ? "" : stderr])).toEqual([
      [0, ""],
      [0, ""],
    ])
    expect(await names("-a")).toEqual(["p-db-1", "p-web-1"])
  })

  const points = [
    "compose:replacement-created",
    "compose:replaced-stopped",
    "compose:replaced-removed",
    "compose:network-removed",
    "create:recorded",
    "start:program-started",
    "remove:marked",
  ]
  test.each(points)("killed at %s, the next one goes on, and nothing of the data is lost", async (point) => {
    writeChanging("")
    await ok("up", "-d")
    await skiff.ok("exec", "p-web-1", "touch", "/data/kept")
    writeChanging(", tty: true")
    await compose(["up", "-d"], { env: { SKIFF_CRASH_AT: point } })
    await ok("up", "-d")
    expect(await names("-a")).toEqual(["p-web-1"])
    expect((await skiff.inspect("p-web-1")).State.Status).toBe("running")
    expect(await skiff.ok("exec", "p-web-1", "ls", "/data")).toBe("kept")
    await ok("down", "-v", "-t", "0")
    await eventually(async () => (await skiff.ok("volume", "ls", "-q")) === "")
  })
})
