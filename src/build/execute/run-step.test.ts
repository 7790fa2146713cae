/** RUN by the real runtime on a real overlay, as root. */
import { describe, expect, test } from "bun:test"
import { spawn } from "node:child_process"
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { createConnection, createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { mountPointsBelow } from "../../sys/fs/mount.ts"
import { ignoreMatcher } from "../../dockerfile/ignore-file.ts"
import type { RunMount } from "../plan/definition.ts"
import { CacheMounts } from "./cache-mounts.ts"
import { OCI_RUNTIMES } from "../../runtime/lab.suite.ts"
import { Lab, missing, whyNotBy } from "./lab.suite.ts"
import { forwardAgent } from "./ssh-agent.ts"

type Cache = Extract<RunMount, { type: "cache" }>
type Bind = Extract<RunMount, { type: "bind" }>

const bind = (more: Partial<Bind> = {}): Bind => ({
  type: "bind",
  target: "/mnt",
  from: 1,
  source: "/",
  writable: false,
  ...more,
})
const cache = (more: Partial<Cache> = {}): Cache => ({
  type: "cache",
  target: "/cache",
  id: "c",
  sharing: "shared",
  source: "",
  readOnly: false,
  mode: 0o755,
  uid: 0,
  gid: 0,
  ...more,
})

/** Names in the upper that a step has no right to leave. */
function changed(upper: string): string[] {
  return readdirSync(upper, { recursive: true, encoding: "utf8" })
    .filter((name) => !["proc", "sys", "dev", "etc"].includes(name))
    .toSorted()
}

/** Mounts of this mount namespace below a directory. */
function mountsBelow(directory: string): string[] {
  return mountPointsBelow(directory).filter((path) => !path.endsWith("-merged"))
}

const leftOut = (path: string) => path.endsWith("left-out")

const isRunning = (word: string): boolean =>
  readdirSync("/proc").some((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(word))

const commandLine = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1")
  } catch {
    return ""
  }
}

for (const runtime of OCI_RUNTIMES) {
  const reason = whyNotBy(runtime)
  describe.skipIf(reason !== undefined)(`RUN by ${runtime}`, () => {
    test("runs the words as the user, with the step's environment alone, and passes both outputs", async () => {
      await using lab = new Lab({ runtime })
      process.env.HOST_SECRET = "canary"
      const { root } = lab.makeRoot()
      const env = ["PATH=/bin", "HOST_SECRET", "=x", "A=b=c", "NO_PROXY=mine"]
      const settings = { proxy: ["NO_PROXY=theirs", "HTTP_PROXY=http://p"] }
      await lab.run(root, "env; id -u; id -G; hostname; pwd; echo oops >&2", {
        user: "app",
        env,
        settings,
        cwd: "/new/dir",
      })
      delete process.env.HOST_SECRET
      const lines = lab.output.split("\n").filter((line) => !/^(SHLVL|PWD)=/.test(line))
      expect(lines.toSorted()).toEqual(
        [
          "",
          "1000",
          "1001 1002",
          "/new/dir",
          "A=b=c",
          "HOME=/home/app",
          "HTTP_PROXY=http://p",
          "NO_PROXY=mine",
          "PATH=/bin",
          "buildkitsandbox",
          "oops",
        ].toSorted(),
      )
      expect([lstatSync(join(root, "new")).uid, lstatSync(join(root, "new/dir")).gid]).toEqual([1000, 1001])
    })

    test("opens its outputs again by their names, as root and as an ordinary user", async () => {
      for (const user of ["", "app"]) {
        await using lab = new Lab({ runtime })
        const { root } = lab.makeRoot()
        await lab.run(root, "echo out > /dev/stdout; echo err >> /dev/stderr; echo fd > /proc/self/fd/1", { user })
        expect(lab.output.split("\n").filter(Boolean).toSorted()).toEqual(["err", "fd", "out"])
      }
    })

    test("tells the exit code of a program that fails, and why one cannot be run", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const failure = { code: "FailedPrecondition", data: { programExit: 3 } }
      await expect(lab.run(root, "exit 3")).rejects.toMatchObject(failure)
      await expect(lab.run(root, "exit 3")).rejects.toThrow(
        'process "/bin/sh -c exit 3" did not complete successfully: exit code: 3',
      )
      await expect(lab.run(root, ["no-such"])).rejects.toMatchObject({ data: { programExit: 127 } })
      await expect(lab.run(root, ["true"], { user: "nobody-here" })).rejects.toThrow("unable to find user")
      await expect(lab.run(root, ["true"], { user: "4294967296" })).rejects.toThrow("out of range")
    })

    test("leaves nothing of /etc/hosts and resolv.conf, and the time of their directory as it was", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot("s", { "etc/resolv.conf": "->../run/gone/resolv.conf" })
      utimesSync(join(root, "etc"), 1e9, 1e9)
      await lab.run(root, "grep -q 192.0.2.1 /etc/resolv.conf && grep -q db /etc/hosts", {
        settings: { extraHosts: ["db:192.0.2.7"] },
      })
      expect(changed(upper)).toEqual([])
      expect(existsSync(join(root, "etc/hosts"))).toBe(false)
      expect(readlinkSync(join(root, "etc/resolv.conf"))).toBe("../run/gone/resolv.conf")
      expect(lstatSync(join(root, "etc")).mtimeMs).toBe(1e12)
    })

    test("the clean-up of mount points removes nothing where RUN put a link to elsewhere", async () => {
      await using lab = new Lab({ runtime })
      const canary = lab.makeFiles("canary", { "deep/point": "" })
      const { root } = lab.makeRoot()
      const mounts: RunMount[] = [{ type: "tmpfs", target: "/a/deep/point" }]
      await lab.run(root, `mv /a /moved; ln -s ${canary} /a; ln -s ${canary}/deep /b`, { mounts })
      expect(readdirSync(join(canary, "deep"))).toEqual(["point"])
      expect(readdirSync(join(root, "moved"))).toEqual([])
    })

    test("has the default bridge, which the next step uses again, or no network, or the host's", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      await lab.run(root, "ip -4 a | grep -c inet; cat /proc/sys/net/ipv4/ip_unprivileged_port_start", {
        network: "default",
      })
      expect(lab.log.splice(0).join("")).toBe("2\n0\n")
      const addresses = []
      for (let step = 0; step < 2; step++) {
        await lab.run(root, "ip -4 a show eth0 | grep inet", { network: "default" })
        addresses.push(lab.log.splice(0).join(""))
      }
      expect(addresses[0]).toBe(addresses[1])
      await lab.run(root, "ip -4 a | grep -c eth0 || readlink /proc/self/ns/net", { network: "none" })
      expect(lab.log.splice(0).join("")).not.toContain(readlinkSync("/proc/self/ns/net"))
      await lab.run(root, ["ls", "-l", "/proc/self/ns/net"], { network: "host" })
      expect(lab.output).toContain(readlinkSync("/proc/self/ns/net"))
    })

    test("is confined as a container: default seccomp and capabilities, masked paths; not where it may be insecure", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const look =
        "grep -E 'Cap|Seccomp:' /proc/self/status; ls /sys/firmware | wc -l; mount -t tmpfs x /tmp 2>&1 | head -c 5"
      await lab.run(root, look)
      expect(lab.log.splice(0).join("")).toMatch(
        /CapInh:\t0+\nCapPrm:\t00000000a80425fb[^]*CapAmb:\t0+\nSeccomp:\t2\n0\nmount/,
      )
      await lab.run(root, look, { security: "insecure" })
      expect(lab.output).toMatch(/CapInh:\t0+\n[^]*Seccomp:\t0\n/)
    })

    test("an abort kills all that the step started", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 200)
      await expect(lab.run(root, "sleep 1234567 & sleep 1234567", { signal: stop.signal })).rejects.toMatchObject({
        code: "Cancelled",
      })
      expect(isRunning("1234567\0")).toBe(false)
      const states = join(lab.runRoot, "runtime")
      const left = readdirSync(states).flatMap((name) => readdirSync(join(states, name)))
      // a newer crun keeps compiled filters beside the containers
      expect(left.filter((name) => name !== ".cache")).toEqual([])
      // and the next step runs as if nothing had been
      await lab.run(root, "true")
    })

    test("two steps at once have two networks, and nothing is left of either", async () => {
      const lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const { root: other } = lab.makeRoot("t")
      await Promise.all(
        [root, other].map((one) => lab.run(one, "ip -4 a show eth0 | grep inet", { network: "default" })),
      )
      expect(new Set(lab.log).size).toBe(2)
      await lab.end()
      expect(readdirSync(join(lab.deps.root, "builds"))).toEqual([])
      expect(readdirSync(join(lab.deps.root, "builds.locks"))).toEqual([])
      expect(mountsBelow(lab.directory)).toEqual([])
      await lab[Symbol.asyncDispose]()
    })
  })

  describe.skipIf(reason !== undefined)(`RUN --mount by ${runtime}`, () => {
    test("bind: read-only, or writable with the changes thrown away; its point is gone afterwards", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot()
      const path = lab.makeFiles("src", { "d/f": "F", "d/g": "G", one: "1" })
      const sources = [{ path, keepsOwners: false }]
      const look = "exec 2>&1; cat f; echo new > f || echo ro; cat f"
      await lab.run(root, look, { cwd: "/x/y", mounts: [bind({ source: "/d", target: "." })], sources })
      await lab.run(root, `${look}; rm g; ls`, {
        cwd: "/x/y",
        mounts: [bind({ source: "/d", target: "/x/y", writable: true })],
        sources,
      })
      await lab.run(root, "echo 2 > /one; cat /one", {
        mounts: [bind({ source: "/one", target: "/one", writable: true })],
        sources,
      })
      expect(lab.output).toBe("F/bin/sh: can't create f: Read-only file system\nro\nFFnew\nf\n2\n")
      expect([readFileSync(join(path, "d/f"), "utf8"), readFileSync(join(path, "one"), "utf8")]).toEqual(["F", "1"])
      expect(changed(upper)).toEqual(["x", "x/y"])
      expect(mountsBelow(lab.directory)).toEqual([])
    })

    test("bind: files of a context are root's, whoever has them on the host", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const path = lab.makeFiles("context", { "a/f": "f", "a/left-out": "l", "a/b/g": "g" })
      for (const name of ["a/f", "a/left-out"]) chownSync(join(path, name), 1000, 1001)
      chmodSync(join(path, "a/f"), 0o6755)
      const sources = [{ path, excludes: leftOut, keepsOwners: false }]
      const script = "cd /mnt; ls; stat -c '%a %u:%g %n' . f b/g; touch f 2>/dev/null || echo ro"
      await lab.run(root, script, { mounts: [bind({ source: "/a" })], sources })
      expect(lab.output).toBe("b\nf\n755 0:0 .\n6755 0:0 f\n644 0:0 b/g\nro\n")
      lab.log.length = 0
      const file = [bind({ source: "/a/f", writable: true })]
      await lab.run(root, "stat -c '%u:%g' /mnt; echo new > /mnt; cat /mnt", { mounts: file, sources })
      expect(lab.output).toBe("0:0\nnew\n")
      expect(readFileSync(join(path, "a/f"), "utf8")).toBe("f")
      // of a stage, owners are what they are
      lab.log.length = 0
      await lab.run(root, "stat -c '%u:%g' /mnt/f", {
        mounts: [bind({ source: "/a" })],
        sources: [{ path, keepsOwners: true }],
      })
      expect(lab.output).toBe("1000:1001\n")
    })

    test("bind: the same where all files are one other's, as they lie or with what is left out and written", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const path = lab.makeFiles("context", { "a/f": "f", "a/left-out": "l", "a/b/g": "g" })
      for (const name of ["", "a", "a/f", "a/left-out", "a/b", "a/b/g"]) chownSync(join(path, name), 1000, 1001)
      for (const [excludes, writable] of [
        [undefined, false],
        [leftOut, false],
        [leftOut, true],
      ] as const) {
        const sources = [{ path, keepsOwners: false, ...(excludes ? { excludes } : {}) }]
        const script =
          "cd /mnt; stat -c '%u:%g' . f b/g | uniq; ls; echo new 2>/dev/null > f || echo ro; stat -c '%u:%g' f"
        await lab.run(root, script, { mounts: [bind({ source: "/a", writable })], sources })
      }
      expect(lab.output).toBe("0:0\nb\nf\nleft-out\nro\n0:0\n0:0\nb\nf\nro\n0:0\n0:0\nb\nf\n0:0\n")
      expect(readFileSync(join(path, "a/f"), "utf8")).toBe("f")
    })

    test("bind: a source is found inside its root only, and a link to the host is not followed out", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const canary = lab.makeFiles("canary", { secret: "HOST" })
      const path = lab.makeFiles("src", { abs: `->${canary}`, root: "->/", up: "->../../../../../..", in: "I" })
      const sources = [{ path, keepsOwners: false }]
      await expect(lab.run(root, "cat /mnt/secret", { mounts: [bind({ source: "/abs" })], sources })).rejects.toThrow(
        '"/abs": not found',
      )
      for (const source of ["/root", "/up", "/../../.."])
        await lab.run(root, "cat /mnt/in; ls /mnt/etc", { mounts: [bind({ source })], sources }).catch(() => {})
      expect(lab.output.replaceAll(/ls: .*\n/g, "")).toBe("III")
    })

    test("bind: while another swaps the source for a link, only the source or nothing is seen", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const canary = lab.makeFiles("canary", { f: "HOST" })
      const path = lab.makeFiles("src", { "d/f": "OWN" })
      symlinkSync(canary, join(path, "evil"))
      const swap = `const { libc } = await import(${JSON.stringify(join(import.meta.dir, "../../sys/libc.ts"))})
      const [a, b] = ["d", "evil"].map((name) => Buffer.from(${JSON.stringify(path)} + "/" + name + "\\0"))
      for (;;) libc.renameat2(-100, a, -100, b, 2)`
      const swapper = spawn(process.execPath, ["-e", swap], { stdio: "ignore" })
      try {
        await sleep(100)
        for (let time = 0; time < 40; time++)
          await lab
            .run(root, ["cat", "/mnt/f"], { mounts: [bind({ source: "/d" })], sources: [{ path, keepsOwners: false }] })
            .catch(() => {})
      } finally {
        swapper.kill("SIGKILL")
      }
      expect(lab.output).not.toContain("HOST")
    })

    test("bind: what the ignore file leaves out is not seen", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const path = lab.makeFiles("src", { a: "", "key.pem": "K", "n/x": "", "n/keep/y": "" })
      const matcher = ignoreMatcher(["*.pem", "n", "!n/keep"])
      const source = {
        path,
        keepsOwners: false,
        excludes: (name: string) => matcher.excludes(name),
        mayHoldIncluded: (name: string) => matcher.mayHoldIncluded(name),
      }
      for (const writable of [false, true])
        await lab.run(root, "cd /mnt; find . -type f", { mounts: [bind({ writable })], sources: [source] })
      expect(lab.output.split("\n").filter(Boolean).toSorted()).toEqual(["./a", "./a", "./n/keep/y", "./n/keep/y"])
      await expect(
        lab.run(root, "true", { mounts: [bind({ source: "/key.pem" })], sources: [source] }),
      ).rejects.toThrow("not found")
    })

    test("bind: the same where no overlay can be laid over the source: too many lie there already", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const lower = lab.makeFiles("src", { a: "", n: "" })
      for (const layer of ["one", "two"]) lab.mountOver(layer === "one" ? lower : join(lab.directory, "one"), layer)
      const path = join(lab.directory, "two")
      const source = { path, keepsOwners: false, excludes: (name: string) => name === "n" }
      for (const writable of [true, false])
        await lab.run(root, "cd /mnt; touch new 2>/dev/null; ls", { mounts: [bind({ writable })], sources: [source] })
      expect(lab.output).toBe("a\nnew\na\n")
      expect(readdirSync(lower).toSorted()).toEqual(["a", "n"])
    })

    test("cache: keeps what steps write, begins with `from`, and has the mode and owner asked for", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot()
      const mounts = [cache({ mode: 0o700, uid: 1000, gid: 1001 })]
      await lab.run(root, "stat -c '%a %u:%g' /cache; echo kept > /cache/f", { mounts })
      await lab.run(root, "cat /cache/f; touch /cache/f 2>/dev/null || echo ro", {
        mounts: [cache({ readOnly: true })],
      })
      const path = lab.makeFiles("seed", { "in/s": "seed" })
      await lab.run(root, "cat /cache/s", {
        mounts: [cache({ id: "seeded", from: 1, source: "/in" })],
        sources: [{ path, keepsOwners: true }],
      })
      expect(lab.output).toBe("700 1000:1001\nkept\nro\nseed")
      // what it begins with is part of what it is
      const other = lab.makeFiles("other-seed", { "in/s": "other" })
      for (const [seed, identity] of [
        [path, "one"],
        [other, "two"],
        [other, "one"],
      ] as const)
        await lab.run(root, "cat /cache/s", {
          mounts: [cache({ id: "seeded", from: 1, source: "/in" })],
          sources: [{ path: seed, identity, keepsOwners: true }],
        })
      expect(lab.output).toEndWith("seedseedotherseed")
      expect(changed(upper)).toEqual([])
    })

    test("cache: an id never becomes a path, and a source leads nowhere outside", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const ids = ["../../x", "/etc", "..", "a\0b", "x".repeat(4096)]
      for (const id of ids) await lab.run(root, "echo 1 > /cache/f", { mounts: [cache({ id })] })
      const directories = readdirSync(join(lab.deps.root, "build/cache-mounts"))
      expect(directories.length).toBe(ids.length)
      expect(directories.every((name) => /^[0-9a-f]{64}$/.test(name))).toBe(true)
      await lab.run(root, `ln -s ${lab.directory} /cache/out`, { mounts: [cache()] })
      await lab.run(root, "echo evil > /cache/evil", { mounts: [cache({ source: "" }), cache({ target: "/c2" })] })
      await lab.run(root, "ls /cache", { mounts: [cache({ source: "out/../../../.." })] })
      expect(readdirSync(lab.directory).includes("evil")).toBe(false)
    })

    test("cache: locked waits for others, private takes another", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      const { root: other } = lab.makeRoot("t")
      const count = "echo $$ >> /cache/in; wc -l < /cache/in; sleep 0.3; rm /cache/in"
      const both = (id: string, sharing: Cache["sharing"]) =>
        Promise.all([root, other].map((one) => lab.run(one, count, { mounts: [cache({ id, sharing })] })))
      await both("l", "locked")
      await both("p", "private")
      expect(lab.output.match(/\d+/g)).toEqual(["1", "1", "1", "1"])
      const caches = new CacheMounts(lab.deps.root)
      expect((await caches.list()).map(({ name, inUse }) => [name, inUse]).toSorted()).toEqual([
        ["l", false],
        ["p", false],
        ["p", false],
      ])
      for (const { id } of await caches.list()) expect(await caches.remove(id)).toBe(true)
      expect([await caches.list(), await caches.remove("../../../etc/0")]).toEqual([[], false])
    })

    test("tmpfs: is empty, bounded, and gone", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot("s", { "t/old": "", link: "->private", "private/": "" })
      chmodSync(join(root, "private"), 0o2710)
      await lab.run(root, "ls /t; echo x > /t/new; df -k /t | grep -o ' 1024 '; stat -c %a /t /u /private", {
        mounts: [
          { type: "tmpfs", target: "/t", sizeBytes: 1 << 20 },
          { type: "tmpfs", target: "/u" },
          { type: "tmpfs", target: "/link" },
        ],
      })
      expect(lab.output.trim().split(/\s+/)).toEqual(["1024", "755", "1777", "2710"])
      expect(changed(upper)).toEqual(["private"])
    })

    test("secret: a file with mode and owner, or a variable; in no layer and on no disk afterwards", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot()
      const file = join(lab.makeFiles("host", { token: "s3cr3t-canary" }), "token")
      const secret = { type: "secret", id: "t", required: true, mode: 0o440, uid: 1000, gid: 1001 } as const
      const settings = { secrets: [{ id: "t", source: { file } }] }
      await lab.run(
        root,
        "cat /run/secrets/t; stat -c ' %a %u:%g' /run/secrets/t; grep secrets /proc/mounts | grep -c tmpfs",
        { mounts: [secret], settings },
      )
      await lab.run(root, "echo $TOKEN; ls /run", { mounts: [{ ...secret, env: "TOKEN" }], settings }).catch(() => {})
      // what ls says of a root without /run comes by another pipe, at any place
      expect(lab.output.replace(/^ls: .*\n/m, "")).toStartWith("s3cr3t-canary 440 1000:1001\n1\ns3cr3t-canary\n")
      expect(changed(upper)).toEqual([])
      const grep = Bun.spawnSync(["grep", "-rl", "s3cr3t-canary", lab.deps.root, lab.runRoot, upper])
      expect(grep.stdout.toString()).toBe("")
      await expect(lab.run(root, "true", { mounts: [secret] })).rejects.toThrow("secret t: not found")
      await lab.run(root, "test ! -e /run/secrets/t", { mounts: [{ ...secret, required: false }] })
      writeFileSync(file, Buffer.alloc(600 * 1024))
      await expect(lab.run(root, "true", { mounts: [secret], settings })).rejects.toThrow("secret t has 614400 bytes")
    })

    test("ssh: the step's user reaches the agent", async () => {
      await using lab = new Lab({ runtime })
      const { root, upper } = lab.makeRoot()
      const socket = join(lab.directory, "agent")
      const agent = createServer((end) => void end.on("data", (bytes) => end.end(`agent heard ${bytes}`)))
      await new Promise<void>((resolve) => agent.listen(socket, resolve))
      try {
        const mounts: RunMount[] = [{ type: "ssh", id: "default", required: true, mode: 0o600, uid: 1000, gid: 1001 }]
        const settings = { ssh: [{ id: "default", socket }] }
        await lab.run(root, "test -S $SSH_AUTH_SOCK && stat -c '%a %u' $SSH_AUTH_SOCK", {
          user: "app",
          mounts,
          settings,
        })
        expect(lab.output).toBe("600 1000\n")
        await using _ = await forwardAgent(join(lab.directory, "forward"), socket)
        const client = createConnection(join(lab.directory, "forward"))
        client.write("hello")
        expect(Buffer.concat(await Array.fromAsync(client)).toString()).toBe("agent heard hello")
        expect(changed(upper)).toEqual([])
        await expect(lab.run(root, "true", { mounts })).rejects.toThrow('no SSH agent "default"')
      } finally {
        agent.close()
      }
    })

    test("nothing is mounted over / or /proc, and a root whose /dev is a link is refused", async () => {
      await using lab = new Lab({ runtime })
      const { root } = lab.makeRoot()
      for (const target of ["/", "/proc/sys"])
        await expect(lab.run(root, "true", { mounts: [{ type: "tmpfs", target }] })).rejects.toThrow(/mount/)
      const { root: evil } = lab.makeRoot("evil", { dev: "->/tmp" })
      await expect(lab.run(evil, "true")).rejects.toThrow('"/dev" of the container is not a directory')
    })
  })
}

test("a sweep takes back what a killed build left: processes, mounts, network, files", async () => {
  if (missing !== undefined) return
  await using lab = new Lab()
  const { root } = lab.makeRoot()
  const script = `
    const { openLabExecutor } = await import(${JSON.stringify(join(import.meta.dir, "lab.suite.ts"))})
    await openLabExecutor(${JSON.stringify(lab.directory)}, ${JSON.stringify(root)}, "echo up; sleep 7654321")`
  const victim = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] })
  await new Promise((resolve) => victim.stdout.once("data", resolve))
  victim.kill("SIGKILL")
  await new Promise((resolve) => victim.once("close", resolve))
  expect(isRunning("7654321\0")).toBe(true)
  expect(mountsBelow(lab.directory).length).toBeGreaterThan(0)
  expect(await lab.directories.sweep()).toBe(1)
  await lab.run(root, "true", { network: "default" })
  expect(isRunning("7654321\0")).toBe(false)
  expect(mountsBelow(lab.directory)).toEqual([])
  expect(readdirSync(join(lab.deps.root, "builds")).length).toBe(1)
  expect(lab.endpoints()).toBe(1)
})
