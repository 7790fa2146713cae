/** Known holes of container engines that the configuration and the runtime answer for, in real containers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { createHash } from "node:crypto"
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Lab, OCI_RUNTIMES, whyNot } from "./lab.suite.ts"

const EPERM = 1
const ENOSYS = 38
const NO_CAPABILITIES = "0000000000000000"
const DEFAULT_MASK = "00000000a80425fb" // docker's fourteen

for (const ociRuntime of OCI_RUNTIMES) {
  const reason = whyNot(ociRuntime)
  if (reason !== false) console.log(`skipped: isolation by ${ociRuntime}: ${reason}`)
  describe.skipIf(reason !== false)(`isolation by ${ociRuntime}`, () => {
    let lab: Lab
    beforeAll(() => void (lab = new Lab(ociRuntime)))
    afterAll(() => lab[Symbol.asyncDispose]())

    test("capabilities are docker's fourteen; inheritable and ambient are empty everywhere", async () => {
      const ordinary = { user: { uid: 1000, gid: 1000, additionalGids: [] } }
      expect(capabilities((await lab.run(STATUS)).stdout)).toEqual(sets(DEFAULT_MASK, DEFAULT_MASK))
      expect(capabilities((await lab.run(STATUS, ordinary)).stdout)).toEqual(sets(NO_CAPABILITIES, DEFAULT_MASK))
      expect(capabilities((await lab.run(STATUS, { capDrop: ["all"] })).stdout)).toEqual(
        sets(NO_CAPABILITIES, NO_CAPABILITIES),
      )

      const container = await lab.create(["sleep", "60"])
      await container.runtime.start(container.id)
      expect(capabilities((await container.exec(STATUS)).stdout)).toEqual(sets(DEFAULT_MASK, DEFAULT_MASK))
      const privileged = capabilities((await container.exec(STATUS, { privileged: true })).stdout)
      expect(privileged.CapEff).not.toBe(DEFAULT_MASK)
      expect([privileged.CapInh, privileged.CapAmb]).toEqual([NO_CAPABILITIES, NO_CAPABILITIES])
      const both = capabilities((await container.exec(STATUS, { privileged: true, ...ordinary })).stdout)
      expect([both.CapEff, both.CapInh, both.CapAmb]).toEqual([NO_CAPABILITIES, NO_CAPABILITIES, NO_CAPABILITIES])
      await container.remove()
    })

    test("the program has exactly the groups that were given", async () => {
      const user = { uid: 1000, gid: 1000, additionalGids: [7] }
      expect((await lab.run(["id"], { user })).stdout).toBe("uid=1000 gid=1000 groups=7\n")
      expect((await lab.run(["id", "-G"])).stdout).toBe("0\n")
    })

    test("what tells of the host is masked, what would change it cannot be written", async () => {
      const script = `
      for f in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do [ -e $f ] && head -c 1 $f; done
      ls -A /sys/firmware /proc/scsi /proc/acpi
      for f in /proc/sysrq-trigger /proc/sys/kernel/core_pattern /sys/kernel/mm/ksm/run; do
        (echo x > $f) 2>/dev/null && echo wrote $f; done
      for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/x 2>/dev/null && echo made $d/x; done
      mount -t cgroup -o memory none /tmp 2>/dev/null && echo mounted
      unshare -r true 2>/dev/null && echo unshared; true`
      const { stdout } = await lab.run(["sh", "-c", script])
      expect(stdout.replaceAll(/^(\/.*:)?\n/gm, "")).toBe("")
    })

    test("the working directory, mounts over /proc, and sysctls of the host are refused", async () => {
      for (const cwd of ["/proc/self/fd/7", "/proc/1/cwd", "/tmp/../proc/self/fd/8", "relative"])
        await expect(lab.create(["pwd"], { cwd })).rejects.toMatchObject({ code: "InvalidArgument" })
      for (const destination of ["/proc", "/proc/sys", "/x/../proc/self", "/", "/sys", "proc"])
        await expect(
          lab.create(["true"], { mounts: [{ destination, type: "tmpfs", source: "tmpfs" }] }),
        ).rejects.toMatchObject({ code: "InvalidArgument" })
      await expect(
        lab.create(["true"], { sysctls: { "kernel.shm_rmid_forced": "1+kernel.core_pattern=|/x" } }),
      ).rejects.toMatchObject({ code: "InvalidArgument" })
    })

    test.each(["dev", "proc", "sys"] as const)("a link in the image at /%s leads nothing out", async (name) => {
      const { rootfs, outside } = linkedRoot(lab, name)
      await expect(lab.run(["/bin/true"], { rootfs })).rejects.toMatchObject({ code: "InvalidArgument" })
      expect(readdirSync(outside)).toEqual([])
    })

    test("the runtime's own program cannot be written through /proc (CVE-2019-5736)", async () => {
      const runtime = await lab.runtimes.choose(lab.runtimeName)
      const digest = (): string => createHash("sha256").update(readFileSync(runtime.path)).digest("hex")
      const before = digest()
      writeFileSync(join(lab.rootfs, "bin/trap"), "#!/proc/self/exe\n", { mode: 0o755 })
      await lab.run(["/bin/trap"]).catch(() => {})
      const container = await lab.create(["sh", "-c", SEIZE])
      await container.runtime.start(container.id)
      for (let round = 0; round < 5; round++) await container.exec(["/bin/trap"]).catch(() => {})
      await container.remove()
      expect(digest()).toBe(before)
    }, 20_000)

    describe.skipIf(process.arch !== "x64" || !existsSync("/usr/bin/perl"))("system calls", () => {
      const usr = { destination: "/usr", type: "bind", source: "/usr", options: ["rbind", "ro"] }
      const errnoOf = async (calls: readonly string[], changes = {}): Promise<number[]> => {
        const script = calls.map((call) => `$! = 0; syscall(${call}); print $! + 0, "\\n";`).join("")
        const { stdout } = await lab.run(["perl", "-e", script], { mounts: [usr], ...changes })
        return stdout.trim().split("\n").map(Number)
      }

      test("the kernel's weak spots are closed by default", async () => {
        const refused: Record<string, string> = {
          "socket AF_ALG": "41, 38, 5, 0",
          "socket AF_VSOCK": "41, 40, 1, 0",
          userfaultfd: "323, 0",
          keyctl: "250, 0, 0",
          add_key: "248, 0, 0, 0, 0, 0",
          bpf: "321, 0, 0, 0",
          perf_event_open: "298, 0, 0, 0, 0, 0",
          fsopen: "430, 0, 0",
          io_uring_setup: "425, 1, 0",
          "unshare CLONE_NEWUSER": "272, 0x10000000",
          "clone CLONE_NEWUSER": "56, 0x10000011, 0, 0, 0, 0",
          setns: "308, 0, 0",
          mount: "165, 0, 0, 0, 0, 0",
          syslog: "103, 3, 0, 0",
        }
        const errnos = await errnoOf(Object.values(refused))
        expect(Object.fromEntries(Object.keys(refused).map((name, index) => [name, errnos[index]]))).toEqual(
          Object.fromEntries(Object.keys(refused).map((name) => [name, EPERM])),
        )
      })

      test("numbers beyond 32 bits do not pass for others", async () => {
        expect(await errnoOf(["41, 0x100000026, 5, 0", "41, 0x100000028, 1, 0"])).toEqual([ENOSYS, ENOSYS])
      })

      test("clone3 is unknown, so that C libraries fall back to clone", async () => {
        expect(await errnoOf(["435, 0, 0"])).toEqual([ENOSYS])
      })

      test("ordinary sockets work, with and without the capability of audit", async () => {
        const ordinary = ["41, 1, 1, 0", "41, 2, 1, 0", "41, 10, 2, 0", "41, 16, 3, 0"]
        expect(await errnoOf(ordinary)).toEqual([0, 0, 0, 0])
        expect(await errnoOf(ordinary, { capDrop: ["audit_write"] })).toEqual([0, 0, 0, 0])
        expect(await errnoOf(["41, 38, 5, 0", "41, 16, 3, 9"], { capDrop: ["audit_write"] })).toEqual([EPERM, 22])
      })

      test("32-bit calls, whose socketcall no filter can read, end the program", async () => {
        writeFileSync(join(lab.rootfs, "bin/socketcall"), thirtyTwoBitSocketcall(), { mode: 0o755 })
        const unconfined = await lab.run(["/bin/socketcall"], { securityOptions: ["seccomp=unconfined"] })
        // a kernel without 32-bit calls (ia32_emulation=off, a PVM guest) ends it by SIGSEGV itself
        const hasThem = unconfined.code !== 128 + 11
        if (hasThem) expect(unconfined.code).not.toBe(128 + 31)
        expect((await lab.run(["/bin/socketcall"])).code).toBe(hasThem ? 128 + 31 : unconfined.code) // SIGSYS
      })

      test("with CAP_SYS_ADMIN a program may mount and unshare", async () => {
        const { code } = await lab.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/tmp"], {
          capAdd: ["sys_admin"],
        })
        expect(code).toBe(0)
      })
    })

    test("privileged has every capability and device, nothing masked, no filter", async () => {
      const { stdout } = await lab.run(
        [
          "sh",
          "-c",
          "grep -E 'CapEff|Seccomp:' /proc/self/status; head -c1 /proc/timer_list; echo; touch /sys/fs/cgroup/memory 2>&1; ls /dev | grep -c .",
        ],
        { privileged: true },
      )
      const host = /^CapBnd:\s*(\w+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1]
      expect(stdout).toContain(`CapEff:\t${host}`)
      expect(stdout).toContain("Seccomp:\t0")
      expect(stdout).toContain("T")
    })
  })
}

const STATUS = ["grep", "^Cap", "/proc/self/status"]

function capabilities(status: string): Record<string, string> {
  return Object.fromEntries(
    status
      .trim()
      .split("\n")
      .map((line) => line.split(/:\s*/) as [string, string]),
  )
}

function sets(effective: string, bounding: string): Record<string, string> {
  return { CapInh: NO_CAPABILITIES, CapPrm: effective, CapEff: effective, CapBnd: bounding, CapAmb: NO_CAPABILITIES }
}

/** Waits for other processes in the container and tries to write the program they run. */
const SEIZE = `while true; do for p in /proc/[0-9]*; do
  [ $p = /proc/1 ] || (echo owned > $p/exe) 2>/dev/null
done; done`

/** A root whose directory `name` is a link to a directory of the host. */
function linkedRoot(lab: Lab, name: string): { rootfs: string; outside: string } {
  const rootfs = join(lab.directory, `linked-${name}`)
  const outside = join(lab.directory, `outside-${name}`)
  for (const directory of [outside, join(rootfs, "bin")]) mkdirSync(directory, { recursive: true })
  copyFileSync("/bin/busybox", join(rootfs, "bin/true"))
  symlinkSync(outside, join(rootfs, name))
  return { rootfs, outside }
}

/** A program that asks for socketcall(SYS_SOCKET, {AF_ALG, SOCK_SEQPACKET, 0}) by `int 0x80` and exits 0. */
function thirtyTwoBitSocketcall(): Uint8Array {
  const base = 0x400000
  const codeAt = 0x78
  const code = [
    0xb8, 102, 0, 0, 0, 0xbb, 1, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xcd, 0x80, 0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05,
  ]
  const bytes = new Uint8Array(codeAt + code.length + 12)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // ELF, 64 bits, little endian
  view.setUint16(16, 2, true) // an executable
  view.setUint16(18, 62, true) // x86-64
  view.setUint32(20, 1, true)
  view.setBigUint64(24, BigInt(base + codeAt), true) // entry
  view.setBigUint64(32, 64n, true) // program header
  view.setUint16(52, 64, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, 1, true) // PT_LOAD
  view.setUint32(68, 5, true) // read, execute
  for (const at of [80, 88]) view.setBigUint64(at, BigInt(base), true)
  for (const at of [96, 104]) view.setBigUint64(at, BigInt(bytes.length), true)
  bytes.set(code, codeAt)
  view.setUint32(codeAt + 11, base + codeAt + code.length, true) // ecx: the arguments
  ;[38, 5, 0].forEach((value, index) => view.setUint32(codeAt + code.length + 4 * index, value, true))
  return bytes
}
