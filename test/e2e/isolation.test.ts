/** What stands between a container and its host by default, as Docker's defaults have it. */
import { describe, expect, test } from "bun:test"
import { existsSync, rmSync } from "node:fs"
import { join } from "node:path"
import { namespaceOf } from "../support/host-state.ts"
import { openStore } from "../support/store.ts"
import { user } from "../support/user.ts"

const skiff = openStore()
const run = (script: string, ...flags: string[]) => skiff.ok("run", "--rm", ...flags, "busybox", "sh", "-c", script)

// moby's default set: chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot
// mknod audit_write setfcap
const DOCKER_CAPABILITIES = "00000000a80425fb"

test("namespaces of its own", async () => {
  const kinds = ["pid", "net", "mnt", "uts", "ipc", ...(user.rootless ? ["user"] : [])]
  const inside = (await run(kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join("; "))).split("\n")
  for (const [index, kind] of kinds.entries()) expect(inside[index]).not.toBe(namespaceOf("self", kind))
  expect(await run("echo $$; ps | wc -l")).toMatch(/^1\n[234]$/)
})

test("Docker's default capabilities, none inheritable or ambient", async () => {
  const text = await run("grep Cap /proc/self/status")
  expect(text).toContain(`CapBnd:\t${DOCKER_CAPABILITIES}`)
  expect(text).toContain(`CapEff:\t${DOCKER_CAPABILITIES}`)
  expect(text).toContain("CapInh:\t0000000000000000")
  expect(text).toContain("CapAmb:\t0000000000000000")
})

test("an ordinary user inside holds none", async () => {
  const text = await run("grep Cap /proc/self/status", "-u", "1000")
  for (const set of ["CapPrm", "CapEff", "CapInh", "CapAmb"]) expect(text).toContain(`${set}:\t0000000000000000`)
})

const effective = (...flags: string[]) => run("grep CapEff /proc/self/status", ...flags)

test("--cap-drop and --cap-add", async () => {
  expect(await effective("--cap-drop", "ALL")).toBe("CapEff:\t0000000000000000")
  expect(await effective("--cap-drop", "all", "--cap-add", "CHOWN")).toBe("CapEff:\t0000000000000001")
  expect(await effective("--cap-drop", "ALL", "--cap-add", "cap_net_admin")).toBe("CapEff:\t0000000000001000")
  const { code, stderr } = await skiff.run(["run", "--rm", "--cap-add", "NO_SUCH", "busybox", "true"])
  expect(code).toBe(125)
  expect(stderr).toContain("NO_SUCH")
})

describe("seccomp", () => {
  test("is on, and forbids what Docker's profile forbids", async () => {
    expect(await run("grep Seccomp: /proc/self/status")).toBe("Seccomp:\t2")
    expect(await run("unshare -U true 2>/dev/null && echo allowed || echo refused")).toBe("refused")
  })

  test("unconfined is off", async () => {
    expect(await run("grep Seccomp: /proc/self/status", "--security-opt", "seccomp=unconfined")).toBe("Seccomp:\t0")
  })

  test("that a container's annotation chooses is that container's alone", async () => {
    // as on a host on which no container has begun yet
    rmSync(join(skiff.runRoot, "runtime/seccomp"), { recursive: true, force: true })
    // BPF: allow all
    await skiff.run(["run", "--rm", "--annotation", "run.oci.seccomp_bpf_data=BgAAAAAA/38=", "busybox", "true"])
    for (const time of ["compiled", "kept"])
      expect([time, await run("unshare -U true 2>/dev/null && echo allowed || echo refused")]).toEqual([
        time,
        "refused",
      ])
  })

  test("of a file is that file's", async () => {
    const profile = "/usr/share/containers/seccomp.json"
    if (!existsSync(profile)) return
    expect(await run("grep Seccomp: /proc/self/status", "--security-opt", `seccomp=${profile}`)).toBe("Seccomp:\t2")
    const { code } = await skiff.run(["run", "--rm", "--security-opt", "seccomp=/etc/passwd", "busybox", "true"])
    expect(code).toBe(125)
  })
})

test("--security-opt no-new-privileges", async () => {
  expect(await run("grep NoNewPrivs /proc/self/status", "--security-opt", "no-new-privileges")).toBe("NoNewPrivs:\t1")
})

test("masked paths are empty, read-only ones stay as they are", async () => {
  expect(await run("cat /proc/kcore | wc -c; cat /proc/timer_list 2>/dev/null | wc -c; ls /sys/firmware | wc -l")).toBe(
    "0\n0\n0",
  )
  const writes =
    "for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/mm/ksm/run"
  expect(await run(`${writes}; do (echo 1 > $f) 2>/dev/null && echo wrote $f; done; true`)).toBe("")
})

test("its own /dev with Docker's nodes alone", async () => {
  const names = (await run("ls /dev")).split(/\s+/)
  const usual = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" ")
  expect(names.filter((name) => !usual.includes(name))).toEqual([])
  expect(await run("echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c")).toBe("4\n4")
})

test("no open file of the engine comes in", async () => {
  // CVE-2024-21626: a leaked descriptor is a way to the host's directories
  expect(await run("ls /proc/self/fd | grep -v '^[0123]$' || echo none")).toBe("none")
  const { code } = await skiff.run(["run", "--rm", "-w", "/proc/self/fd/7", "busybox", "pwd"])
  expect(code).not.toBe(0)
})

test("the cgroup tree is read-only", async () => {
  expect(
    await run(
      "mkdir /sys/fs/cgroup/x 2>/dev/null || mkdir /sys/fs/cgroup/memory/x 2>/dev/null && echo made || echo refused",
    ),
  ).toBe("refused")
})

test("the engine's program cannot be opened for writing from inside", async () => {
  // CVE-2019-5736
  expect(await run("ls -l /proc/*/exe 2>/dev/null | grep -c skiff || true")).toBe("0")
})
