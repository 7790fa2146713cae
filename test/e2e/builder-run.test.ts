/** `skiff builder run`: input, terminal, signals, mounts, and what `from` is told for all of them. */
import { describe, expect, test } from "bun:test"
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { runs } from "../support/runs.ts"
import { openStore } from "../support/store.ts"
import { openTerminal } from "../support/terminal.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const builder = (...args: string[]) => skiff.ok("builder", ...args)

/** A directory of the test's directory that the user may write in. */
function makeDirectory(name: string, files: Record<string, string> = {}): string {
  const path = join(skiff.directory, name)
  mkdirSync(path)
  chmodSync(path, 0o777)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text)
  return path
}

describe("standard streams", () => {
  test("input goes to the program, whole, and both outputs stay apart", async () => {
    const name = await builder("from", "--name", "streams", "busybox")
    const input = "0123456789abcdef".repeat(20_000)
    const all = await skiff.run(["builder", "run", name, "sh", "-c", "cat; echo e >&2"], { stdin: input })
    expect({ ...all, stdout: all.stdout === input }).toEqual({ code: 0, stdout: true, stderr: "e\n" })
    // one that reads none of it ends all the same
    expect((await skiff.run(["builder", "run", name, "true"], { stdin: input })).code).toBe(0)
    await builder("rm", name)
  })

  test("a terminal is ours where we have one, with its size, and Ctrl-C is a key", async () => {
    const name = await builder("from", "--name", "terminal", "busybox")
    const terminal = openTerminal(skiff, ["builder", "run", name, "sh"], "stty rows 33 cols 99; ")
    terminal.type("tty; stty size; echo ready\r")
    await terminal.sees(/\/dev\/pts\/0\r\n33 99\r\nready/)
    terminal.type("sleep 30021\r")
    await eventually(() => runs("sleep 30021"))
    terminal.type("\x03")
    await eventually(() => !runs("sleep 30021"))
    terminal.type("exit 7\r")
    expect(await terminal.exited).toBe(7)
    const none = await skiff.run(["builder", "run", "-t", name, "true"])
    expect({ code: none.code, stderr: none.stderr }).toEqual({
      code: 125,
      stderr: expect.stringContaining("not a TTY") as string,
    })
    await builder("rm", name)
  })
})

describe("signals", () => {
  test("go to a program that hears them; else they end it, with the code of a shell", async () => {
    const name = await builder("from", "--name", "signals", "busybox")
    const script = "trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.1; done"
    for (const [words, code] of [
      [["sh", "-c", script], 9],
      [["sh", "-c", "echo ready; exec sleep 30022"], 143],
    ] as const) {
      const child = skiff.spawn(["builder", "run", name, ...words])
      let shown = ""
      child.stdout?.setEncoding("utf8").on("data", (text: string) => (shown += text))
      await eventually(() => shown.includes("ready"))
      child.kill("SIGTERM")
      expect(await new Promise((resolve) => child.on("close", resolve))).toBe(code)
      expect(shown.includes("heard")).toBe(code === 9)
    }
    expect(runs("sleep 30022")).toBe(false)
    await builder("rm", name)
  })

  test("what a killed command was running ends with it, and the container can be used at once", async () => {
    const name = await builder("from", "--name", "killed", "busybox")
    const child = skiff.spawn(["builder", "run", name, "sleep", "30023"])
    await eventually(() => runs("sleep 30023"))
    child.kill("SIGKILL")
    await eventually(() => !runs("sleep 30023"))
    expect(await builder("run", name, "echo", "again")).toBe("again")
    await builder("rm", name)
  })
})

describe("mounts", () => {
  test("volumes of the host, to write, to read, to throw away", async () => {
    const volume = makeDirectory("volume", { f: "host" })
    const name = await builder("from", "--name", "volumes", "busybox")
    const flags = ["-v", `${volume}:/rw`, "-v", `${volume}:/ro:ro`, "-v", `${volume}:/gone:O`]
    const script = "echo new > /rw/new; echo x > /gone/thrown; echo x 2>/dev/null > /ro/x || echo refused; ls /gone"
    expect(await builder("run", ...flags, name, "sh", "-c", script)).toBe("refused\nf\nnew\nthrown")
    expect(readFileSync(join(volume, "new"), "utf8")).toBe("new\n")
    expect(await builder("run", name, "ls", "/")).not.toMatch(/^(rw|ro|gone)$/m)
    const named = await skiff.run(["builder", "run", "-v", "cache:/c", name, "true"])
    expect(named.stderr).toContain("no named volumes")
    await builder("rm", name)
  })

  test("bind of the host and of an image, cache, tmpfs, secret", async () => {
    const directory = makeDirectory("binds", { f: "host", token: "s3cret" })
    const name = await builder("from", "--name", "mounts", "busybox")
    const bind = ["--contextdir", directory, "--mount", "type=bind,source=f,target=/f,bind-propagation=rslave,z"]
    expect(await builder("run", ...bind, name, "cat", "/f")).toBe("host")
    const image = ["--mount", "type=bind,from=busybox,source=/bin,target=/other"]
    expect(await builder("run", ...image, name, "ls", "/other/busybox")).toBe("/other/busybox")
    const cache = ["--mount", "type=cache,target=/cache,id=builder-run"]
    await builder("run", ...cache, name, "sh", "-c", "echo kept > /cache/f")
    expect(await builder("run", ...cache, name, "cat", "/cache/f")).toBe("kept")
    const memory = ["--mount", "type=tmpfs,tmpfs-size=1m,target=/t"]
    expect(await builder("run", ...memory, name, "sh", "-c", "grep -c ' /t tmpfs' /proc/mounts")).toBe("1")
    const secret = ["--secret", `id=token,src=${directory}/token`, "--mount", "type=secret,id=token"]
    expect(await builder("run", ...secret, name, "cat", "/run/secrets/token")).toBe("s3cret")
    await builder("commit", "-q", name, "without:1")
    const left = await skiff.ok("run", "--rm", "without:1", "sh", "-c", "ls -d /f /other /cache /t /run/secrets; true")
    expect(left).toBe("")
    await skiff.ok("rmi", "without:1")
    await builder("rm", name)
  })
})

test("names, variables, capabilities, limits and namespaces of one run", async () => {
  const name = await builder("from", "--name", "choices", "busybox")
  const flags = ["--hostname", "here", "--add-host", "there:192.0.2.7", "--dns", "192.0.2.53", "--env", "A=b"]
  const script = "hostname; grep there /etc/hosts; cat /etc/resolv.conf; echo $A; grep CapEff /proc/self/status"
  const shown = await builder("run", ...flags, "--cap-drop", "ALL", name, "sh", "-c", script)
  expect(shown).toBe("here\n192.0.2.7\tthere\nnameserver 192.0.2.53\nb\nCapEff:\t0000000000000000")
  expect(await builder("run", "--network", "none", name, "ls", "/sys/class/net")).toBe("lo")
  // of the host's namespaces: its processes are seen
  const host = await builder("run", "--pid", "host", "--ipc", "host", "--uts", "host", name, "sh", "-c", "ls /proc")
  expect(host.split("\n")).toContain(String(process.pid))
  const proxied = await skiff.run(["builder", "run", name, "sh", "-c", "echo $http_proxy"], {
    env: { http_proxy: "http://proxy.example:1" },
  })
  expect(proxied.stdout).toBe("http://proxy.example:1\n")
  const refused = await skiff.run(["builder", "run", "--no-pivot", name, "true"])
  expect(refused.stderr).toContain("--no-pivot")
  expect(await builder("run", name, "sh", "-c", "echo [$A]; hostname")).toBe(`[]\n${await shortId(name)}`)
  await builder("rm", name)
})

async function shortId(name: string): Promise<string> {
  return (await builder("inspect", "--format", "{{.ContainerID}}", name)).slice(0, 12)
}

test("what `from` is told holds for every run, and each adds to it", async () => {
  const volume = makeDirectory("always", { f: "always" })
  const told = [
    "--volume",
    `${volume}:/always:ro`,
    "--add-host",
    "one:192.0.2.1",
    "--network",
    "none",
    "--cap-drop",
    "KILL",
  ]
  const name = await builder("from", "--name", "told", "--format", "docker", ...told, "busybox")
  const script = "cat /always/f; ls /sys/class/net; grep 192.0.2 /etc/hosts"
  expect(await builder("run", "--add-host", "two:192.0.2.2", name, "sh", "-c", script)).toBe(
    "alwayslo\n192.0.2.1\tone\n192.0.2.2\ttwo",
  )
  await builder("config", "--hostname", "docker-only", name)
  const id = await builder("commit", "-q", name, "told:docker")
  const { Manifest } = JSON.parse(await builder("inspect", "--type", "image", id)) as { Manifest: string }
  expect(Manifest).toContain("vnd.docker.distribution.manifest.v2+json")
  await skiff.ok("rmi", "told:docker")
  await builder("rm", name)
})
