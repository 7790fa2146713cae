/** `skiff run --explain`: the lines of shell that it tells make the same container, when a shell runs them in their order. */
import { beforeAll, expect, test } from "bun:test"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort } from "../support/wait.ts"

const skiff = openStore()

/**
 * Keeps the bridge and the table, and an ordinary user's namespaces: no record knows of a container that a shell has made, so between its
 * end and its removal they would go, and its mounts with them.
 */
beforeAll(() => skiff.ok("run", "-d", "--name", "other", "busybox", "sleep", "1000"))

/** The commands of an explanation. */
const commandsOf = (text: string) => [...text.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = ""]) => line)
const KINDS = ["cgroup", "ipc", "mnt", "net", "pid", "uts", "user", "time"] as const

interface Facts extends Record<string, unknown> {
  program: string[]
}

/** What makes a container, as the kernel tells it of its first process. */
function factsOf(pid: number): Facts {
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "latin1")
  const inNetwork = (...words: string[]) => spawnSync("nsenter", ["-t", `${pid}`, "-n", ...words], { encoding: "utf8" })
  const own = (kind: string) => readlinkSync(`/proc/${pid}/ns/${kind}`) !== readlinkSync(`/proc/self/ns/${kind}`)
  const mounts = new Map(
    read("mountinfo")
      .trimEnd()
      .split("\n")
      .map((line) => {
        const [left = "", right = ""] = line.split(" - ")
        const [, , , root = "", target = "", options = ""] = left.split(" ")
        // which directory of a file system is shown, is the same but for the id of the container
        return [target, [right.split(" ")[0], options.split(",")[0], root.split("/").at(-1)].join(" ")]
      }),
  )
  const groups = read("cgroup").trimEnd().split("\n")
  return {
    program: read("cmdline").split("\0"),
    environment: read("environ").split("\0").toSorted(),
    workdir: readlinkSync(`/proc/${pid}/cwd`),
    namespaces: KINDS.filter(own),
    mounts: Object.fromEntries([...mounts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    cgroups: groups,
    limits: groups.flatMap((line) => limitsBelow(line)),
    capabilities: read("status").match(/^(Cap\w+|NoNewPrivs|Uid|Gid|Groups):.*$/gm),
    clocks: read("timens_offsets"),
    rlimits: read("limits"),
    addresses: (inNetwork("ip", "-o", "address").stdout.match(/inet6? \S+/g) ?? []).toSorted(),
    routes: inNetwork("ip", "route").stdout,
    hostname: spawnSync("nsenter", ["-t", `${pid}`, "-u", "hostname"], { encoding: "utf8" }).stdout,
    hosts: readFileSync(`/proc/${pid}/root/etc/hosts`, "utf8"),
  }
}

/** The name of the file that it runs. */
const programOf = (pid: number): string => basename(readlinkSync(`/proc/${pid}/exe`))

/** The files of a control group that hold a limit: `max`, `limit`, `quota`, `list`. */
function limitsBelow(line: string): string[] {
  const [, controllers = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
  const name = controllers === "" ? "unified" : controllers.replace("name=", "")
  const files = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "cpuset.cpus", "pids.max"]
  return [...files, "devices.list", "memory.max", "cpu.max", "memory.swap.max"].flatMap((file) => {
    for (const at of [`/sys/fs/cgroup/${name}${path}/${file}`, `/sys/fs/cgroup${path}/${file}`])
      try {
        return [`${file}: ${readFileSync(at, "latin1").trim().split("\n").toSorted().join("; ")}`]
      } catch {
        continue // another hierarchy's
      }
    return []
  })
}

/** Runs a script where the engine makes what a container is made of: as root, or root of the rootless namespaces. */
function shell(script: string): { status: number | null; stdout: string; stderr: string } {
  const [program = "", ...args] = user.rootless ? skiff.command(["unshare", "sh", "-c", script]) : ["sh", "-c", script]
  return spawnSync(program, args, { encoding: "utf8", env: { ...skiff.env, LANG: "C" }, cwd: skiff.directory })
}

/** Starts a container, takes it away, has a shell run what was told; gives the facts of both. `meanwhile` is called while each runs. */
async function replayed(
  args: readonly string[],
  meanwhile: () => Promise<void> = async () => {},
): Promise<{ original: Facts; replay: Facts }> {
  const { code, stderr } = await skiff.run(["run", "-d", "--explain", "--name", "taught", ...args], {
    env: { LANG: "C" },
  })
  expect(code).toBe(0)
  const taught = (await skiff.inspect("taught")).State.Pid
  const [original, program] = [factsOf(taught), programOf(taught)]
  await meanwhile()
  await skiff.ok("rm", "-f", "taught")

  const commands = commandsOf(stderr)
  const { status, stdout, stderr: words } = shell([...commands, 'echo "pid=$P"', 'echo "directory=$C"'].join("\n"))
  expect({ status, words }).toEqual({ status: 0, words: "" })
  const pid = Number(/pid=(\d+)/.exec(stdout)?.[1])
  const directory = /directory=(.*)/.exec(stdout)?.[1] ?? ""
  try {
    // the last line has only told it to become the program, which env and capsh are before it, with its words at their end
    await eventually(() => expect(programOf(pid)).toBe(program))
    await meanwhile()
    return { original, replay: factsOf(pid) }
  } finally {
    process.kill(pid, "SIGKILL")
    await removeReplay(commands, directory)
  }
}

test("the told commands make the same container", async () => {
  const port = await freePort()
  const shared = join(skiff.directory, "www")
  mkdirSync(shared, { mode: 0o755 })
  writeFileSync(join(shared, "index.html"), "the same page\n")
  // the network has the first range that the host left free
  const address = (await skiff.inspect("other")).NetworkSettings.IPAddress.replace(/\.\d+\.\d+$/, ".200.7")
  // an ordinary user has no limits here, and no port where the host has no network
  const own = user.rootless ? [] : ["-p", `127.0.0.1:${port}:80`, "-m", "64m", "--cpus", "0.5"]
  const flags = [...own, "--ulimit", "nofile=1024:2048", "--init=false", "--time-offset", "boottime=1000"]
  const more = ["-v", `${shared}:/data:ro`, "--tmpfs", "/scratch", "-w", "/data", "-e", 'GREETING=it\'s 100% "here"']
  const narrow = ["--cap-drop", "MKNOD", "--hostname", "taught", "--read-only", "--ip", address]
  const ask = `printf 'GET /index.html HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} 80`
  const page = async () =>
    user.rootless
      ? ((await skiff.run(["exec", "other", "sh", "-c", ask])).stdout.split("\r\n\r\n")[1] ?? "")
      : await fetch(`http://127.0.0.1:${port}/`).then(
          (answer) => answer.text(),
          () => "",
        )
  const answers = () => eventually(async () => expect(await page()).toBe("the same page\n"))
  const command = ["busybox", "httpd", "-f", "-p", "80"]
  const { original, replay } = await replayed([...flags, ...more, ...narrow, ...command], answers)
  expect(replay).toEqual(original)
  expect(await page()).toBe("")
})

test.each([
  ["without any right", ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]],
  ["of an ordinary user", ["--user", "1000:1000", "--group-add", "2000"]],
  ["of an ordinary user without rights", ["--user", "1000:1000", "--cap-drop", "ALL", "--cap-add", "NET_RAW"]],
  ["with all rights but one", ["--cap-add", "ALL", "--cap-drop", "SYS_CHROOT"]],
])("they make the same container %s", async (_, flags) => {
  const { original, replay } = await replayed([...flags, "--network", "none", "busybox", "sleep", "1000"])
  // where capsh starts the program, it is called by its path
  expect({ ...replay, program: original.program }).toEqual(original)
})

/** Takes back what a shell has made, which no record of ours knows. */
async function removeReplay(commands: readonly string[], directory: string): Promise<void> {
  const undo = commands.flatMap((line) => {
    const made = /^mkdir -p (\/sys\/fs\/cgroup\/\S+)$/.exec(line)?.[1]
    if (made !== undefined) return [`rmdir ${made}`]
    if (line.startsWith("nft add element")) return [line.replace("nft add", "nft delete").replace(/ : [^}]*\}/, " }")]
    return []
  })
  const layers = /^\( cd (\S+) .*upperdir=([^,/]+)/m.exec(commands.join("\n"))
  const script = [
    `export C=${directory} ID=${directory.split("/").at(-1)}`,
    ...undo,
    "umount $C/etc; umount $C/rootfs; rmdir $C/rootfs; rm -r $C",
    `rm -r ${layers?.[1]}/${layers?.[2]}`,
  ]
  await eventually(() => {
    const { status, stderr } = shell(["set -e", ...script].join("\n"))
    if (status !== 0 && !stderr.includes("No such file")) throw new Error(stderr)
  })
}

test("steps are told in their order, each with a reason, and no line of prose is wider than a page", async () => {
  const { code, stdout, stderr } = await skiff.run(["run", "--rm", "--explain", "busybox", "echo", "done"], {
    env: { LANG: "en_GB.UTF-8" },
  })
  expect({ code, stdout }).toEqual({ code: 0, stdout: "done\n" })
  const titles = [...stderr.matchAll(/^\[(\d+)\] (.*)$/gm)].map(([, number, title]) => `${number} ${title}`)
  expect(titles[0]).toBe("1 The layers become one tree")
  expect(titles.at(-1)).toBe(`${titles.length} The program`)
  const prose = stderr.split("\n").filter((line) => !/^( {2}\$ |skiff: warn: )/.test(line))
  expect(prose.filter((line) => line.length > 80)).toEqual([])
})

test("they are told in French where the locale is", async () => {
  const { stderr } = await skiff.run(["run", "--rm", "--explain", "busybox", "true"], {
    env: { LC_ALL: "fr_FR.UTF-8" },
  })
  expect(stderr).toContain("[1] Les couches deviennent une seule arborescence\n")
})

test("without --explain nothing is told", async () => {
  expect((await skiff.run(["run", "--rm", "busybox", "true"])).stderr).not.toContain("[1]")
})
