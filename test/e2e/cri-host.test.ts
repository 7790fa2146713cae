/** `cri serve`: what the host lends to containers, each by the words of kubelet: devices, huge pages, profiles, networks, checkpoints. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type { ContainerConfig, PodSandboxConfig } from "../../src/cri/protocol/messages.ts"
import type { Sent } from "../../src/cri/protocol/service.ts"
import { Cri, everybodys } from "../support/cri.ts"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const cri = new Cri(skiff)
const { ask } = cri
const logs = join(skiff.directory, "pod-logs")
const onlyRoot = testUnless(user.rootless ? "the host's to lend, and root's to ask for" : false)
const NETWORK = `skiff-cri-${process.pid}`
const CNI = "/etc/cni/net.d"
const [INVALID, NOT_FOUND, EXISTS, PRECONDITION] = [3, 5, 6, 9]
let count = 0

const pod = async (given: Sent<PodSandboxConfig> = {}, runtime_handler = "") => {
  const config: Sent<PodSandboxConfig> = {
    metadata: { name: `pod${++count}`, namespace: "default", uid: `uid-${count}`, attempt: 0 },
    log_directory: join(logs, `${count}`),
    linux: {},
    ...given,
  }
  return { config, id: (await ask("RunPodSandbox", { config, runtime_handler })).pod_sandbox_id }
}
type Pod = Awaited<ReturnType<typeof pod>>
const started = async ({ id, config: sandbox_config }: Pod, given: Sent<ContainerConfig>) => {
  const metadata = { name: `c${++count}`, attempt: 0 }
  const config = { metadata, image: { image: "busybox" }, command: ["sleep", "1000"], ...given }
  const { container_id } = await ask("CreateContainer", { pod_sandbox_id: id, sandbox_config, config })
  await ask("StartContainer", { container_id })
  return container_id
}
const sh = async (container_id: string, script: string) => {
  const { stdout } = await ask("ExecSync", { container_id, cmd: ["sh", "-c", script] })
  return Buffer.from(stdout).toString().trim()
}
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => ({ code: 0, details: "" }),
    ({ code, details }: { code: number; details: string }) => ({ code, details }),
  )

const fileSystems = async () => {
  const { image_filesystems, container_filesystems } = await ask("ImageFsInfo")
  return [image_filesystems, container_filesystems].map((list) => Number(list[0]?.used_bytes?.value))
}

/** Why nothing can be checkpointed here, or false. */
function whyNoCheckpoint(): string | false {
  if (user.rootless) return "asked of root only"
  const env = { PATH: user.env.PATH }
  if (spawnSync("runc", ["--version"], { env }).status !== 0) return "no runc here"
  const { status, stderr } = spawnSync("criu", ["check"], { env })
  return status !== 0 && `criu check: ${stderr?.toString().trim().split("\n").at(-1) ?? "no criu here"}`
}

const hasHugetlb = ["/sys/fs/cgroup/hugetlb", "/sys/fs/cgroup/cgroup.controllers"].some(
  (path) => existsSync(path) && (statSync(path).isDirectory() || readFileSync(path, "utf8").includes("hugetlb")),
)
const hasPages = existsSync("/sys/kernel/mm/hugepages/hugepages-2048kB")

describe("cri serve, what the host lends", () => {
  beforeAll(async () => {
    everybodys(logs)
    if (!user.rootless) {
      mkdirSync(CNI, { recursive: true })
      const bridge = {
        type: "bridge",
        bridge: "cni-skiffcri",
        isGateway: true,
        ipam: { type: "host-local", ranges: [[{ subnet: "10.68.7.0/24" }]] },
      }
      writeFileSync(
        join(CNI, `${NETWORK}.conflist`),
        JSON.stringify({ cniVersion: "1.0.0", name: NETWORK, plugins: [bridge] }),
      )
    }
    await cri.start(user.rootless ? {} : { flags: ["--network", NETWORK] })
  })
  afterEach(async () => {
    for (const { id } of (await ask("ListPodSandbox")).items) await ask("RemovePodSandbox", { pod_sandbox_id: id })
  })
  afterAll(async () => {
    await cri.stop()
    if (user.rootless) return
    rmSync(join(CNI, `${NETWORK}.conflist`), { force: true })
    rmSync(`/var/lib/cni/networks/${NETWORK}`, { recursive: true, force: true })
    spawnSync("ip", ["link", "del", "cni-skiffcri"])
  })

  onlyRoot("an address of a CNI network, which is given back", async () => {
    const one = await pod()
    const { status } = await ask("PodSandboxStatus", { pod_sandbox_id: one.id })
    expect(status?.network?.ip).toStartWith("10.68.7.")
    const container_id = await started(one, {})
    expect(await sh(container_id, "ip -4 -o addr show eth0")).toContain(`${status?.network?.ip}/24`)
    await ask("RemovePodSandbox", { pod_sandbox_id: one.id })
    expect(spawnSync("ls", [`/var/lib/cni/networks/${NETWORK}`]).stdout.toString()).not.toContain("10.68.7.")
  })

  onlyRoot("devices of the Container Device Interface, by their names alone", async () => {
    const file = `/var/run/cdi/${NETWORK}.json`
    mkdirSync("/var/run/cdi", { recursive: true })
    const containerEdits = {
      env: ["CDI_GIVEN=1"],
      deviceNodes: [{ path: "/dev/lent", hostPath: "/dev/null", permissions: "rw" }],
    }
    const kind = "skiff.test/device"
    writeFileSync(file, JSON.stringify({ cdiVersion: "0.6.0", kind, devices: [{ name: "one", containerEdits }] }))
    try {
      const one = await pod()
      const container_id = await started(one, { CDI_devices: [{ name: `${kind}=one` }] })
      expect(await sh(container_id, "echo x > /dev/lent; stat -c %F /dev/lent; echo $CDI_GIVEN")).toBe(
        "character special file\n1",
      )
      expect(await refused(started(one, { CDI_devices: [{ name: `${kind}=two` }] }))).toMatchObject({
        code: NOT_FOUND,
        details: expect.stringContaining(`unresolvable CDI devices ${kind}=two`),
      })
      for (const name of ["../x", "no-kind", ""])
        expect([INVALID, NOT_FOUND]).toContain((await refused(started(one, { CDI_devices: [{ name }] }))).code)
    } finally {
      rmSync(file)
    }
  })

  testUnless(user.rootless ? "root's to bound" : !(hasHugetlb && hasPages) && "no huge pages are counted here")(
    "huge pages as many as kubelet says, of each size",
    async () => {
      const one = await pod()
      const limits = [
        { page_size: "2MB", limit: "4194304" },
        ...(existsSync("/sys/kernel/mm/hugepages/hugepages-1048576kB") ? [{ page_size: "1GB", limit: "0" }] : []),
      ]
      const container_id = await started(one, { linux: { resources: { hugepage_limits: limits } } })
      const { status } = await ask("ContainerStatus", { container_id })
      expect(status?.resources?.linux?.hugepage_limits).toEqual(limits)
      const pid = await skiff.ok("inspect", "-f", "{{.State.Pid}}", container_id)
      const cgroups = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n")
      const [, v1] = /^\d+:hugetlb:(.*)$/m.exec(cgroups.join("\n")) ?? []
      const [, v2 = ""] = /^0::(.*)$/m.exec(cgroups.join("\n")) ?? []
      const path =
        v1 === undefined
          ? `/sys/fs/cgroup${v2}/hugetlb.2MB.max`
          : `/sys/fs/cgroup/hugetlb${v1}/hugetlb.2MB.limit_in_bytes`
      expect(readFileSync(path, "utf8").trim()).toBe("4194304")
      const odd = { linux: { resources: { hugepage_limits: [{ page_size: "3MB", limit: "1" }] } } }
      expect(await refused(started(one, odd))).toMatchObject({ code: INVALID })
    },
  )

  test("an AppArmor profile where the kernel has it, else says that it has not", async () => {
    const enabled = "/sys/module/apparmor/parameters/enabled"
    const isOn = existsSync(enabled) && readFileSync(enabled, "latin1").startsWith("Y")
    const one = await pod()
    const profile = (apparmor: {
      profile_type: "Localhost" | "Unconfined" | "RuntimeDefault"
      localhost_ref: string
    }) => started(one, { linux: { security_context: { apparmor } } })
    for (const profile_type of ["Unconfined", "RuntimeDefault"] as const)
      expect(await profile({ profile_type, localhost_ref: "" })).toMatch(/^[0-9a-f]{64}$/)
    const missing = await refused(profile({ profile_type: "Localhost", localhost_ref: "skiff-no-such-profile" }))
    expect(missing.code).not.toBe(0)
    expect(missing.details).toMatch(isOn ? /apparmor/i : /"skiff-no-such-profile".*this kernel has no AppArmor/)
    for (const localhost_ref of ["", "a b", "a\nb"])
      expect(await refused(profile({ profile_type: "Localhost", localhost_ref }))).not.toMatchObject({ code: 0 })
  })

  testUnless(whyNoCheckpoint())(
    "CRIU: a container is written down while it runs on, into a file that was not there",
    async () => {
      const one = await pod({}, "runc")
      const script = "i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.05; done"
      const container_id = await started(one, { command: ["sh", "-c", script] })
      const counted = () =>
        eventually(async () => {
          const number = Number(await sh(container_id, "cat /count"))
          expect(number).toBeGreaterThan(2)
          return number
        })
      await counted()
      const location = join(skiff.directory, "checkpoint.tar")
      await ask("CheckpointContainer", { container_id, location })
      expect(statSync(location).mode & 0o777).toBe(0o600)
      const before = await counted()
      await eventually(async () => expect(await counted()).toBeGreaterThan(before))
      const names = spawnSync("tar", ["-tf", location]).stdout.toString()
      expect(names).toContain("checkpoint/")
      expect(await refused(ask("CheckpointContainer", { container_id, location }))).toMatchObject({ code: EXISTS })
      for (const path of ["relative.tar", "/tmp/../etc/x.tar"])
        expect(await refused(ask("CheckpointContainer", { container_id, location: path }))).toMatchObject({
          code: INVALID,
        })
      await ask("StopContainer", { container_id, timeout: "0" })
      expect(await refused(ask("CheckpointContainer", { container_id, location: `${location}2` }))).toMatchObject({
        code: PRECONDITION,
      })
      expect(existsSync(`${location}2`)).toBe(false)
    },
  )

  test("a file system for images and one for containers, whose layers are counted once", async () => {
    const [images = 0] = await fileSystems()
    expect(images).toBeGreaterThan(0)
    const directory = everybodys(join(skiff.directory, "same"))
    writeFileSync(join(directory, "Dockerfile"), "FROM busybox\nLABEL a=b\n")
    await skiff.ok("build", "-q", "-t", "same", directory)
    const [again = 0, containers = -1] = await fileSystems()
    expect(again).toBe(images)
    expect(containers).toBe(0)
    await started(await pod(), { command: ["sh", "-c", "head -c 1000000 /dev/zero > /file; sleep 1000"] })
    await eventually(async () => expect((await fileSystems())[1]).toBeGreaterThanOrEqual(1_000_000))
  })
})
