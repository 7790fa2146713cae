/** Steps by the runtime of our own, in real namespaces and by chroot(2) alone. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { HOST_RUNTIME, Lab, whyNot } from "../lab.suite.ts"
import { stepRuntimeName, type ConfigInput } from "../runtime.ts"

const reason = whyNot(HOST_RUNTIME)
if (reason !== false) console.log(`skipped: plain.test.ts: ${reason}`)

describe.skipIf(reason !== false)("a step by the step runtime", () => {
  let lab: Lab
  const script = process.argv[1]
  beforeAll(() => {
    lab = new Lab()
    // a test has no executable of its own: the runtime starts main.ts
    process.argv[1] = join(import.meta.dir, "../../main.ts")
  })
  afterAll(async () => {
    process.argv[1] = script ?? ""
    await lab[Symbol.asyncDispose]()
  })

  type Level = Parameters<typeof stepRuntimeName>[0]

  async function run(level: Level, command: string, changes: Partial<ConfigInput> = {}) {
    const runtime = await lab.runtimes.choose(stepRuntimeName(level))
    const input = lab.input(["sh", "-c", command], { network: { kind: "host" }, hostname: "step", ...changes })
    const { directory, config } = lab.runtimes.bundle(input.id)
    mkdirSync(directory, { recursive: true })
    writeFileSync(config, JSON.stringify(await lab.runtimes.config(input, runtime)))
    const output: string[] = []
    const onOutput = (_: string, bytes: Uint8Array) => void output.push(Buffer.from(bytes).toString())
    const code = await lab.runtimes.runToEnd({ id: input.id, directory, runtime, program: input.argv[0], onOutput })
    return { code, output: output.join("") }
  }

  for (const level of ["userns", "single-uid", "chroot"] as const) {
    test(`${level}: output, by /dev/stderr as well, exit code, and no descriptor of ours`, async () => {
      const { code, output } = await run(level, "echo one; echo two >/dev/stderr; ls /proc/self/fd | wc -l; exit 7")
      expect([code, output.trim().split("\n").toSorted()]).toEqual([7, ["4", "one", "two"]]) // the fourth is ls's own
    })

    test(`${level}: the kernel's switches are read-only, its secrets masked`, async () => {
      const { output } = await run(
        level,
        "for f in /proc/sys/kernel/core_pattern /sys/kernel/mm/ksm/run; do (echo x > $f) 2>/dev/null && echo wrote $f; done; head -c1 /proc/timer_list; ls /sys/firmware; ls /sys/fs/cgroup | wc -l",
      )
      expect(output).toBe("0\n")
    })

    test(`${level}: a program that is not there is 127, one that cannot be run 126`, async () => {
      await expect(run(level, "", { argv: ["no-such"] })).rejects.toMatchObject({ data: { programExit: 127 } })
      await expect(run(level, "", { argv: ["/etc"] })).rejects.toMatchObject({ data: { programExit: 126 } })
    })
  }

  test("what it leaves in the background ends with it, without namespaces too", async () => {
    const { output } = await run("chroot", "sleep 71 >/dev/null 2>&1 & (sleep 72 >/dev/null 2>&1 &) & echo $!")
    expect(output).toMatch(/^\d+\n$/)
    for (const pid of readdirSync("/proc"))
      if (/^\d+$/.test(pid)) expect(commandOf(pid)).not.toMatch(/^sleep\0(71|72)\0/)
  })

  test("links of the root lead no mount outside of it", async () => {
    const rootfs = join(lab.directory, "linked")
    const outside = join(lab.directory, "outside")
    for (const directory of ["bin", "proc", "sys", "dev", "x"]) mkdirSync(join(rootfs, directory), { recursive: true })
    mkdirSync(outside)
    writeFileSync(join(rootfs, "bin/sh"), readFileSync("/bin/busybox"), { mode: 0o755 })
    symlinkSync(outside, join(rootfs, "etc"))
    mkdirSync(join(rootfs, outside), { recursive: true })
    const source = join(lab.directory, "secret")
    mkdirSync(source)
    writeFileSync(join(source, "key"), "k")
    const mount = { destination: "/etc", type: "bind", source, options: ["rbind", "ro"] }
    const { output } = await run("userns", "cat /etc/key; echo x > /etc/key", { rootfs, mounts: [mount] })
    expect(output).toContain("k")
    expect(output).toContain("Read-only")
    expect(statSync(outside).nlink).toBe(2)
  })

  test("a root whose /dev is a link is refused", async () => {
    const rootfs = join(lab.directory, "dev-linked")
    mkdirSync(rootfs)
    symlinkSync(lab.directory, join(rootfs, "dev"))
    await expect(run("userns", "true", { rootfs })).rejects.toMatchObject({ code: "InvalidArgument" })
  })
})

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1")
  } catch {
    return "" // it has just gone
  }
}
