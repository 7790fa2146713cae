/** `cri serve`: sandboxes, containers and images by the Container Runtime Interface, from a client of its own. */
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test"
import type {
  ContainerConfig,
  LinuxContainerSecurityContext,
  PodSandboxConfig,
} from "../../src/cri/protocol/messages.ts"
import type { Sent } from "../../src/cri/protocol/service.ts"
import { Cri, everybodys } from "../support/cri.ts"
import { BUSYBOX, busyboxEntries } from "../support/image.ts"
import { ACCOUNT, Registry } from "../support/registry.ts"
import { ten } from "../support/ranges.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually, freePort, SLOWNESS } from "../support/wait.ts"

const skiff = openStore()
const logs = join(skiff.directory, "pod-logs")
const isRoot = !user.rootless
const onlyRoot = testUnless(isRoot ? false : "an ordinary user's own namespaces have no such rights")

const cri = new Cri(skiff)
const { ask } = cri
let count = 0

const podConfig = (given: Sent<PodSandboxConfig> = {}): Sent<PodSandboxConfig> => ({
  metadata: { name: `pod${++count}`, namespace: "default", uid: `uid-${count}`, attempt: 0 },
  hostname: "web",
  log_directory: join(logs, `${count}`),
  linux: {},
  ...given,
})
const pod = async (given: Sent<PodSandboxConfig> = {}) => {
  const config = podConfig(given)
  return { id: (await ask("RunPodSandbox", { config })).pod_sandbox_id, config }
}
type Pod = Awaited<ReturnType<typeof pod>>
const create = async ({ id, config }: Pod, given: Sent<ContainerConfig> = {}) => {
  const made = await ask("CreateContainer", {
    pod_sandbox_id: id,
    sandbox_config: config,
    config: {
      metadata: { name: `c${++count}`, attempt: 0 },
      image: { image: "busybox" },
      command: ["sleep", "1000"],
      ...given,
    },
  })
  return made.container_id
}
const started = async (in_: Pod, given: Sent<ContainerConfig> = {}) => {
  const container_id = await create(in_, given)
  await ask("StartContainer", { container_id })
  return container_id
}
const secured = (security_context: Sent<LinuxContainerSecurityContext>): Sent<ContainerConfig> => ({
  linux: { security_context },
})
const sh = async (container_id: string, script: string) => {
  const { stdout, stderr, exit_code } = await ask("ExecSync", { container_id, cmd: ["sh", "-c", script] })
  return { out: Buffer.from(stdout).toString(), err: Buffer.from(stderr).toString(), code: exit_code }
}
const status = async (container_id: string) => {
  const { status: found } = await ask("ContainerStatus", { container_id })
  if (found === null) throw new Error("no status")
  return found
}
const ended = (container_id: string) =>
  eventually(async () => expect((await status(container_id)).state).toBe("CONTAINER_EXITED"))
const refused = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown as { code: number; details: string },
  )
  return error === undefined ? undefined : { code: error.code, details: error.details }
}
const [INVALID, DEADLINE, NOT_FOUND, EXISTS, EXHAUSTED, PRECONDITION, UNAVAILABLE] = [3, 4, 5, 6, 8, 9, 14]

const ids = async (config: Sent<ContainerConfig>, in_: Promise<Pod> = pod()) =>
  (await sh(await started(await in_, config), "id -u; id -g; id -G")).out.trim().split("\n")
const modes = (network: "POD" | "NODE", pid: "POD" | "CONTAINER" | "NODE", ipc: "POD" | "NODE") => ({
  network,
  pid,
  ipc,
})
const links = async (id: string) =>
  (await sh(id, "cd /proc/self/ns; for n in net pid ipc uts; do readlink $n; done")).out.trim().split("\n")
const say = (pod_cidr: string) => ask("UpdateRuntimeConfig", { runtime_config: { network_config: { pod_cidr } } })
const address = async () => {
  const { id } = await pod()
  return (await ask("PodSandboxStatus", { pod_sandbox_id: id })).status?.network?.ip ?? ""
}
const host = (kind: string) => execFileSync("readlink", [`/proc/self/ns/${kind}`], { encoding: "utf8" }).trim()
const directory = (name: string) => everybodys(join(skiff.directory, name))
const listed = async (filter: object) => (await ask("ListContainers", { filter })).containers.map(({ id }) => id)
const streamed = async (name: Parameters<typeof cri.stream>[0], field: string) => {
  const found: { id?: string }[] = []
  for await (const part of cri.stream(name, {})) found.push(...((part as never)[field] as { id?: string }[]))
  return found
}

describe("cri serve", () => {
  beforeAll(async () => {
    everybodys(logs)
    await cri.start()
  })
  afterEach(async () => {
    for (const { id } of (await ask("ListPodSandbox")).items) await ask("RemovePodSandbox", { pod_sandbox_id: id })
  })
  afterAll(() => cri.stop())

  test("says all four fields of its version, that runtime and network are ready, and what it can do", async () => {
    expect(await ask("Version")).toEqual({
      version: "0.1.0",
      runtime_name: "skiff",
      runtime_version: (await skiff.ok("version", "--format", "{{.Client.Version}}")) as string,
      runtime_api_version: "v1",
    })
    const { status: state, runtime_handlers, features, info } = await ask("Status", { verbose: true })
    expect(state?.conditions.map(({ type, status: is }) => [type, is])).toEqual([
      ["RuntimeReady", true],
      ["NetworkReady", true],
    ])
    expect(runtime_handlers.map(({ name }) => name)).toEqual(["", "crun", "runc"])
    expect(features?.supplemental_groups_policy).toBe(true)
    expect(JSON.parse(info.config ?? "")).toMatchObject({ root: expect.any(String) })
    expect((await ask("RuntimeConfig")).linux?.cgroup_driver).toMatch(/^(CGROUPFS|SYSTEMD)$/)
  })

  test("listens at a socket that is its owner's alone, and no second server takes it", async () => {
    expect(statSync(cri.socket).mode & 0o777).toBe(0o600)
    const second = await skiff.run(["cri", "serve", "--listen", `unix://${cri.socket}`])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain("another server answers")
    const file = join(skiff.directory, "cri", "file")
    writeFileSync(file, "", { mode: 0o666 })
    expect((await skiff.run(["cri", "serve", "--listen", file])).stderr).toContain("no socket")
    expect(existsSync(file)).toBe(true)
  })

  test("runs a sandbox, and shows it with its metadata, labels and annotations as they were given", async () => {
    const labels = { "io.kubernetes.pod.name": "web", tier: "front" }
    const annotations = { "a/b": "line 1\nline 2", "run.oci.keep_original_groups": "1" }
    const { id, config } = await pod({ labels, annotations })
    const { status: found, containers_statuses, timestamp } = await ask("PodSandboxStatus", { pod_sandbox_id: id })
    expect(found).toMatchObject({ id, metadata: config.metadata, state: "SANDBOX_READY", labels, annotations })
    expect(found?.network?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
    expect([BigInt(found?.created_at ?? 0) > 1_700_000_000_000_000_000n, containers_statuses]).toEqual([true, []])
    expect(BigInt(timestamp) > 0n).toBe(true)
    const { items } = await ask("ListPodSandbox", { filter: { label_selector: { tier: "front" } } })
    expect(items.map((one) => one.id)).toEqual([id])
    expect((await ask("ListPodSandbox", { filter: { label_selector: { tier: "back" } } })).items).toEqual([])
    expect((await ask("ListPodSandbox", { filter: { state: { state: "SANDBOX_NOTREADY" } } })).items).toEqual([])
    // it is a pod of the engine like any other
    expect(await skiff.ok("pod", "ps", "--filter", `id=${id}`, "--format", "{{.Status}}")).toBe("Running")
    expect(await refused(ask("RunPodSandbox", { config }))).toMatchObject({ code: EXISTS })
    for (let times = 0; times < 2; times++) await ask("StopPodSandbox", { pod_sandbox_id: id })
    expect((await ask("PodSandboxStatus", { pod_sandbox_id: id })).status?.state).toBe("SANDBOX_NOTREADY")
    expect(await refused(create({ id, config }))).toMatchObject({ code: PRECONDITION })
    for (let times = 0; times < 2; times++) await ask("RemovePodSandbox", { pod_sandbox_id: id })
    await ask("StopPodSandbox", { pod_sandbox_id: id })
    expect(await refused(ask("PodSandboxStatus", { pod_sandbox_id: id }))).toMatchObject({ code: NOT_FOUND })
  })

  test("runs a container through its life, told at each step, with its log as Kubernetes reads it", async () => {
    const one = await pod()
    const container_id = await create(one, {
      command: ["sh", "-c"],
      args: ["echo out; printf part >&2; sleep 1000"],
      envs: [{ key: "WORD", value: Buffer.from("a=b c") }],
      working_dir: "/tmp",
      labels: { app: "x" },
      annotations: { "b/c": "d" },
      log_path: "main/0.log",
    })
    expect(await status(container_id)).toMatchObject({ state: "CONTAINER_CREATED", started_at: "0", user: null })
    await ask("StartContainer", { container_id })
    const running = await status(container_id)
    expect(running).toMatchObject({
      state: "CONTAINER_RUNNING",
      labels: { app: "x" },
      annotations: { "b/c": "d" },
      user: { linux: { uid: "0", gid: "0" } },
      log_path: join(one.config.log_directory ?? "", "main/0.log"),
    })
    expect(BigInt(running.started_at) >= BigInt(running.created_at)).toBe(true)
    const file = running.log_path
    await eventually(async () => expect(readFileSync(file, "utf8").split("\n").length).toBeGreaterThan(2))
    expect(readFileSync(file, "utf8").replace(/^\S+T\S+[+-]\d\d:\d\d /gm, "")).toBe("stdout F out\nstderr P part\n")
    expect(await sh(container_id, "echo $WORD; pwd; hostname; exit 3")).toEqual({
      out: "a=b c\n/tmp\nweb\n",
      err: "",
      code: 3,
    })
    expect(await refused(ask("StartContainer", { container_id }))).toMatchObject({ code: PRECONDITION })
    for (let times = 0; times < 2; times++) await ask("StopContainer", { container_id, timeout: "0" })
    const stopped = await status(container_id)
    expect(stopped).toMatchObject({ state: "CONTAINER_EXITED", exit_code: 137, reason: "Error" })
    expect(BigInt(stopped.finished_at) >= BigInt(stopped.started_at)).toBe(true)
    expect(await refused(ask("StartContainer", { container_id }))).toMatchObject({ code: PRECONDITION })
    for (let times = 0; times < 2; times++) await ask("RemoveContainer", { container_id })
    expect(await refused(ask("ContainerStatus", { container_id }))).toMatchObject({ code: NOT_FOUND })
    // the log is kubelet's to remove
    expect(existsSync(file)).toBe(true)
  })

  test("opens a log anew after kubelet has renamed it", async () => {
    const container_id = await started(await pod(), {
      command: ["sh", "-c", "while :; do echo tick; sleep 0.05; done"],
      log_path: "main/0.log",
    })
    const { log_path: file } = await status(container_id)
    await eventually(async () => expect(readFileSync(file, "utf8")).toContain("tick"))
    renameSync(file, `${file}.old`)
    // whoever writes there may put links in the way, and the monitor begins its new file under a name of its own
    const canary = join(skiff.directory, "canary")
    writeFileSync(canary, "canary")
    for (const name of [file, `${file}.tmp`]) symlinkSync(canary, name)
    await ask("ReopenContainerLog", { container_id })
    expect(readFileSync(canary, "utf8")).toBe("canary")
    await eventually(async () => expect(readFileSync(file, "utf8")).toContain("tick"))
    const old = readFileSync(`${file}.old`, "utf8")
    await eventually(async () => expect(readFileSync(file, "utf8").split("\n").length).toBeGreaterThan(4))
    expect(readFileSync(`${file}.old`, "utf8")).toBe(old)
    await ask("StopContainer", { container_id, timeout: "0" })
    expect(await refused(ask("ReopenContainerLog", { container_id }))).toMatchObject({ code: PRECONDITION })
  })

  test("lists containers by id, sandbox, state and labels, and all lists in streams as well", async () => {
    const [one, two] = [await pod(), await pod()]
    const [first, second] = [await started(one, { labels: { a: "1" } }), await create(two, { labels: { a: "2" } })]
    expect((await listed({})).toSorted()).toEqual([first, second].toSorted())
    expect(await listed({ pod_sandbox_id: one.id })).toEqual([first])
    expect(await listed({ state: { state: "CONTAINER_CREATED" } })).toEqual([second])
    expect(await listed({ label_selector: { a: "1" } })).toEqual([first])
    expect(await listed({ id: second.slice(0, 12) })).toEqual([second])
    expect((await streamed("StreamContainers", "containers")).length).toBe(2)
    expect((await streamed("StreamPodSandboxes", "pod_sandboxes")).length).toBe(2)
    expect((await streamed("StreamContainerStats", "container_stats")).length).toBe(1)
    expect((await streamed("StreamPodSandboxStats", "pod_sandbox_stats")).length).toBe(2)
    expect((await streamed("StreamPodSandboxMetrics", "pod_sandbox_metrics")).length).toBe(2)
    expect((await streamed("StreamImages", "images")).length).toBeGreaterThan(0)
  })

  test("shows neither pods nor containers of others, and does not touch them", async () => {
    await skiff.ok("pod", "create", "--name", "mine")
    const own = await skiff.ok("run", "-d", "--pod", "mine", "--name", "own", "busybox", "sleep", "1000")
    try {
      expect((await ask("ListContainers")).containers).toEqual([])
      expect((await ask("ListPodSandbox")).items).toEqual([])
      expect(await refused(ask("ContainerStatus", { container_id: own }))).toMatchObject({ code: NOT_FOUND })
      await ask("RemoveContainer", { container_id: own })
      const podId = await skiff.ok("pod", "inspect", "-f", "{{.Id}}", "mine")
      await ask("RemovePodSandbox", { pod_sandbox_id: podId })
      expect(await skiff.ok("inspect", "-f", "{{.State.Status}}", "own")).toBe("running")
    } finally {
      await skiff.ok("pod", "rm", "-f", "mine")
    }
  })

  test("killed and started again, shows all as it was, and what ended meanwhile", async () => {
    const one = await pod({ labels: { a: "b" }, annotations: { c: "d" } })
    const [stays, ends] = [
      await started(one, { log_path: "a.log" }),
      await started(one, { command: ["sh", "-c", "sleep 1; exit 7"] }),
    ]
    const before = [await status(stays), (await ask("PodSandboxStatus", { pod_sandbox_id: one.id })).status]
    await cri.stop("SIGKILL")
    await skiff.ok("wait", ends)
    await cri.start()
    expect([await status(stays), (await ask("PodSandboxStatus", { pod_sandbox_id: one.id })).status]).toEqual(before)
    expect(await status(ends)).toMatchObject({ state: "CONTAINER_EXITED", exit_code: 7 })
    expect((await sh(stays, "echo still here")).out).toBe("still here\n")
    expect(await cri.stop()).toBe(0)
    expect(existsSync(cri.socket)).toBe(false)
    await cri.start()
    expect((await status(stays)).state).toBe("CONTAINER_RUNNING")
  })

  test.each([
    ["RunPodSandbox", "pod:recorded"],
    ["RunPodSandbox", "sandbox:namespaces-made"],
    ["RunPodSandbox", "sandbox:network-joined"],
    ["RunPodSandbox", "pod:sandbox-ready"],
    ["StartContainer", "start:monitor-created"],
    ["StartContainer", "start:program-started"],
    ["RemovePodSandbox", "pod:removing"],
    ["RemovePodSandbox", "pod:sandbox-removed"],
  ] as const)("killed in %s at %s, is started again, and kubelet's next try succeeds", async (call, crashAt) => {
    const before = call === "RunPodSandbox" ? undefined : await pod()
    const container_id = before && (await create(before))
    if (call === "RemovePodSandbox" && container_id !== undefined) await ask("StartContainer", { container_id })
    await cri.stop()
    await cri.start({ crashAt })
    const config = podConfig()
    const killed = {
      RunPodSandbox: () => ask("RunPodSandbox", { config }),
      StartContainer: () => ask("StartContainer", { container_id }),
      RemovePodSandbox: () => ask("RemovePodSandbox", { pod_sandbox_id: before?.id }),
    }
    expect(await refused(killed[call]())).toMatchObject({ code: UNAVAILABLE })
    await cri.stop()
    await cri.start()
    // what is shown can be asked for, stopped and removed
    for (const { id } of (await ask("ListPodSandbox")).items) await ask("PodSandboxStatus", { pod_sandbox_id: id })
    for (const { id, state } of (await ask("ListContainers")).containers) {
      expect((await status(id)).state).toBe(state)
      await ask("StopContainer", { container_id: id, timeout: "0" })
    }
    if (call === "RemovePodSandbox") await ask("RemovePodSandbox", { pod_sandbox_id: before?.id })
    const next = { ...config, metadata: { ...config.metadata, attempt: 1 } }
    const { pod_sandbox_id } = await ask("RunPodSandbox", { config: next })
    const again = await started({ id: pod_sandbox_id, config: next })
    expect((await sh(again, "echo up")).out).toBe("up\n")
    if (call === "RemovePodSandbox")
      expect((await ask("ListPodSandbox")).items.map(({ id }) => id)).toEqual([pod_sandbox_id])
  })

  test("publishes ports of the host, and only those that are said", async () => {
    const host_port = await freePort()
    const one = await pod({ port_mappings: [{ container_port: 80, host_port }, { container_port: 81 }] })
    await started(one, { command: ["sh", "-c", "echo page > /index.html; httpd -f -p 80 -h /"] })
    await eventually(async () => {
      expect(await (await fetch(`http://127.0.0.1:${host_port}/index.html`)).text()).toBe("page\n")
    })
    const bad = [{ container_port: 80, host_port: 70_000 }]
    expect(await refused(ask("RunPodSandbox", { config: podConfig({ port_mappings: bad }) }))).toMatchObject({
      code: INVALID,
    })
    const taken = podConfig({ port_mappings: [{ container_port: 80, host_port }] })
    expect(await refused(ask("RunPodSandbox", { config: taken }))).toMatchObject({ code: EXISTS })
    expect((await ask("ListPodSandbox")).items.length).toBe(1)
  })

  test("gives devices, and runs what a handler names by its runtime", async () => {
    const config = podConfig()
    const { pod_sandbox_id: id } = await ask("RunPodSandbox", { config, runtime_handler: "crun" })
    expect((await ask("PodSandboxStatus", { pod_sandbox_id: id })).status?.runtime_handler).toBe("crun")
    const devices = [{ host_path: "/dev/null", container_path: "/dev/mine", permissions: "rw" }]
    const container_id = await started({ id, config }, { devices })
    expect((await sh(container_id, "echo x > /dev/mine && stat -c %F /dev/mine")).out).toBe("character special file\n")
    expect(await skiff.ok("inspect", "-f", "{{.HostConfig.Runtime}}", container_id)).toBe("crun")
  })

  test("runs commands at once: both streams, the exit code, an end after the time-out, and no more than 16 MiB", async () => {
    const container_id = await started(await pod())
    expect(await sh(container_id, "echo o; echo e >&2; exit 5")).toEqual({ out: "o\n", err: "e\n", code: 5 })
    const late = await refused(ask("ExecSync", { container_id, cmd: ["sleep", "1000"], timeout: "1" }))
    expect(late).toMatchObject({ code: DEADLINE })
    expect((await sh(container_id, "ps | grep -c 'sleep 100[0]'")).out).toBe("1\n")
    const much = await ask("ExecSync", {
      container_id,
      cmd: ["sh", "-c", "echo first >&2; head -c 20000000 /dev/zero"],
    })
    expect([much.stdout.length, Buffer.from(much.stderr).toString()]).toEqual([16_000_000 - 6, "first\n"])
    expect(await refused(ask("ExecSync", { container_id, cmd: [] }))).toMatchObject({ code: INVALID })
    expect(await refused(ask("ExecSync", { container_id, cmd: ["/nosuch"] }))).toMatchObject({ code: INVALID })
    await ask("StopContainer", { container_id, timeout: "0" })
    expect(await refused(ask("ExecSync", { container_id, cmd: ["true"] }))).toMatchObject({ code: PRECONDITION })
  })

  test("tells why a container ended: completed, failed, could not be started", async () => {
    const one = await pod()
    const good = await started(one, { command: ["true"] })
    await ended(good)
    expect(await status(good)).toMatchObject({ exit_code: 0, reason: "Completed" })
    const container_id = await create(one, { command: ["/no/such/program"] })
    expect(await refused(ask("StartContainer", { container_id }))).toMatchObject({ code: INVALID })
    expect(await status(container_id)).toMatchObject({
      state: "CONTAINER_EXITED",
      exit_code: 127,
      reason: "StartError",
    })
  })

  test("puts sandboxes on a network of kubelet's range, once that is said", async () => {
    const [range, other] = [`${ten(7)}.3.0/24`, `${ten(8)}.3.0/24`]
    await say("")
    for (let times = 0; times < 2; times++) await say(range)
    try {
      expect(await address()).toStartWith(ten(7))
      // addresses of pods that run do not change under them
      expect(await refused(say(other))).toMatchObject({ code: PRECONDITION })
      for (const { id } of (await ask("ListPodSandbox")).items) await ask("RemovePodSandbox", { pod_sandbox_id: id })
      await say(other)
      expect(await address()).toStartWith(ten(8))
      for (const pod_cidr of ["nonsense", "10.0.0.0/99"])
        expect(await refused(say(pod_cidr))).toMatchObject({ code: INVALID })
    } finally {
      for (const { id } of (await ask("ListPodSandbox")).items) await ask("RemovePodSandbox", { pod_sandbox_id: id })
      await skiff.run(["network", "rm", "kube-pods"])
    }
  })

  testUnless(noLimits)("bounds memory, says OOMKilled, and changes limits while it runs", async () => {
    const parent = `/skiff-cri-${process.pid}`
    const one = await pod({ linux: isRoot ? { cgroup_parent: parent } : {} })
    const MIB = 1024 * 1024
    const limits = { memory_limit_in_bytes: `${64 * MIB}`, cpu_quota: "50000", cpu_period: "100000", cpu_shares: "512" }
    const container_id = await started(one, { linux: { resources: limits } })
    expect((await status(container_id)).resources?.linux).toMatchObject(limits)
    await ask("UpdateContainerResources", { container_id, linux: { memory_limit_in_bytes: `${96 * MIB}` } })
    expect((await status(container_id)).resources?.linux).toMatchObject({
      ...limits,
      memory_limit_in_bytes: `${96 * MIB}`,
    })
    const { stats } = await ask("ContainerStats", { container_id })
    expect(Number(stats?.memory?.available_bytes?.value)).toBeLessThanOrEqual(96 * MIB)
    const greedy = await started(one, {
      command: ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=40M"],
      linux: { resources: { memory_limit_in_bytes: `${16 * MIB}`, memory_swap_limit_in_bytes: "0" } },
    })
    await ended(greedy)
    expect(await status(greedy)).toMatchObject({ exit_code: 137, reason: "OOMKilled" })
    await ask("RemovePodSandbox", { pod_sandbox_id: one.id })
    // kubelet's own, which it removes itself
    if (isRoot) execFileSync("sh", ["-c", `rmdir /sys/fs/cgroup$0 /sys/fs/cgroup/*$0 2>/dev/null; true`, parent])
  })

  test("counts what containers and sandboxes use, in stats and in metrics", async () => {
    const one = await pod()
    const container_id = await started(one, {
      command: ["sh", "-c", "head -c 1000000 /dev/zero > /file; while :; do :; done"],
    })
    await eventually(async () => {
      const { stats } = await ask("ContainerStats", { container_id })
      expect(Number(stats?.cpu?.usage_nano_cores?.value ?? 0)).toBeGreaterThan(1e7)
      expect(Number(stats?.memory?.working_set_bytes?.value)).toBeGreaterThan(0)
      expect(Number(stats?.writable_layer?.used_bytes?.value)).toBeGreaterThan(0)
    })
    const { stats } = await ask("PodSandboxStats", { pod_sandbox_id: one.id })
    expect(stats?.linux?.containers.map(({ attributes }) => attributes?.id)).toEqual([container_id])
    expect(Number(stats?.linux?.process?.process_count?.value)).toBeGreaterThan(0)
    expect(stats?.linux?.network?.default_interface?.name).toBe("eth0")
    const known = new Map((await ask("ListMetricDescriptors")).descriptors.map((one_) => [one_.name, one_.label_keys]))
    const { pod_metrics } = await ask("ListPodSandboxMetrics")
    const metrics = [
      ...pod_metrics.flatMap((each) => each.metrics),
      ...pod_metrics.flatMap((each) => each.container_metrics.flatMap((one_) => one_.metrics)),
    ]
    for (const { name, label_values } of metrics)
      expect([name, label_values.length]).toEqual([name, known.get(name)?.length ?? -1])
    const names = new Set(metrics.map(({ name }) => name))
    // what a device, huge pages or the version of cgroups decide may be missing
    const mayMiss = /blkio|fs_(reads|writes)|hugetlb|pressure|cpu_quota/
    const missing = [...known.keys()].filter((name) => !names.has(name) && !mayMiss.test(name))
    if (isRoot) expect(missing).toEqual([])
    expect(known.size).toBeGreaterThan(55)
    const of = (name: string) => metrics.filter((one_) => one_.name === `container_${name}`)
    if (isRoot) expect(Number(of("file_descriptors")[0]?.value?.value)).toBeGreaterThanOrEqual(3)
    expect(of("ulimits_soft").length).toBeGreaterThan(10)
  })

  test("tells of what happens as it happens, of its own containers alone", async () => {
    const events = cri.stream("GetContainerEvents", {})
    const told: string[] = []
    const reading = (async () => {
      for await (const { container_id, container_event_type, pod_sandbox_status, created_at } of events) {
        expect(BigInt(created_at) > 0n).toBe(true)
        told.push(`${container_id} ${container_event_type} ${pod_sandbox_status?.state ?? ""}`)
      }
    })().catch(() => {})
    await skiff.ok("run", "--rm", "busybox", "true")
    const one = await pod()
    const container_id = await started(one)
    await ask("StopContainer", { container_id, timeout: "0" })
    await ask("RemoveContainer", { container_id })
    await ask("StopPodSandbox", { pod_sandbox_id: one.id })
    await ask("RemovePodSandbox", { pod_sandbox_id: one.id })
    await eventually(async () => expect(told.at(-1)).toStartWith(`${one.id} CONTAINER_DELETED_EVENT`))
    events.cancel()
    await reading
    expect(
      told.map((text) => text.replace(one.id, "pod").replace(container_id, "container").split(" ", 2).join(" ")),
    ).toEqual([
      "pod CONTAINER_CREATED_EVENT",
      "pod CONTAINER_STARTED_EVENT",
      "container CONTAINER_CREATED_EVENT",
      "container CONTAINER_STARTED_EVENT",
      "container CONTAINER_STOPPED_EVENT",
      "container CONTAINER_DELETED_EVENT",
      "pod CONTAINER_STOPPED_EVENT",
      "pod CONTAINER_DELETED_EVENT",
    ])
  })

  test("ends at once when it is asked to, whoever still listens to its events", async () => {
    const events = cri.stream("GetContainerEvents", {})
    const reading = (async () => {
      for await (const _ of events);
    })().catch(() => {})
    await pod()
    const begun = Date.now()
    await cri.stop()
    expect(Date.now() - begun).toBeLessThan(10_000 * SLOWNESS)
    await reading
    await cri.start()
  })

  describe("identity", () => {
    test("is the user and the groups that are asked for, with the image's groups or without", async () => {
      const registry = await Registry.start()
      try {
        const entries = [
          ...busyboxEntries(),
          { name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n" },
          { name: "etc/group", content: "root:x:0:\nme:x:1000:\nextra:x:50000:me\n" },
        ]
        const image = { image: registry.push("cri/groups:1", { ...BUSYBOX, layers: [{ entries }] }) }
        await ask("PullImage", { image })
        const one = await pod()
        const as = (context: Sent<LinuxContainerSecurityContext>) =>
          ids({ image, ...secured(context) }, Promise.resolve(one))
        const run_as_user = { value: "1000" }
        expect(await as({ run_as_user })).toEqual(["1000", "1000", "1000 50000"])
        expect(await as({ run_as_user, run_as_group: { value: "2000" }, supplemental_groups: ["3000"] })).toEqual([
          "1000",
          "2000",
          "2000 3000 50000",
        ])
        expect(await as({ run_as_user, supplemental_groups: ["3000"], supplemental_groups_policy: "Strict" })).toEqual([
          "1000",
          "1000",
          "1000 3000",
        ])
        expect(await as({ run_as_username: "me" })).toEqual(["1000", "1000", "1000 50000"])
        expect(await refused(create(one, { image, ...secured({ run_as_group: { value: "5" } }) }))).toMatchObject({
          code: INVALID,
        })
        const container_id = await create(one, { image, ...secured({ run_as_username: "nobody-here" }) })
        expect(await refused(ask("StartContainer", { container_id }))).toMatchObject({ code: INVALID })
      } finally {
        registry.stop()
      }
    })

    test("has the capabilities that are asked for, ambient ones too, and may be kept from gaining more", async () => {
      const capabilities = { add_ambient_capabilities: ["NET_BIND_SERVICE"], drop_capabilities: ["ALL"] }
      const container_id = await started(
        await pod(),
        secured({ capabilities, no_new_privs: true, run_as_user: { value: "1000" } }),
      )
      const { out } = await sh(
        container_id,
        "grep -E '^(CapInh|CapPrm|CapBnd|CapAmb|NoNewPrivs)' /proc/1/status /proc/self/status",
      )
      const net = "0000000000000400"
      expect(out).toContain(`/proc/self/status:CapAmb:\t${net}`)
      expect(out).toContain(`/proc/self/status:CapBnd:\t${net}`)
      expect(out).toContain("/proc/self/status:NoNewPrivs:\t1")
    })
  })

  describe("security", () => {
    test("hides and protects the paths that are named, and no others", async () => {
      const container_id = await started(
        await pod(),
        secured({ masked_paths: ["/etc/group"], readonly_paths: ["/tmp"], readonly_rootfs: false }),
      )
      expect((await sh(container_id, "cat /etc/group")).out).toBe("")
      expect((await sh(container_id, "touch /tmp/x")).err).toContain("Read-only file system")
      expect((await sh(container_id, "touch /root-file && echo yes")).out).toBe("yes\n")
      expect((await sh(container_id, "wc -c < /proc/timer_list")).out).not.toBe("0\n")
    })

    test("filters system calls as the profile says: the runtime's, one of the node's, none", async () => {
      const one = await pod()
      const mode = async (context: Sent<LinuxContainerSecurityContext>) =>
        (await sh(await started(one, secured(context)), "grep ^Seccomp: /proc/self/status")).out.trim()
      expect(await mode({})).toBe("Seccomp:\t0")
      expect(await mode({ seccomp: { profile_type: "Unconfined" } })).toBe("Seccomp:\t0")
      expect(await mode({ seccomp: { profile_type: "RuntimeDefault" } })).toBe("Seccomp:\t2")
      expect(await mode({ seccomp_profile_path: "runtime/default" })).toBe("Seccomp:\t2")
      const profile = join(skiff.directory, "chmod.json")
      const syscalls = [{ names: ["chmod", "fchmodat", "fchmodat2"], action: "SCMP_ACT_ERRNO" }]
      writeFileSync(profile, JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls }), { mode: 0o644 })
      const seccomp = { profile_type: "Localhost", localhost_ref: profile } as const
      expect((await sh(await started(one, secured({ seccomp })), "chmod 400 /tmp")).err).toContain("not permitted")
      expect(await refused(create(one, secured({ seccomp_profile_path: profile })))).toMatchObject({ code: INVALID })
      const missing = await create(one, secured({ seccomp: { ...seccomp, localhost_ref: "/no/such.json" } }))
      expect(await refused(ask("StartContainer", { container_id: missing }))).toMatchObject({ code: INVALID })
    })

    test("makes a privileged container in a sandbox for such alone", async () => {
      const config = secured({ privileged: true, masked_paths: ["/proc/kcore"] })
      expect(await refused(create(await pod(), config))).toMatchObject({ code: INVALID })
      const one = await pod({ linux: { security_context: { privileged: true } } })
      const { out } = await sh(
        await started(one, config),
        "grep ^Seccomp: /proc/self/status; ls -d /dev/fuse /dev/kmsg | wc -l",
      )
      expect(out).toStartWith("Seccomp:\t0\n")
    })
  })

  describe("namespaces", () => {
    test("are the pod's, the container's own, or the node's", async () => {
      const shared = await pod()
      const [a, b] = [await started(shared), await started(shared)]
      expect(await links(a)).toEqual(await links(b))
      expect((await sh(a, "cat /proc/1/cmdline")).out).not.toContain("sleep")

      const own = modes("POD", "CONTAINER", "POD")
      const apart = await pod({ linux: { security_context: { namespace_options: own } } })
      const [c, d] = [await started(apart, secured({ namespace_options: own })), await started(apart)]
      expect((await links(c))[1]).not.toBe((await links(d))[1] as string)
      expect((await sh(c, "cat /proc/1/cmdline")).out).toContain("sleep")

      const joined = await started(apart, secured({ namespace_options: { ...own, pid: "TARGET", target_id: c } }))
      expect((await links(joined))[1]).toBe((await links(c))[1] as string)
      const other = await started(shared)
      expect(
        await refused(create(apart, secured({ namespace_options: { ...own, pid: "TARGET", target_id: other } }))),
      ).toMatchObject({ code: INVALID })
    })

    onlyRoot("of the node are the host's own", async () => {
      const namespace_options = modes("NODE", "NODE", "NODE")
      const one = await pod({ hostname: "", linux: { security_context: { namespace_options } } })
      const id = await started(one, secured({ namespace_options }))
      expect(await links(id)).toEqual([host("net"), host("pid"), host("ipc"), host("uts")])
      expect((await ask("PodSandboxStatus", { pod_sandbox_id: one.id })).status?.network?.ip).toBe("")
    })

    onlyRoot("of users are mapped as kubelet says", async () => {
      const map = [{ host_id: 200_000, container_id: 0, length: 65_536 }]
      const namespace_options = {
        ...modes("POD", "CONTAINER", "POD"),
        userns_options: { mode: "POD", uids: map, gids: map },
      } as const
      const one = await pod({ linux: { security_context: { namespace_options } } })
      const host_path = directory("mapped")
      writeFileSync(join(host_path, "file"), "")
      const mount = { host_path, container_path: "/mnt" }
      const mounts = [
        { ...mount, uidMappings: map, gidMappings: map },
        { ...mount, container_path: "/plain" },
      ]
      const id = await started(one, { ...secured({ namespace_options }), mounts })
      expect((await sh(id, "touch /mnt/new; stat -c %u /mnt/file /mnt/new /plain/file")).out).toBe("0\n0\n65534\n")
      expect(statSync(join(host_path, "new")).uid).toBe(0)
      expect((await sh(id, "cat /proc/self/uid_map /proc/self/gid_map")).out.replace(/ +/g, " ")).toBe(
        " 0 200000 65536\n 0 200000 65536\n",
      )
      const two = { ...namespace_options, userns_options: { mode: "POD", uids: [...map, ...map], gids: map } } as const
      expect(await refused(pod({ linux: { security_context: { namespace_options: two } } }))).toMatchObject({
        code: INVALID,
      })
    })

    test("have the sysctls, name servers and search domains of their pod", async () => {
      const one = await pod({
        linux: { sysctls: { "kernel.shm_rmid_forced": "1" } },
        dns_config: { servers: ["10.10.10.10"], searches: ["svc.cluster.local"], options: ["ndots:5"] },
      })
      const id = await started(one)
      expect((await sh(id, "cat /proc/sys/kernel/shm_rmid_forced /etc/resolv.conf")).out).toBe(
        "1\nnameserver 10.10.10.10\nsearch svc.cluster.local\noptions ndots:5\n",
      )
    })
  })

  describe("mounts", () => {
    test("show the node's files, through a link, read-only where asked", async () => {
      const host_path = directory("real")
      writeFileSync(join(host_path, "file"), "bytes\n", { mode: 0o644 })
      const link = join(skiff.directory, "link")
      symlinkSync(host_path, link)
      const mounts = [
        { host_path: link, container_path: "/data", readonly: true },
        { host_path, container_path: "/writable" },
      ]
      const id = await started(await pod(), { mounts })
      expect((await sh(id, "cat /data/file; touch /data/new; touch /writable/new && echo ok")).out).toBe("bytes\nok\n")
      expect((await status(id)).mounts.map((one) => [one.host_path, one.container_path, one.readonly])).toEqual([
        [link, "/data", true],
        [host_path, "/writable", false],
      ])
      rmSync(link)
    })

    onlyRoot("are passed on to and from the node, and read-only with all below them, as asked", async () => {
      const host_path = directory("tree")
      const below = join(host_path, "below")
      mkdirSync(below, { recursive: true })
      execFileSync("mount", ["--bind", host_path, host_path])
      execFileSync("mount", ["--make-shared", host_path])
      execFileSync("mount", ["-t", "tmpfs", "none", below])
      try {
        const one = await pod()
        const both = { host_path, container_path: "/mnt", readonly: true }
        const plain = await started(one, { mounts: [both] })
        expect((await sh(plain, "touch /mnt/below/x && echo yes")).out).toBe("yes\n")
        const deep = await started(one, { mounts: [{ ...both, recursive_read_only: true }] })
        expect((await sh(deep, "touch /mnt/below/y")).err).toContain("Read-only file system")
        const wrong = { ...both, recursive_read_only: true, propagation: "PROPAGATION_BIDIRECTIONAL" } as const
        expect(await refused(create(one, { mounts: [wrong] }))).toMatchObject({ code: INVALID })
        const slave = await started(one, {
          mounts: [{ host_path, container_path: "/mnt", propagation: "PROPAGATION_HOST_TO_CONTAINER" }],
        })
        mkdirSync(join(host_path, "late"), { recursive: true })
        execFileSync("mount", ["-t", "tmpfs", "none", join(host_path, "late")])
        writeFileSync(join(host_path, "late", "seen"), "")
        expect((await sh(slave, "ls /mnt/late")).out).toBe("seen\n")
        expect((await sh(plain, "ls /mnt/late")).out).toBe("")
      } finally {
        execFileSync("umount", ["-R", host_path])
      }
    })

    test("of images are their files, with the image's id in the status", async () => {
      const image = { image: "busybox" }
      const one = await pod()
      const mount = { container_path: "/image", readonly: true, image }
      const id = await started(one, { mounts: [mount, { ...mount, container_path: "/sub", image_sub_path: "etc" }] })
      expect((await sh(id, "/image/bin/busybox true && echo runs; ls /sub | head -n 1; touch /image/x")).out).toContain(
        "runs\n",
      )
      expect((await sh(id, "touch /image/x")).err).toContain("Read-only file system")
      const { image_id, mounts } = await status(id)
      expect(mounts[0]?.image?.image_ref).toBe(image_id)
      expect(await refused(create(one, { mounts: [{ ...mount, readonly: false }] }))).toMatchObject({ code: INVALID })
      expect(await refused(create(one, { mounts: [{ ...mount, image_sub_path: "no/such" }] }))).toMatchObject({
        code: INVALID,
      })
      expect(await refused(create(one, { mounts: [{ ...mount, image: { image: "nosuch:1" } }] }))).toMatchObject({
        code: NOT_FOUND,
      })
    })
  })

  describe("images", () => {
    test("are pulled, with credentials too, listed, and removed with all their names", async () => {
      const registry = await Registry.start({ private: true })
      try {
        const name = registry.push("cri/app:1", { ...BUSYBOX, config: { ...BUSYBOX.config, User: "1002" } })
        expect(await refused(ask("PullImage", { image: { image: name } }))).toMatchObject({ code: 7 })
        const auth = { username: ACCOUNT.user, password: ACCOUNT.password, server_address: registry.host }
        const { image_ref } = await ask("PullImage", { image: { image: name }, auth })
        const other = { ...auth, server_address: "elsewhere.example" }
        expect(await refused(ask("PullImage", { image: { image: name }, auth: other }))).toMatchObject({ code: 7 })
        const { image } = await ask("ImageStatus", { image: { image: name }, verbose: true })
        expect(image).toMatchObject({ id: image_ref, repo_tags: [name], uid: { value: "1002" } })
        expect(Number(image?.size)).toBeGreaterThan(0)
        expect(image?.repo_digests[0]).toMatch(/@sha256:[0-9a-f]{64}$/)
        await skiff.ok("tag", name, "another:2")
        expect((await ask("ListImages", { filter: { image: { image: name } } })).images.map(({ id }) => id)).toEqual([
          image_ref,
        ])
        for (let times = 0; times < 2; times++) await ask("RemoveImage", { image: { image: name } })
        expect((await ask("ImageStatus", { image: { image: "another:2" } })).image).toBeNull()
      } finally {
        registry.stop()
      }
    })

    test("that are not there are told apart", async () => {
      expect((await ask("ImageStatus", { image: { image: "nosuch:1" } })).image).toBeNull()
      expect(await refused(create(await pod(), { image: { image: "nosuch:1" } }))).toMatchObject({ code: NOT_FOUND })
      expect(await refused(ask("PullImage", { image: { image: "127.0.0.1:1/no/such:1" } }))).toMatchObject({ code: 14 })
      for (const image of ["", "UPPER/case:1", "../../etc/passwd", "a\0b", "-rf"])
        expect(await refused(ask("PullImage", { image: { image } }))).toMatchObject({ code: INVALID })
      const { image_filesystems } = await ask("ImageFsInfo")
      expect(Number(image_filesystems[0]?.used_bytes?.value)).toBeGreaterThan(0)
      expect(existsSync(image_filesystems[0]?.fs_id?.mountpoint ?? "")).toBe(true)
    })
  })

  describe("hostile words", () => {
    test("are refused by name, and change nothing", async () => {
      const one = await pod()
      for (const log_path of ["../../escape.log", "a/../../../escape.log", "..", "x\ny"])
        expect(await refused(create(one, { log_path }))).toMatchObject({ code: INVALID })
      const away = join(skiff.directory, "away")
      everybodys(away)
      everybodys(one.config.log_directory ?? "")
      symlinkSync(away, join(one.config.log_directory ?? "", "link"))
      expect(await refused(create(one, { log_path: "link/0.log" }))).toMatchObject({ code: INVALID })
      expect(existsSync(join(away, "0.log"))).toBe(false)
      for (const name of ["../x", "a/b", "", "a\nb", "-x", "$(id)"]) {
        const metadata = { name, namespace: "default", uid: "u", attempt: 0 }
        expect(await refused(ask("RunPodSandbox", { config: podConfig({ metadata }) }))).toMatchObject({
          code: INVALID,
        })
        expect(await refused(create(one, { metadata: { name, attempt: 0 } }))).toMatchObject({ code: INVALID })
      }
      const bad: Sent<ContainerConfig>[] = [
        { mounts: [{ host_path: "/no/such/path", container_path: "/x" }] },
        { mounts: [{ host_path: "relative", container_path: "/x" }] },
        { mounts: [{ host_path: "/tmp", container_path: "relative" }] },
        { mounts: [{ host_path: "/tmp", container_path: "/" }] },
        { envs: [{ key: "A=B", value: Buffer.from("") }] },
        { devices: [{ host_path: "/dev/../etc/passwd", container_path: "/dev/x", permissions: "rw" }] },
        secured({ capabilities: { add_capabilities: ["NO_SUCH"] } }),
        { working_dir: "relative" },
        { image: { image: "" } },
      ]
      for (const config of bad) {
        const made = await create(one, config).then(
          (container_id) => refused(ask("StartContainer", { container_id })),
          (error: { code: number }) => ({ code: error.code }),
        )
        expect([config, made]).toEqual([config, expect.objectContaining({ code: INVALID })])
      }
      expect(await refused(ask("RunPodSandbox", { config: podConfig(), runtime_handler: "/bin/sh" }))).toMatchObject({
        code: INVALID,
      })
      for (const id of ["../../etc", "", "web", "-f", "%00"])
        expect(await refused(ask("PodSandboxStatus", { pod_sandbox_id: id }))).toMatchObject({ code: NOT_FOUND })
      const huge = await refused(
        ask("RunPodSandbox", { config: podConfig({ annotations: { a: "x".repeat(17 * 1024 * 1024) } }) }),
      )
      expect(huge).toMatchObject({ code: EXHAUSTED })
      expect((await ask("ListPodSandbox")).items.length).toBe(1)
    })
  })
})
