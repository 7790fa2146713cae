/** `skiff explain`: what the kernel has of a container, a grade of its isolation, and the pages that teach. */
import { spawnSync } from "node:child_process"
import { readFileSync, readlinkSync } from "node:fs"
import { release } from "node:os"
import { beforeAll, describe, expect, test } from "bun:test"
import { displayWidth } from "../../src/cli/output/columns.ts"
import { TOPICS } from "../../src/cli/explain/topics.ts"
import { asRootOnly, noLimits, openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()

interface Explanation {
  Live: {
    Pid: number
    Namespaces: { Kind: string; Inode: number; Owner: string; SharedWith: string[]; Shell: string }[]
    Cgroup: { Files: { Path: string; Value: string }[] }
    Layers: { Lower: string[]; Upper: string }
    Mounts: { Target: string; Type: string; Options: string[] }[]
    Network?: {
      Interfaces: {
        Name: string
        Addresses: string[]
        MacAddress: string
        HostEnd?: { Name: string; Bridge: string }
      }[]
      Table: string
      Elements: { Name: string; Element: string }[]
    }
    Routes: { To: string; Via?: string }[]
    Process: {
      Uid: number
      UidMap: { Inside: number; Outside: number; Count: number }[]
      Capabilities: Record<string, string[]>
      Seccomp: { Mode: string; Filters: number }
      NoNewPrivileges: boolean
      Rlimits: { Name: string; Soft: string; Hard: string }[]
      OomScoreAdj: number
    }
    Seccomp?: { Rules: number; AllowedCalls: number; DefaultAction: string }
  }
}
interface Grade {
  Grade: string
  Score: number
  IsLive: boolean
  Findings: { Key: string; Severity: string; Subject: string; Repair: string }[]
}

const explain = async (name: string) => (JSON.parse(await skiff.ok("explain", "--json", name)) as [Explanation])[0]
const grade = async (name: string) =>
  (JSON.parse(await skiff.ok("explain", "--json", "--security", name)) as [Grade])[0]

describe("a container that runs", () => {
  const limits = noLimits === false ? ["-m", "64m", "--pids-limit", "77"] : []
  const ports = user.rootless ? [] : ["-p", "127.0.0.1::8080"]
  const flags = [...limits, ...ports, "--cap-drop", "ALL", "--cap-add", "NET_RAW", "--ulimit", "nofile=100:200"]
  beforeAll(async () => {
    const command = ["--tmpfs", "/scratch", "busybox", "httpd", "-f", "-p", "8080"]
    await skiff.ok("run", "-d", "--name", "shown", ...flags, ...command)
    await skiff.ok("run", "-d", "--name", "guest", "--network", "container:shown", "busybox", "sleep", "1000")
  })

  test("has its namespaces told by their inodes, with who shares them", async () => {
    const { Live } = await explain("shown")
    expect(Live.Pid).toBe((await skiff.inspect("shown")).State.Pid)
    for (const { Kind, Inode } of Live.Namespaces)
      expect([Kind, `${Kind}:[${Inode}]`]).toEqual([Kind, readlinkSync(`/proc/${Live.Pid}/ns/${Kind}`)])
    const byKind = new Map(Live.Namespaces.map((one) => [one.Kind, one]))
    expect(byKind.get("mnt")).toMatchObject({ Owner: "container", Shell: "unshare --mount" })
    expect(byKind.get("net")).toMatchObject({ Owner: "shared", SharedWith: ["guest"] })
    expect(byKind.get("time")).toMatchObject({ Owner: "host" })
  })

  testUnless(noLimits)("has each file of its control group that was set, as it says it", async () => {
    const { Files } = (await explain("shown")).Live.Cgroup
    expect(Files.length).toBeGreaterThan(2)
    for (const { Path, Value } of Files) expect(readFileSync(Path, "latin1").trim()).toBe(Value)
    const find = (name: RegExp) => Files.find(({ Path }) => name.test(Path))?.Value
    expect(find(/memory\.(limit_in_bytes|max)$/)).toBe(String(64 * 1024 * 1024))
    expect(find(/pids\.max$/)).toBe("77")
  })

  test("has its layers and mounts", async () => {
    const { Layers, Mounts } = (await explain("shown")).Live
    expect(Layers.Lower).toHaveLength(1)
    expect(Layers.Upper).toStartWith(skiff.root)
    const targets = new Map(Mounts.map((mount) => [mount.Target, mount]))
    expect(targets.get("/scratch")).toMatchObject({ Type: "tmpfs" })
    expect(targets.get("/proc")).toMatchObject({ Type: "proc" })
    expect([...targets.keys()]).toContain("/etc/hosts")
  })

  test("has its interface, its address, its route and the other end", async () => {
    const { Network, Routes, Pid } = (await explain("shown")).Live
    const eth0 = Network?.Interfaces.find(({ Name }) => Name === "eth0")
    const seen = spawnSync("nsenter", ["-t", `${Pid}`, "-n", "ip", "-j", "address", "show", "eth0"]).stdout.toString()
    const [link] = JSON.parse(seen) as [{ address: string; addr_info: { local: string; prefixlen: number }[] }]
    expect(eth0?.MacAddress).toBe(link.address)
    expect(eth0?.Addresses).toEqual(link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`))
    expect(eth0?.HostEnd?.Name).toMatch(/^v/)
    expect(Routes.find(({ To }) => To === "default")?.Via).toBe((await skiff.inspect("shown")).NetworkSettings.Gateway)
    expect(Network?.Elements.find(({ Name }) => Name === "sources")?.Element).toContain(eth0?.HostEnd?.Name)
  })

  testUnless(asRootOnly)("has the element of the map that publishes its port", async () => {
    const { Network } = (await explain("shown")).Live
    const { NetworkSettings } = await skiff.inspect("shown")
    const port = NetworkSettings.Ports["8080/tcp"]?.[0]?.HostPort
    const published = Network?.Elements.find(({ Name }) => Name === "portmap_ip")
    expect(published?.Element).toBe(`127.0.0.1 . tcp . ${port} : ${NetworkSettings.IPAddress} . 8080`)
    const { stdout } = spawnSync("nft", ["list", "map", "inet", Network?.Table ?? "", "portmap_ip"])
    expect(stdout.toString()).toContain(published?.Element ?? "?")
  })

  test("has its rights decoded, and its limits", async () => {
    const { Process, Seccomp } = (await explain("shown")).Live
    expect(Process.Capabilities.Bounding).toEqual(["CAP_NET_RAW"])
    expect(Process.Capabilities.Effective).toEqual(["CAP_NET_RAW"])
    expect(Process.Seccomp).toEqual({ Mode: "filter", Filters: 1 })
    expect(Seccomp).toMatchObject({ DefaultAction: "SCMP_ACT_ERRNO" })
    expect(Seccomp?.AllowedCalls).toBeGreaterThan(200)
    expect(Process.Rlimits).toContainEqual(
      expect.objectContaining({ Name: "Max open files", Soft: "100", Hard: "200" }) as never,
    )
  })

  testUnless(rootlessOnly)("of an ordinary user has its ids translated", async () => {
    const [first] = (await explain("shown")).Live.Process.UidMap
    expect(first).toEqual({ Inside: 0, Outside: user.uid, Count: 1 })
    expect(await skiff.ok("explain", "shown")).toContain(`1 ids from ${user.uid} of the host on`)
  })

  test("is told on one page that fits 80 columns, but for what is there to be copied", async () => {
    const page = await skiff.ok("explain", "--lang", "en", "shown")
    expect(page).toStartWith("shown: httpd -f -p 8080\n")
    for (const part of ["Namespaces: ", "Control group: ", "Layers: ", "Mounts: ", "Network: ", "Users: ", "Rights: "])
      expect(page).toContain(`\n${part}`)
    const wide = page.split("\n").filter((line) => !line.startsWith("  $ ") && displayWidth(line) > 80)
    // a path has no place to break at
    expect(wide.filter((line) => line.trim().includes(" "))).toEqual([])
  })

  test("gives its fields to a template", async () => {
    const format = "{{.Name}} {{.Status}} {{range .Live.Namespaces}}{{.Kind}} {{end}}"
    expect(await skiff.ok("explain", "--format", format, "shown")).toMatch(/^shown running .*\bpid\b/)
  })
})

testUnless(asRootOnly)("ids of its own are translated both ways, and told as a step without a command", async () => {
  const { stderr } = await skiff.run(
    ["run", "-d", "--explain", "--name", "mapped", "--userns", "auto", "busybox", "sleep", "1000"],
    { env: { LANG: "C" } },
  )
  const { Live } = await explain("mapped")
  const [line] = Live.Process.UidMap
  expect(Live.Process.Uid).toBe(0)
  expect(line?.Outside).toBeGreaterThan(0)
  expect(Live.Namespaces.find(({ Kind }) => Kind === "user")).toMatchObject({ Owner: "container" })
  expect(stderr).toContain("Ids of its own: a user namespace\n")
  expect(stderr.replaceAll(/\n */g, " ")).toContain(`Root of the container is user ${line?.Outside} of the host`)
})

test("a container of a pod has the interface and the ports of its pod", async () => {
  await skiff.ok("pod", "create", "--name", "pod-of-one")
  try {
    await skiff.ok("run", "-d", "--pod", "pod-of-one", "--name", "member", "busybox", "sleep", "1000")
    const { Network, Namespaces } = (await explain("member")).Live
    expect(Network?.Interfaces.find(({ Name }) => Name === "eth0")?.HostEnd?.Name).toMatch(/^v/)
    expect(Namespaces.find(({ Kind }) => Kind === "pid")).toMatchObject({ Owner: "container" })
  } finally {
    await skiff.ok("pod", "rm", "-f", "pod-of-one")
  }
})

test("of a container that ended the reason comes first, and nothing is said of the kernel", async () => {
  await skiff.run(["run", "--name", "dead", "busybox", "sh", "-c", "exit 3"])
  const [title, line, reason, running] = (await skiff.ok("explain", "--lang", "en", "dead")).split("\n")
  expect(title).toBe("dead: sh -c exit 3")
  expect(line).toMatch(/^─+$/)
  expect(reason).toBe("Why it ended: the program ended by itself with exit code 3.")
  expect(running).toStartWith("It is not running")
  const french = (await skiff.ok("explain", "--lang", "fr", "dead")).replaceAll("\n", " ")
  expect(french).toContain(
    "Pourquoi il s'est arrêté : le programme s'est terminé de lui-même avec le code 3. Il ne tourne",
  )
  expect(await explain("dead")).not.toHaveProperty("Live")
})

test("what a stranger has written cannot steer the terminal", async () => {
  await skiff.ok("create", "--name", "hostile", "busybox", "echo", "\u001b[2J\u009b31m")
  const page = await skiff.ok("explain", "hostile")
  expect(page).not.toContain("\u001b[2J")
  expect(page).toContain("\\x1b[2J")
})

const keys = ({ Findings }: Grade) => Findings.map(({ Key }) => Key)

describe("the grade", () => {
  test("of a container that gave everything away is F, and the worst comes first", async () => {
    const socket = ["-v", "/run:/run/host", "-v", "/tmp/docker.sock:/var/run/docker.sock"]
    await skiff.ok("create", "--name", "open", "--privileged", "--network", "host", ...socket, "busybox", "true")
    const found = await grade("open")
    expect(found).toMatchObject({ Grade: "F", Score: 0, IsLive: false })
    expect(keys(found).slice(0, 4).toSorted()).toEqual(["hostNet", "hostRoot", "privileged", "seccompOff"].toSorted())
    expect(keys(found)).toContain("socket")
    const page = await skiff.ok("explain", "--security", "--lang", "fr", "open")
    expect(page).toContain("note F (0 sur 100)")
  })

  test("is taken from the kernel while the container runs", async () => {
    await skiff.ok(
      "run",
      "-d",
      "--name",
      "weak",
      "--cap-add",
      "SYS_PTRACE",
      "--security-opt",
      "seccomp=unconfined",
      "busybox",
      "sleep",
      "1000",
    )
    const found = await grade("weak")
    expect(found.IsLive).toBe(true)
    expect(
      found.Findings.filter(({ Severity }) => Severity === "high").map(({ Key, Subject }) => [Key, Subject]),
    ).toEqual([
      ["dangerousCapability", "CAP_SYS_PTRACE"],
      ["seccompOff", ""],
    ])
  })

  test("is A when the repairs that it named are made", async () => {
    const repaired = ["--user", "1000:1000", "--read-only", "--security-opt", "no-new-privileges", "--cap-drop", "ALL"]
    const limits = noLimits === false ? ["-m", "64m"] : []
    await skiff.ok("run", "-d", "--name", "strong", ...repaired, ...limits, "busybox", "sleep", "1000")
    const found = await grade("strong")
    // an ordinary user has no limits here
    const unrepaired = new Set(["noPidsLimit", "noMemoryLimit", "hostUser"])
    expect(keys(found).filter((key) => !unrepaired.has(key))).toEqual([])
    if (noLimits === false) expect(found.Grade).toBe("A")
  })
})

describe.each(["en", "fr"] as const)("pages in %s", (language) => {
  test.each([...TOPICS])("--%s fits a page", async (topic) => {
    const page = await skiff.ok("explain", `--${topic}`, "--lang", language)
    const lines = page.split("\n")
    expect(lines.length).toBeGreaterThan(20)
    for (const line of lines)
      if (!line.startsWith("  $ ")) expect([line, displayWidth(line) <= 80]).toEqual([line, true])
    // every value was filled in, every reference resolved
    expect(page).not.toMatch(/\{\w+\}|\[\w+\]|undefined/)
  })

  test("--namespaces and --cgroups speak of this machine", async () => {
    const namespaces = await skiff.ok("explain", "--namespaces", "--lang", language)
    expect(namespaces).toContain(release())
    expect(namespaces).toContain(user.rootless ? "skiff-test" : "root")
    const cgroups = await skiff.ok("explain", "--cgroups", "--lang", language)
    const mounted = readFileSync("/proc/self/mounts", "utf8").split("\n")
    for (const line of mounted) {
      const [, path = "", type = ""] = line.split(" ")
      if (type.startsWith("cgroup")) expect(cgroups).toContain(path)
    }
  })

  test("--architecture says which ids the user has", async () => {
    const page = await skiff.ok("explain", "--architecture", "--lang", language)
    const range = /^skiff-test:(\d+):(\d+)$/m.exec(readFileSync("/etc/subuid", "utf8"))
    if (user.rootless && range !== null) expect(page).toContain(range[1] ?? "?")
    else expect(page).toContain("root")
  })
})

const firstLine = async (env: Record<string, string>, ...flags: string[]) =>
  (await skiff.run(["explain", "--glossary", ...flags], { env })).stdout.split("\n")[0]

describe("the language", () => {
  test("is that of --lang, then of LC_ALL, then of LANG, else English", async () => {
    expect(await firstLine({ LANG: "fr_FR.UTF-8" })).toBe("Glossaire")
    expect(await firstLine({ LANG: "fr_FR.UTF-8", LC_ALL: "C" })).toBe("Glossary")
    expect(await firstLine({ LANG: "fr_FR.UTF-8" }, "--lang", "en")).toBe("Glossary")
    expect(await firstLine({ LANG: "de_DE.UTF-8" })).toBe("Glossary")
  })

  test("has colours where they are wanted, and none in a pipe", async () => {
    expect((await skiff.run(["explain"], { env: { CLICOLOR_FORCE: "1" } })).stdout).toContain("\u001b[")
    expect((await skiff.run(["explain"])).stdout).not.toContain("\u001b[")
  })
})

describe("the glossary", () => {
  test("finds a word by its name in either language", async () => {
    const [byEnglish, byFrench] = await Promise.all([
      skiff.ok("explain", "--glossary", "--lang", "fr", "namespace"),
      skiff.ok("explain", "--glossary", "--lang", "fr", "Espace de noms"),
    ])
    expect(byEnglish).toBe(byFrench)
    expect(byFrench).toStartWith("espace de noms\n")
  })

  test("says which word was meant", async () => {
    const { code, stderr } = await skiff.run(["explain", "--glossary", "overlay-sf"])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'skiff: no such word in the glossary: "overlay-sf"\n  hint: did you mean overlayfs?\n',
    })
  })
})

test.each([
  [["explain", "nosuch"], 1, "no such container"],
  [["explain", "--security"], 125, "needs a container"],
  [["explain", "--history", "--cgroups"], 125, "one page"],
  [["explain", "--namespaces", "web"], 125, "takes no container"],
  [["explain", "--lang", "de"], 125, "en, fr"],
])("%p is refused", async (words, code, message) => {
  const outcome = await skiff.run(words)
  expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(message)])
})
