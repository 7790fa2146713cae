/** What every OCI runtime must do for us, beneath conmon. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isSkiffError } from "../base/errors.ts"
import { AT_FDCWD, close, cString, libc } from "../sys/libc.ts"
import { processStartTime } from "../sys/process/process.ts"
import { gather, Lab, whyNot } from "./lab.suite.ts"

export function runtimeSuite(name: string): void {
  const reason = whyNot(name)
  if (reason !== false) console.log(`skipped: containers under ${name}: ${reason}`)
  describe.skipIf(reason !== false)(`containers under ${name}`, () => {
    let lab: Lab
    beforeAll(() => void (lab = new Lab(name)))
    afterAll(() => lab[Symbol.asyncDispose]())

    test("a program's output and exit code arrive, and nothing is left", async () => {
      const container = await lab.create(["sh", "-c", "echo out; echo err >&2; exit 3"])
      expect(await container.finish()).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" })
      await container.runtime.delete(container.id)
      await container.runtime.delete(container.id) // safe to repeat
      await expect(container.runtime.state(container.id)).rejects.toMatchObject({ code: "NotFound" })
      expect(processStartTime(container.monitor.pid)).toBeUndefined()
    })

    test("the end by a signal is 128 + n, also for another process that finds the monitor", async () => {
      const container = await lab.create(["sleep", "60"])
      await container.runtime.start(container.id)
      expect((await container.runtime.state(container.id)).status).toBe("running")
      const { id, bundle, monitor } = container
      const found = container.runtimes.findMonitor({ id, bundle, pid: monitor.pid, monitorPid: monitor.monitorPid })
      await container.runtime.kill(container.id, 9)
      expect(await Promise.all([monitor.exited, found.exited])).toEqual([137, 137])
      await expect(container.runtime.kill(container.id, 15)).rejects.toMatchObject({ code: "FailedPrecondition" })
    })

    test("a program that is not there is 127, one that cannot be run 126, with the words of docker", async () => {
      writeFileSync(join(lab.rootfs, "etc/plain"), "text", { mode: 0o644 })
      expect(await failure(lab.create(["nope"]))).toEqual([127, 'exec: "nope": executable file not found in $PATH'])
      expect((await failure(lab.create(["/no/such"])))[0]).toBe(127)
      // "permission denied", or runc's newer "is a directory"
      expect(await failure(lab.create(["/tmp"]))).toEqual([126, expect.stringMatching(/^exec: "\/tmp": (perm|is a)/)])
      expect(await failure(lab.create(["/etc/plain"]))).toEqual([126, 'exec: "/etc/plain": permission denied'])
    })

    test("pause holds it, resume lets it go, update changes its limit", async () => {
      const container = await lab.create(["sleep", "60"], { resources: { memoryBytes: 64 * 1024 * 1024 } })
      await container.runtime.start(container.id)
      await container.runtime.pause(container.id)
      expect((await container.runtime.state(container.id)).status).toBe("paused")
      await container.runtime.resume(container.id)
      expect((await container.runtime.state(container.id)).status).toBe("running")
      await container.runtime.update(container.id, { memory: { limit: 32 * 1024 * 1024 } })
      expect(container.runtimes.usage(container.id, container.bundle).memoryLimitBytes).toBe(32 * 1024 * 1024)
      await container.remove()
    })

    test("exec gives output and exit code, in the container's namespaces, and leaves no file", async () => {
      const container = await lab.create(["sleep", "60"], { hostname: "boat" })
      await container.runtime.start(container.id)
      expect(await container.exec(["sh", "-c", "cat /proc/sys/kernel/hostname; echo e >&2; exit 9"])).toEqual({
        code: 9,
        stdout: "boat\n",
        stderr: "e\n",
      })
      expect(await failure(container.exec(["nope"]))).toEqual([127, 'exec: "nope": executable file not found in $PATH'])
      expect((await failure(container.exec(["/tmp"])))[0]).toBe(126)
      await until(() => !readdirSync(container.bundle.directory).some((entry) => entry.startsWith("exec-")))
      await container.remove()
    })

    test("a terminal has the size it was given, and the one it is resized to", async () => {
      const container = await lab.create(
        ["sh", "-c", "stty size; read line; echo got $line; stty size"],
        {
          tty: true,
          consoleSize: { rows: 30, columns: 90 },
        },
        { tty: true, stdin: true },
      )
      const attachment = await container.runtimes.attach(container.bundle, { stdin: true })
      const output = gather(attachment)
      await container.runtime.start(container.id)
      await until(() => output().stdout.includes("30 90"))
      container.runtimes.resize(container.bundle, { rows: 40, columns: 111 })
      await Bun.sleep(50) // nothing tells when conmon has read its control file
      await attachment.write(Buffer.from("x\n"))
      expect(await container.monitor.exited).toBe(0)
      await attachment.closed
      expect(output().stdout).toContain("got x\r\n40 111\r\n")
    })

    test("a client that leaves a terminal and comes back can type again", async () => {
      const container = await lab.create(
        ["sh", "-c", "read a; echo 1:$a; read b; echo 2:$b"],
        { tty: true },
        {
          tty: true,
          stdin: true,
        },
      )
      const first = await container.runtimes.attach(container.bundle, { stdin: true })
      const seen = gather(first)
      await container.runtime.start(container.id)
      await first.write(Buffer.from("one\n"))
      await until(() => seen().stdout.includes("1:one"))
      first[Symbol.dispose]()
      const second = await container.runtimes.attach(container.bundle, { stdin: true })
      const seenLater = gather(second)
      await second.write(Buffer.from("two\n"))
      expect(await container.monitor.exited).toBe(0)
      await second.closed
      expect(seenLater().stdout).toContain("2:two")
    })

    test("standard input reaches the program, and so does its end", async () => {
      const container = await lab.create(["md5sum"], {}, { stdin: true })
      const attachment = await container.runtimes.attach(container.bundle, { stdin: true })
      const output = gather(attachment)
      await container.runtime.start(container.id)
      const bytes = Buffer.alloc(3_000_000, "0123456789abcdef\n")
      await attachment.write(bytes)
      attachment.endInput()
      expect(await container.monitor.exited).toBe(0)
      await attachment.closed
      expect(output().stdout).toStartWith(new Bun.CryptoHasher("md5").update(bytes).digest("hex"))
    })

    test("no byte of much output is lost, mixed or changed, and a slow reader holds the program back", async () => {
      const sizes = { stdout: 20 * 1024 * 1024, stderr: 4 * 1024 * 1024 }
      const script = `yes 0123456789abcdef | head -c ${sizes.stdout} &
        yes fedcba9876543210 | head -c ${sizes.stderr} >&2; wait`
      const container = await lab.create(["sh", "-c", script])
      const attachment = await container.runtimes.attach(container.bundle, { stdin: false })
      const hashes = { stdout: new Bun.CryptoHasher("md5"), stderr: new Bun.CryptoHasher("md5") }
      let packets = 0
      attachment.onOutput((stream, chunk) => {
        hashes[stream].update(chunk)
        return packets++ % 500 === 0 ? Bun.sleep(2) : undefined
      })
      await container.runtime.start(container.id)
      expect(await container.monitor.exited).toBe(0)
      await attachment.closed
      expect(hashes.stdout.digest("hex")).toBe(digestOf("0123456789abcdef\n", sizes.stdout))
      expect(hashes.stderr.digest("hex")).toBe(digestOf("fedcba9876543210\n", sizes.stderr))
    })

    test("who has cleaned up ends the monitor before it runs the exit command", async () => {
      const [ours, left] = ["ours", "left"].map((file) => join(lab.directory, file))
      const cleaned = await lab.create(["true"], {}, delayed(ours))
      const forgotten = await lab.create(["true"], {}, delayed(left))
      await Promise.all([cleaned.finish(), forgotten.finish()])
      cleaned.runtimes.endMonitor(cleaned.id)
      cleaned.runtimes.endMonitor(cleaned.id) // safe to repeat
      expect(processStartTime(forgotten.monitor.monitorPid)).toBeDefined()
      await until(() => existsSync(left ?? ""))
      expect(existsSync(ours ?? "")).toBe(false)
    })

    test("a monitor that was not told to create anything ends, and is found without its pid file", async () => {
      const { runtimes } = lab
      const waiting = async (id: string) => {
        const bundle = runtimes.bundle(id)
        for (const directory of [bundle.directory, bundle.exitDirectory]) mkdirSync(directory, { recursive: true })
        const runtime = await runtimes.choose(name)
        const rest = { tty: false, stdin: false, exitCommand: [], log: { driver: "none" as const } }
        const pending = await runtimes.startMonitor({ id, name: id, bundle, runtime, ...rest })
        await until(() => monitorsOf(id).length === 1)
        return pending
      }
      const id = `lab${process.pid}waiting`
      const disposed = await waiting(`${id}1`)
      disposed[Symbol.dispose]()
      disposed[Symbol.dispose]() // safe to repeat
      await until(() => monitorsOf(`${id}1`).length === 0)
      using ended = await waiting(`${id}2`)
      runtimes.endMonitor(`${id}2`)
      await until(() => monitorsOf(`${id}2`).length === 0)
      const config = await runtimes.config(lab.input(["true"]), await runtimes.choose(name))
      await expect(ended.create(config)).rejects.toMatchObject({ code: "FailedPrecondition" })
    })

    test("the kernel's OOM killer is told of", async () => {
      const container = await lab.create(["dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"], {
        resources: { memoryBytes: 16 * 1024 * 1024, memorySwapBytes: 16 * 1024 * 1024 },
      })
      expect((await container.finish()).code).toBe(137)
      expect(container.runtimes.usage(container.id, container.bundle).oomKilled).toBe(true)
    })

    test("conmon and the program hold no descriptor of ours", async () => {
      const leaked = join(lab.directory, "leak")
      writeFileSync(leaked, "")
      const leak = libc.openat(AT_FDCWD, cString(leaked), 0, 0) // no O_CLOEXEC
      const container = await lab.create(["sleep", "60"])
      await container.runtime.start(container.id)
      const program = `/proc/${container.monitor.pid}`
      await until(() => readlinkSync(`${program}/exe`).endsWith("/busybox")) // before, it is the runtime itself
      expect(readdirSync(`${program}/fd`).toSorted()).toEqual(["0", "1", "2"])
      // a file of ours without close-on-exec would be held for the container's life
      const directory = `/proc/${container.monitor.monitorPid}/fd`
      const held = readdirSync(directory).map((fd) => readlinkSync(join(directory, fd)))
      close(leak)
      expect(held).not.toContain(leaked)
      await container.remove()
    })

    test("log lines go to the file of the k8s-file driver", async () => {
      const path = join(lab.directory, "log")
      const container = await lab.create(
        ["sh", "-c", "echo one; echo two >&2"],
        {},
        { log: { driver: "k8s-file", path } },
      )
      await container.finish()
      expect(readFileSync(path, "utf8")).toMatch(/^\S+ stdout F one\n\S+ stderr F two\n$/m)
    })
  })
}

async function failure(promise: Promise<unknown>): Promise<[number | undefined, string]> {
  try {
    await promise
  } catch (error) {
    if (isSkiffError(error)) return [error.data.programExit, error.message]
    throw error
  }
  throw new Error("it did not fail")
}

/** The conmon processes that were started for a container. */
function monitorsOf(id: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0").includes(id)
    } catch {
      return false // it has ended meanwhile
    }
  })
}

const delayed = (path = "") => ({ exitCommand: ["/usr/bin/touch", path], exitDelaySeconds: 1 })

function digestOf(line: string, sizeBytes: number): string {
  return new Bun.CryptoHasher("md5").update(Buffer.alloc(sizeBytes, line)).digest("hex")
}

export async function until(condition: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!condition()) {
    if (Date.now() > end) throw new Error("waited in vain")
    await Bun.sleep(10)
  }
}
