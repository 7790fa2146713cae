/** Who a program is, and what it finds around it. */
import { afterAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { spawnSync } from "node:child_process"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { executable } from "../support/skiff.ts"
import { openStore, rootlessOnly, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)
const refused = async (...args: string[]) => {
  const { code, stderr } = await skiff.run(["run", "--rm", ...args])
  expect(code).toBe(125)
  return stderr
}
const groupsOf = async (...flags: string[]) =>
  (await run("grep ^Groups: /proc/self/status", ...flags)).split(/\s+/).slice(1).filter(Boolean).join(" ")
const asUser = testUnless(rootlessOnly)

const withEnv = async (env: Record<string, string>, ...flags: string[]) =>
  (await skiff.run(["run", "--rm", ...flags, "busybox", "env"], { env })).stdout.trim().split("\n")

describe("variables", () => {
  test("--env-host gives the caller's, below the image's and the container's own", async () => {
    const own = { SECRET_OF_HOST: "a", PATH: "/usr/sbin:/usr/bin:/sbin:/bin" }
    expect(await withEnv(own)).not.toContain("SECRET_OF_HOST=a")
    const all = await withEnv({ ...own, B: "host" }, "--env-host", "-e", "B=own")
    expect(all).toContain("SECRET_OF_HOST=a")
    expect(all).toContain("B=own")
    expect(all).toContain("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    expect(all.filter((line) => line.includes("SKIFF_"))).toEqual([])
  })

  test("--http-proxy gives the caller's proxies alone", async () => {
    const env = { https_proxy: "http://proxy:1", NO_PROXY: "localhost", OTHER: "x" }
    expect((await withEnv(env)).join()).not.toContain("proxy")
    const given = await withEnv(env, "--http-proxy")
    expect(given).toContain("https_proxy=http://proxy:1")
    expect(given).toContain("NO_PROXY=localhost")
    expect(given).not.toContain("OTHER=x")
  })

  test("--env-merge is made of the image's", async () => {
    expect(await run("echo $PATH", "--env-merge", "PATH=/opt/bin:${PATH}")).toStartWith("/opt/bin:/usr/local/sbin:")
    expect(await run("echo [$A]", "--env-merge", "A=$NONE-${HOSTNAME}", "--hostname", "me")).toBe("[-me]")
  })

  test("--unsetenv takes one away, --unsetenv-all all that were not asked for", async () => {
    expect((await withEnv({}, "--unsetenv", "HOSTNAME")).join()).not.toContain("HOSTNAME")
    const { stdout } = await skiff.run(["run", "--rm", "--unsetenv-all", "-e", "A=1", "busybox", "/bin/env"])
    // what is not there a runtime looks up in passwd
    expect(stdout).toBe("A=1\nHOME=/root\n")
  })
})

describe("accounts", () => {
  test("--passwd adds a line for a number that the image does not know, and for no other", async () => {
    expect(await run("tail -1 /etc/passwd", "-u", "4321:8765", "--passwd", "-w", "/tmp")).toBe(
      "4321:*:4321:8765:container user:/tmp:/bin/sh",
    )
    expect(await run("tail -1 /etc/group", "-u", "4321:8765", "--passwd")).toBe("8765:x:8765:")
    expect(await run("id -un", "-u", "4321", "--passwd")).toBe("4321")
    expect(await run("grep -c : /etc/passwd", "-u", "4321")).toBe("2")
    expect(await run("grep -c : /etc/passwd", "-u", "1000", "--passwd")).toBe("2")
  })

  test("--passwd-entry and --group-entry are taken as they are, with their words filled in", async () => {
    const flags = ["-u", "77:78", "--passwd-entry", "me:x:$UID:$GID:Of $HOME:/me:/bin/no"]
    expect(await run("tail -1 /etc/passwd", ...flags)).toBe("me:x:77:78:Of /:/me:/bin/no")
    expect(await run("tail -1 /etc/group", "-u", "77:78", "--group-entry", "ours:x:$GID:a,b")).toBe("ours:x:78:a,b")
    expect(await refused("-u", "77", "--passwd-entry", "a\nb", "busybox", "true")).toContain("is one line")
    expect(await run("grep -c : /etc/passwd", ...flags, "--passwd=false")).toBe("2")
  })

  test("who joins another's network has lines of his own as well", async () => {
    await skiff.ok("run", "-d", "--name", "net", "busybox", "sleep", "600")
    const script = "id -un; cat /etc/hostname"
    const { Config } = await skiff.inspect("net")
    const shared = ["-u", "4321", "--passwd", "--network", "container:net"]
    expect(await run(script, ...shared)).toBe(`4321\n${Config.Hostname}`)
    await skiff.ok("rm", "-f", "net")
  })

  test("an exec finds the added user by his name", async () => {
    await skiff.ok("run", "-d", "--name", "named", "--hostuser", "daemon", "busybox", "sleep", "600")
    expect(await skiff.ok("exec", "-u", "daemon", "named", "id", "-u")).toBe("1")
    expect(await skiff.ok("exec", "-u", "user", "named", "id", "-u")).toBe("1000")
    await skiff.ok("rm", "-f", "named")
  })

  test("--hostuser adds an account of the host", async () => {
    expect(await run("grep ^daemon: /etc/passwd", "--hostuser", "daemon")).toMatch(/^daemon:\*:1:1:/)
    expect(await refused("--hostuser", "no-such-user", "busybox", "true")).toContain(
      'no such user on the host: "no-such-user"',
    )
  })

  asUser("with --userns keep-id the caller has his name inside", async () => {
    // the image has an account of this number, which goes before the caller's
    const name = user.uid === 1000 ? "user" : "skiff-test"
    expect(await run("id -un; id -gn", "--userns", "keep-id")).toBe(`${name}\n${name}`)
  })

  test("the image's own files stay as they are", async () => {
    await skiff.ok("run", "--name", "kept", "--passwd", "-u", "555", "busybox", "true")
    await skiff.ok("commit", "kept", "after")
    expect(await skiff.ok("run", "--rm", "after", "grep", "-c", ":", "/etc/passwd")).toBe("2")
    await skiff.ok("rm", "kept")
    await skiff.ok("rmi", "after")
  })
})

describe("groups", () => {
  test("are exactly those that were declared", async () => {
    expect(await groupsOf()).toBe("0")
    expect(await groupsOf("-u", "1000")).toBe("1000 2000")
    expect(await groupsOf("-u", "1000", "--group-add", "extra", "--group-add", "3000")).toBe("1000 2000 3000")
  })

  test("--group-add keep-groups keeps the caller's, with crun", async () => {
    const others = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--groups", `${user.gid},4242`]
    const words = [
      executable(),
      "run",
      "--rm",
      "--group-add",
      "keep-groups",
      "busybox",
      "grep",
      "^Groups:",
      "/proc/self/status",
    ]
    const { stdout } = spawnSync("setpriv", [...others, ...words], { env: skiff.env })
    // a group that the user namespace does not know has no number inside, and its rights all the same
    expect(stdout.toString().trim().split(/\s+/).slice(1)).toEqual(["0", user.rootless ? "65534" : "4242"])
    expect(await refused("--group-add", "keep-groups", "--group-add", "1", "busybox", "true")).toContain(
      "not allowed with any",
    )
    if (existsSync("/usr/sbin/runc"))
      expect(await refused("--runtime", "runc", "--group-add", "keep-groups", "busybox", "true")).toContain(
        "give --runtime crun",
      )
  })
})

describe("files over /etc", () => {
  test("--no-hosts and --no-hostname leave the image's", async () => {
    expect(await run("ls /etc/hosts 2>&1 | tail -1", "--no-hosts")).toContain("No such file")
    expect(await run("ls /etc/hostname 2>&1 | tail -1", "--no-hostname")).toContain("No such file")
    expect(await refused("--no-hosts", "--add-host", "a:1.2.3.4", "busybox", "true")).toContain("conflicting options")
  })

  test("--hosts-file gives another base", async () => {
    const file = join(skiff.directory, "hosts")
    writeFileSync(file, "1.2.3.4 elsewhere", { mode: 0o644 })
    expect(await run("cat /etc/hosts", "--hosts-file", file, "--network", "none")).toStartWith("1.2.3.4 elsewhere")
    expect(await run("cat /etc/hosts", "--hosts-file", "none", "--add-host", "a:1.2.3.4", "--network", "none")).toBe(
      "1.2.3.4\ta",
    )
    expect(await refused("--hosts-file", "/no/such/file", "busybox", "true")).toContain("cannot read the hosts file")
    rmSync(file)
  })

  test("--tz gives the container that zone", async () => {
    const zone = "/usr/share/zoneinfo/Asia/Tokyo"
    if (!existsSync(zone)) return console.log("skipped: this host has no tzdata")
    expect(await run("md5sum < /etc/localtime", "--tz", "Asia/Tokyo")).toBe(
      spawnSync("sh", ["-c", `md5sum < ${zone}`])
        .stdout.toString()
        .trim(),
    )
  })

  test("a time zone that is none is refused, and none leads out of the host's zones", async () => {
    for (const zone of ["Nowhere/City", "../../../etc/passwd", "/etc/passwd", "zone.tab", ""])
      expect(await refused("--tz", zone, "busybox", "true")).toContain("unknown time zone")
  })
})

describe("the process", () => {
  test("--umask holds for the program and for an exec", async () => {
    expect(await run("umask", "--umask", "0077")).toBe("0077")
    await skiff.ok("run", "-d", "--name", "masked", "--umask", "027", "busybox", "sleep", "600")
    expect(await skiff.ok("exec", "masked", "sh", "-c", "umask")).toBe("0027")
    expect(await skiff.ok("exec", "-u", "1000", "masked", "sh", "-c", "umask")).toBe("0027")
    await skiff.ok("rm", "-f", "masked")
    expect(await refused("--umask", "9", "busybox", "true")).toContain("expected an octal number")
  })

  test("--personality LINUX32 shows a machine of 32 bits", async () => {
    if (process.arch !== "x64") return
    expect(await run("uname -m", "--personality", "LINUX32")).toBe("i686")
    expect(await refused("--personality", "ADDR_NO_RANDOMIZE", "busybox", "true")).toContain("unknown execution domain")
  })

  test("--pidfile holds the pid", async () => {
    const file = join(skiff.directory, "home/pid")
    await skiff.ok("run", "-d", "--name", "noted", "--pidfile", file, "busybox", "sleep", "600")
    expect(Number(readFileSync(file, "utf8"))).toBe((await skiff.inspect("noted")).State.Pid)
    await skiff.ok("rm", "-f", "noted")
    rmSync(file)
  })

  test("--init-path names another init", async () => {
    expect(await refused("--init", "--init-path", "/no/init", "busybox", "true")).toContain(
      'the init "/no/init" is no program',
    )
  })

  test("--annotation reaches the runtime, and what would change the host is refused", async () => {
    expect(await run("true", "--annotation", "org.example=a b")).toBe("")
    expect(await refused("--annotation", "a=b\nc", "busybox", "true")).toContain("--annotation")
    const unit = "org.systemd.property.ExecStartPre=/x"
    expect(await refused("--annotation", unit, "busybox", "true")).toContain("would change a unit of the host")
  })
})

describe("what is mounted", () => {
  test("--read-only-tmpfs lets a read-only container write where programs must", async () => {
    const script = "for d in / /run /tmp /var/tmp; do (touch $d/x) 2>/dev/null && echo $d; done; true"
    expect(await run(script, "--read-only")).toBe("")
    expect(await run(script, "--read-only", "--read-only-tmpfs")).toBe("/run\n/tmp\n/var/tmp")
  })

  test("--image-volume: an anonymous volume, a tmpfs, or nothing", async () => {
    const registry = await sharedRegistry()
    const image = await registry.push("identity/volume:1", {
      ...BUSYBOX,
      config: { ...BUSYBOX.config, Volumes: { "/data": {} } },
    })
    const mounted = async (...flags: string[]) =>
      (await skiff.run(["run", "--rm", ...flags, image, "sh", "-c", "grep ' /data ' /proc/mounts"])).stdout
    expect(await mounted()).not.toBe("")
    expect(await mounted("--image-volume", "bind")).not.toContain("tmpfs /data tmpfs")
    expect(await mounted("--image-volume", "tmpfs")).toContain("tmpfs /data tmpfs")
    expect(await mounted("--image-volume", "ignore")).toBe("")
    expect(await skiff.ok("volume", "ls", "-q")).toBe("")
    await skiff.ok("rmi", image)
  })

  test("--systemd always mounts what systemd writes to, and stops it by its own signal", async () => {
    const script = "grep -E ' (/run|/run/lock|/tmp|/var/log/journal) tmpfs' /proc/mounts | wc -l; echo $container"
    expect(await run(script, "--systemd", "always")).toBe("4\noci")
    expect(await run(script)).toBe("0\n".trim())
    const id = await skiff.ok("create", "--systemd", "true", "busybox", "/sbin/init")
    expect((await skiff.inspect(id)).Config.StopSignal).toBe("SIGRTMIN+3")
    await skiff.ok("rm", id)
    expect(
      await run("df -k /run | tail -1 | awk '{print $2}'", "--systemd", "always", "--shm-size-systemd", "1m"),
    ).toBe("1024")
  })
})

describe("--rootfs", () => {
  const tree = join(skiff.directory, "tree")
  const build = () => {
    for (const name of ["bin", "etc", "dev", "proc", "sys", "tmp"]) mkdirSync(join(tree, name), { recursive: true })
    writeFileSync(join(tree, "bin/busybox"), readFileSync("/bin/busybox"), { mode: 0o755 })
    writeFileSync(join(tree, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n")
    if (user.rootless) spawnSync("chown", ["-R", `${user.uid}:${user.gid}`, tree])
  }
  afterAll(() => rmSync(tree, { recursive: true, force: true }))
  const inTree = (argument: string, script: string) =>
    skiff.ok("run", "--rm", "--rootfs", argument, "/bin/busybox", "sh", "-c", script)

  test("runs from a directory, which is written to, or with :O is not", async () => {
    build()
    await inTree(tree, "echo here > /written; ")
    expect(readFileSync(join(tree, "written"), "utf8")).toBe("here\n")
    expect(await inTree(`${tree}:O`, "/bin/busybox cat /written; echo b > /other; /bin/busybox cat /other")).toBe(
      "here\nb",
    )
    expect(existsSync(join(tree, "other"))).toBe(false)
  })

  test("lives, stops and starts as others do", async () => {
    build()
    const words = ["--rootfs", `${tree}:O`, "/bin/busybox", "sh", "-c", "echo more >> /log; /bin/busybox cat /log"]
    await skiff.ok("run", "--name", "exploded", ...words)
    expect(await skiff.ok("start", "-a", "exploded")).toBe("more\nmore")
    expect(await skiff.ok("ps", "-a", "--format", "{{.Image}}")).toContain(tree)
    expect((await skiff.inspect("exploded")).Name).toBe("/exploded")
    await skiff.ok("rm", "exploded")
    expect(await refused("--rootfs", "/no/such/tree", "true")).toContain('no such directory: "/no/such/tree"')
    expect(await refused("--rootfs", "/", "true")).toContain("cannot be the root of a container")
  })
})

describe("where the image comes from", () => {
  test("the flags of pull are heard", async () => {
    expect(await refused("--tls-verify=maybe", "busybox", "true")).toContain("expected true or false")
    expect(await refused("--arch", "arm64", "--pull", "never", "busybox", "true")).toContain("arm64")
    expect(await refused("--arch", "arm64", "--platform", "linux/arm64", "busybox", "true")).toContain(
      "can not be specified with",
    )
    expect(await refused("--decryption-key", "k", "busybox", "true")).toContain(
      "images are decrypted as they are pulled",
    )
  })

  test("credentials are not kept", async () => {
    const id = await skiff.ok("create", "--creds", "name:hidden-word", "busybox", "true")
    expect(JSON.stringify(await skiff.inspect(id))).not.toContain("hidden-word")
    const database = readFileSync(join(skiff.root, "skiff.db")).toString("latin1")
    const log = join(skiff.root, "skiff.db-wal")
    expect(database + (existsSync(log) ? readFileSync(log).toString("latin1") : "")).not.toContain("hidden-word")
    await skiff.ok("rm", id)
  })
})

const podman = async (...args: string[]) => {
  const env = { SKIFF_COMPAT: "podman", http_proxy: "http://proxy:1" }
  const { stdout, stderr, code } = await skiff.run(["run", "--rm", ...args], { env })
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""])
  return stdout.trim()
}

describe("as podman, where nothing is said", () => {
  test("proxies, the name of the engine, a line for the user and a umask are given", async () => {
    const env = await podman("busybox", "env")
    expect(env).toContain("http_proxy=http://proxy:1")
    expect(env).toContain("container=podman")
    expect(await podman("--unsetenv-all", "--http-proxy=false", "busybox", "/bin/env")).toBe("HOME=/root")
    expect(await podman("-u", "4321", "busybox", "id", "-un")).toBe("4321")
    expect(await podman("busybox", "sh", "-c", "umask")).toBe("0022")
  })

  test("a read-only container has places to write, and not with --read-only-tmpfs=false", async () => {
    expect(await podman("--read-only", "busybox", "sh", "-c", "touch /tmp/x /run/x && echo written")).toBe("written")
    const { code } = await skiff.run(
      ["run", "--rm", "--read-only", "--read-only-tmpfs=false", "busybox", "touch", "/tmp/x"],
      {
        env: { SKIFF_COMPAT: "podman" },
      },
    )
    expect(code).toBe(1)
  })

  test("memory is shareable, and the ids of a container are shown", async () => {
    const env = { SKIFF_COMPAT: "podman" }
    const words = ["run", "-d", "--name", "theirs", "--userns", "keep-id", "busybox", "sleep", "600"]
    expect((await skiff.run(words, { env })).code).toBe(0)
    const { stdout } = await skiff.run(["inspect", "theirs"], { env })
    const [{ HostConfig }] = JSON.parse(stdout) as [{ HostConfig: Record<string, unknown> }]
    expect(HostConfig).toMatchObject({ IpcMode: "shareable", UsernsMode: "keep-id" })
    expect(HostConfig.IDMappings).toMatchObject({
      UidMap: [expect.stringMatching(/^0:/), ...(user.rootless ? [expect.anything(), expect.anything()] : [])],
    })
    await skiff.ok("rm", "-f", "theirs")
  })
})
