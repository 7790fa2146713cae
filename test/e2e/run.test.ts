/** `skiff run`: the program, its environment, its identity, its exit code. */
import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { BUSYBOX } from "../support/image.ts"
import { sharedRegistry } from "../support/registry.ts"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const sh = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

describe("the program", () => {
  test("prints what it prints, each stream to its own", async () => {
    const { code, stdout, stderr } = await skiff.run(["run", "--rm", "busybox", "sh", "-c", "echo out; echo err >&2"])
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "out\n", stderr: "err\n" })
  })

  test("gives its own exit code", async () => {
    expect((await skiff.run(["run", "--rm", "busybox", "sh", "-c", "exit 42"])).code).toBe(42)
  })

  test("killed by a signal gives 128 and its number", async () => {
    expect((await skiff.run(["run", "--rm", "--init", "busybox", "sh", "-c", "kill -9 $$"])).code).toBe(137)
  })

  test("that is not there gives 127", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "busybox", "/no/such/program"])
    expect(code).toBe(127)
    expect(stderr).toContain("/no/such/program")
  })

  test("that cannot be run gives 126", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "busybox", "/etc/passwd"])
    expect(code).toBe(126)
    expect(stderr).toContain("/etc/passwd")
  })

  test("reads standard input with -i, to its end", async () => {
    const { stdout } = await skiff.run(["run", "--rm", "-i", "busybox", "cat"], { stdin: "hi\nthere\n" })
    expect(stdout).toBe("hi\nthere\n")
  })

  test("reads nothing without -i", async () => {
    const { code, stdout } = await skiff.run(["run", "--rm", "busybox", "cat"], { stdin: "hi\n" })
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
  })

  test("may print a megabyte, whole and in order", async () => {
    const { stdout } = await skiff.run(["run", "--rm", "busybox", "seq", "1", "200000"])
    expect(stdout.length).toBe(1_288_895)
    expect(stdout.endsWith("199999\n200000\n")).toBe(true)
  })

  test("takes words after the image as its own, flags too", async () => {
    expect(await skiff.ok("run", "--rm", "busybox", "echo", "--rm", "-it", "--name=x")).toBe("--rm -it --name=x")
  })

  test("is the image's command when none is named", async () => {
    expect((await skiff.run(["run", "--rm", "-i", "busybox"], { stdin: "echo from sh\n" })).stdout).toBe("from sh\n")
  })
})

describe("flags", () => {
  test("a boolean flag never eats the image name", async () => {
    expect(await skiff.ok("run", "--rm=true", "--read-only", "--init", "busybox", "echo", "here")).toBe("here")
  })

  test("--rm=false keeps the container", async () => {
    await skiff.ok("run", "--rm=false", "--name", "kept", "busybox", "true")
    expect(await skiff.ok("ps", "-a", "--filter", "name=kept", "--format", "{{.Names}}")).toBe("kept")
    await skiff.ok("rm", "kept")
  })

  test("-e sets, empties, and takes from the caller", async () => {
    const args = ["run", "--rm", "-e", "A=1", "-e", "B=", "-e", "FROM_CALLER", "-e", "ABSENT", "busybox", "env"]
    const { stdout } = await skiff.run(args, { env: { FROM_CALLER: "yes" } })
    const lines = stdout.split("\n")
    expect(lines).toContain("A=1")
    expect(lines).toContain("B=")
    expect(lines).toContain("FROM_CALLER=yes")
    expect(stdout).not.toContain("ABSENT")
  })

  test("the caller's environment stays outside", async () => {
    const { stdout } = await skiff.run(["run", "--rm", "busybox", "env"], { env: { SECRET_OF_CALLER: "x" } })
    expect(stdout).not.toContain("SECRET_OF_CALLER")
    expect(stdout).not.toContain("SKIFF")
    expect(stdout).toMatch(/^HOME=\/root$/m)
    expect(stdout).toMatch(/^HOSTNAME=[0-9a-f]{12}$/m)
    expect(stdout).toMatch(/^PATH=/m)
  })

  test("--env-file reads lines, skips comments; -e wins", async () => {
    const file = join(skiff.home, "env")
    writeFileSync(file, "# comment\nONE=1\nTWO=a b # not a comment\n\n", { mode: 0o644 })
    const { stdout } = await skiff.run(["run", "--rm", "--env-file", file, "-e", "ONE=override", "busybox", "env"])
    expect(stdout).toContain("ONE=override\n")
    expect(stdout).toContain("TWO=a b # not a comment\n")
  })

  test("-w makes and enters the directory", async () => {
    expect(await sh("pwd", "-w", "/a/new/place")).toBe("/a/new/place")
  })

  test("-u takes a name, a number, a group", async () => {
    expect(await sh("id -u; id -g; id -G", "-u", "user")).toBe("1000\n1000\n1000 2000")
    expect(await sh("id -u; id -g", "-u", "1234:2345")).toBe("1234\n2345")
    expect(await sh("id -u; id -g", "-u", "user:extra")).toBe("1000\n2000")
    expect(await sh("echo $HOME", "-u", "user")).toBe("/home")
  })

  test("--group-add adds groups", async () => {
    expect(
      (await sh("id -G", "-u", "1000:1000", "--group-add", "extra", "--group-add", "77")).split(" ").toSorted(),
    ).toEqual(["1000", "2000", "77"])
  })

  test("--entrypoint replaces the image's, and its command", async () => {
    expect(await skiff.ok("run", "--rm", "--entrypoint", "echo", "busybox", "a", "b")).toBe("a b")
  })

  test("--hostname, and the container's short id without it", async () => {
    expect(await sh("hostname; cat /etc/hostname", "--hostname", "boat.example")).toBe("boat.example\nboat.example")
    expect(await sh("hostname")).toMatch(/^[0-9a-f]{12}$/)
  })

  test("--init reaps orphans", async () => {
    const zombies = await sh("(sleep 0.1 &) ; sleep 0.4; ps -o stat,comm | grep -c '^Z' || true", "--init")
    expect(zombies).toBe("0")
    expect(await sh("cat /proc/1/comm", "--init")).not.toBe("sh")
  })

  test("--read-only forbids writing, except in the tmpfs asked for", async () => {
    const outcome = await sh(
      "touch /x 2>/dev/null && echo written; touch /tmp/x && echo fine",
      "--read-only",
      "--tmpfs",
      "/tmp",
    )
    expect(outcome).toBe("fine")
  })

  test("--label and --label-file are kept", async () => {
    await skiff.ok("create", "--name", "labelled", "--label", "a=1", "-l", "b", "busybox")
    expect((await skiff.inspect("labelled")).Config.Labels).toMatchObject({ a: "1", b: "" })
    expect(await skiff.ok("ps", "-aq", "--no-trunc", "--filter", "label=a=1")).toBe(
      (await skiff.inspect("labelled")).Id,
    )
    await skiff.ok("rm", "labelled")
  })

  test("--cidfile is written once and never over another", async () => {
    const file = join(skiff.home, "cid")
    await skiff.ok("run", "--rm", "--cidfile", file, "busybox", "true")
    expect(readFileSync(file, "utf8")).toMatch(/^[0-9a-f]{64}$/)
    const { code, stderr } = await skiff.run(["run", "--rm", "--cidfile", file, "busybox", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain(file)
  })

  test("--ulimit sets soft and hard", async () => {
    expect(await sh("ulimit -Sn; ulimit -Hn", "--ulimit", "nofile=512:1024")).toBe("512\n1024")
  })

  test("--sysctl sets a namespaced key", async () => {
    expect(
      await sh(
        "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
        "--sysctl",
        "net.ipv4.ip_unprivileged_port_start=81",
      ),
    ).toBe("81")
  })

  test("--sysctl of the host is refused", async () => {
    expect((await skiff.run(["run", "--rm", "--sysctl", "kernel.panic=1", "busybox", "true"])).code).toBe(125)
  })

  test("--device gives the device", async () => {
    expect(await sh("test -c /dev/tunnel && echo there", "--device", "/dev/net/tun:/dev/tunnel")).toBe("there")
  })

  test("--shm-size sizes /dev/shm", async () => {
    expect(await sh("df -k /dev/shm | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2", "--shm-size", "8m")).toBe("8192")
  })

  test("--pull never refuses what is not here", async () => {
    const { code, stderr } = await skiff.run(["run", "--rm", "--pull", "never", "nowhere/absent", "true"])
    expect(code).toBe(125)
    expect(stderr).toContain("nowhere/absent")
  })

  test("--pull missing fetches, and runs", async () => {
    const name = (await sharedRegistry()).push("run/missing:1", BUSYBOX)
    const { code, stdout } = await skiff.run(["run", "--rm", name, "echo", "pulled"])
    expect({ code, stdout }).toEqual({ code: 0, stdout: "pulled\n" })
  })

  test("--platform that the image lacks is refused with the platforms it has", async () => {
    const name = (await sharedRegistry()).push("run/platforms:1", BUSYBOX, { ...BUSYBOX, architecture: "s390x" })
    const { code, stderr } = await skiff.run(["run", "--rm", "--platform", "linux/ppc64le", name, "true"])
    expect(code).toBe(125)
    expect(stderr).toContain("s390x")
  })

  test("--privileged gives all capabilities and writable /sys", async () => {
    const caps = await sh("grep CapEff /proc/self/status", "--privileged")
    expect(caps).toMatch(/CapEff:\s+0000[01]1?f+/)
  })
})

describe("the image's configuration", () => {
  const config = {
    Env: ["PATH=/bin", "COLOUR=blue"],
    WorkingDir: "/work/here",
    User: "user",
    Entrypoint: ["/bin/sh", "-c", 'echo "$COLOUR $(pwd) $(id -u) $0 $@"'],
    Cmd: ["zero", "one"],
    Labels: { from: "image" },
    StopSignal: "SIGINT",
    ExposedPorts: { "80/tcp": {} },
    Volumes: { "/data": {} },
  }
  test("is honoured, and given way to the command line", async () => {
    const name = (await sharedRegistry()).push("run/config:1", { ...BUSYBOX, config })
    expect(await skiff.ok("run", "--rm", name)).toBe("blue /work/here 1000 zero one")
    expect(await skiff.ok("run", "--rm", "-u", "0", "-w", "/tmp", "-e", "COLOUR=red", name, "mine")).toBe(
      "red /tmp 0 mine",
    )
    await skiff.ok("create", "--name", "configured", name)
    const document = await skiff.inspect("configured")
    expect(document.Config.Labels).toMatchObject({ from: "image" })
    expect(document.Mounts.map((mount) => [mount.Type, mount.Destination])).toEqual([["volume", "/data"]])
    await skiff.ok("rm", "-v", "configured")
  })
})

test("a user that the image does not know is refused", async () => {
  const { code, stderr } = await skiff.run(["run", "--rm", "-u", "nobody-here", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toContain("nobody-here")
})

testUnless(!existsSync("/proc/self/uid_map") && "no user namespaces")(
  "root inside is the caller outside, when rootless",
  async () => {
    const [, outside] = (await sh("cat /proc/self/uid_map")).trim().split(/\s+/)
    expect(Number(outside)).toBe(user.rootless ? user.uid : 0)
  },
)
