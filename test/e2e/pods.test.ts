/** Pods: containers that share namespaces, addresses and ports, and live together. */
import { ten } from "../support/ranges.ts"
import { once } from "node:events"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "bun:test"
import { hostEnds, portsColumn } from "../support/published.ts"
import { noLimits, openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()

const removeAll = () => skiff.ok("pod", "rm", "-f", "--all")
afterEach(removeAll)

const status = (pod: string) => skiff.ok("pod", "inspect", "-f", "{{.State}}", pod)
const sh = async (container: string, script: string) =>
  (await skiff.run(["exec", container, "sh", "-c", script])).stdout.trim()
const sleeper = (pod: string, name: string, ...flags: string[]) =>
  skiff.ok("run", "-d", "--stop-timeout", "0", "--pod", pod, "--name", name, ...flags, "busybox", "sleep", "1000")

const V2_FILES: Record<string, string> = { "memory.limit_in_bytes": "memory.max", "cpu.cfs_quota_us": "cpu.max" }
const isV2 = existsSync("/sys/fs/cgroup/cgroup.controllers")
/** A file of v1 by controller, or its like of v2. */
const readCgroup = (controller: string, path: string, file: string) =>
  readFileSync(`/sys/fs/cgroup${isV2 ? "" : `/${controller}`}${path}/${isV2 ? (V2_FILES[file] ?? file) : file}`, "utf8")
    .split(" ", 1)
    .join()
    .trim()
const say = (word: string) => ["busybox", "sh", "-c", `echo ${word}; sleep 1000`]
const crash = (at: string, ...args: string[]) => skiff.run(args, { env: { SKIFF_CRASH_AT: at } })

interface PodDocument {
  Id: string
  Name: string
  State: string
  InfraContainerID: string
  SharedNamespaces: string[]
  NumContainers: number
  Containers: { Id: string; Name: string; State: string }[]
  InfraConfig: { PortBindings: Record<string, { HostPort: string }[]>; IPAddresses: Record<string, string> }
}
const inspect = async (pod: string) => (JSON.parse(await skiff.ok("pod", "inspect", pod)) as [PodDocument])[0]

describe("a pod", () => {
  test("is created without anything that runs, and told by ps, inspect and exists", async () => {
    const id = await skiff.ok("pod", "create", "--name", "shop", "--label", "team=web")
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(await skiff.ok("ps", "-aq")).toBe("")
    const format = "{{.Name}} {{.Status}} {{.NumberOfContainers}}"
    expect(await skiff.ok("pod", "ps", "--format", format, "--filter", "label=team=web")).toBe("shop Created 1")
    expect(await skiff.ok("pod", "ps", "-q", "--no-trunc", "--filter", "name=shop")).toBe(id)
    expect(await inspect("shop")).toMatchObject({
      Id: id,
      Name: "shop",
      State: "Created",
      SharedNamespaces: ["ipc", "net", "uts"],
      NumContainers: 1,
      Containers: [{ Name: `${id.slice(0, 12)}-infra`, State: "created" }],
    })
    for (const name of ["shop", id, id.slice(0, 8)]) expect((await skiff.run(["pod", "exists", name])).code).toBe(0)
    expect((await skiff.run(["pod", "exists", "nosuch"])).code).toBe(1)
    const taken = await skiff.run(["pod", "create", "--name", "shop"])
    expect(taken.code).toBe(125)
    expect(taken.stderr).toContain('the pod name "shop" is already in use')
    expect(await skiff.ok("pod", "create", "--replace", "--name", "shop")).not.toBe(id)
    // names of chance, as containers have them
    expect(await skiff.ok("pod", "inspect", "-f", "{{.Name}}", await skiff.ok("pod", "create"))).toMatch(
      /^[a-z]+_[a-z]+/,
    )
  })

  test("gives its containers one network, host name and /dev/shm, and each its own files and processes", async () => {
    await skiff.ok("pod", "create", "--name", "shared", "--hostname", "together")
    await sleeper("shared", "one")
    await sleeper("shared", "two")
    expect(await status("shared")).toBe("Running")
    expect(await sh("one", "hostname")).toBe("together")
    await sh("one", "echo hello > /tmp/index.html; httpd -p 127.0.0.1:8080 -h /tmp; echo kept > /dev/shm/file")
    expect(await sh("two", "wget -qO- http://127.0.0.1:8080/; cat /dev/shm/file; hostname")).toBe(
      "hello\nkept\ntogether",
    )
    expect(await sh("two", "cat /tmp/index.html 2>/dev/null || echo none")).toBe("none")
    expect(await sh("two", "ps | grep -c 'sleep 100[0]'")).toBe("1")
    const namespaces = (name: string) =>
      sh(name, "cd /proc/self/ns; for n in net ipc uts pid mnt; do [ $n = pid ] && echo; readlink $n; done")
    const [[sharedOne, ownOne], [sharedTwo, ownTwo]] = [
      (await namespaces("one")).split("\n\n"),
      (await namespaces("two")).split("\n\n"),
    ]
    expect(sharedOne).toBe(sharedTwo as string)
    expect(ownOne).not.toBe(ownTwo as string)
    expect(await skiff.ok("ps", "--filter", "pod=shared", "--format", "{{.Names}}")).toBe("two\none")
  })

  test("shares processes when it is asked to, and nothing of the host's can be reached by them", async () => {
    await skiff.ok("pod", "create", "--name", "more", "--share", "+pid")
    expect((await inspect("more")).SharedNamespaces).toEqual(["ipc", "net", "pid", "uts"])
    await skiff.ok("pod", "create", "--name", "pids", "--share", "net,pid")
    await sleeper("pids", "first")
    await sleeper("pids", "second", "--cap-add", "SYS_PTRACE")
    expect(await sh("second", "ps | grep -c 'sleep 100[0]'")).toBe("2")
    // the first process is nobody's of the pod, and has nothing of the host
    expect(await sh("second", "ls /proc/1/root/")).toBe("init")
    expect(await sh("second", "ls /proc/1/cwd/; echo x 2>/dev/null > /proc/1/root/init || echo no")).toBe("init\nno")
    expect(await sh("second", "grep -E '^(Uid|CapEff|NoNewPrivs)' /proc/1/status")).toBe(
      "Uid:\t65534\t65534\t65534\t65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1",
    )
    expect(await sh("first", "ls /proc/1/root/ 2>/dev/null || echo no")).toBe("no")
    expect((await inspect("pids")).SharedNamespaces).toEqual(["net", "pid"])
    // a container may choose otherwise
    const alone = await skiff.ok("run", "--rm", "--pod", "pids", "--pid", "private", "busybox", "ps", "-o", "args")
    expect(alone.split("\n").slice(1)).toEqual(["ps -o args"])
    expect(await sh("first", "readlink /proc/self/ns/ipc")).not.toBe(await sh("second", "readlink /proc/self/ns/ipc"))
  })

  test("keeps its address and /dev/shm while containers restart, and has others after its own restart", async () => {
    await skiff.ok("pod", "create", "--name", "kept")
    await sleeper("kept", "k1")
    await sleeper("kept", "k2")
    const address = () => sh("k1", "ip -4 addr show eth0 | sed -n 's/.*inet //p'; readlink /proc/self/ns/net")
    const before = await address()
    await sh("k1", "echo memory > /dev/shm/kept")
    await skiff.ok("restart", "-t", "0", "k1")
    await skiff.ok("kill", "k2")
    expect(await address()).toBe(before)
    expect(await sh("k1", "cat /dev/shm/kept")).toBe("memory")
    expect(await status("kept")).toBe("Degraded")
    await skiff.ok("pod", "restart", "kept")
    expect(await status("kept")).toBe("Running")
    expect(await sh("k1", "cat /dev/shm/kept 2>/dev/null || echo gone")).toBe("gone")
    expect(await address()).not.toBe(before)
  })

  test("publishes ports for its containers, which may not publish their own", async () => {
    await skiff.ok("pod", "create", "--name", "web", "-p", "80")
    await skiff.ok("run", "-d", "--pod", "web", "--name", "server", "busybox", "httpd", "-f", "-p", "80", "-h", "/etc")
    const { PortBindings, IPAddresses } = (await inspect("web")).InfraConfig
    const port = PortBindings["80/tcp"]?.[0]?.HostPort
    expect(await skiff.ok("port", "server", "80")).toMatch(hostEnds(port ?? ""))
    expect(await skiff.ok("ps", "--format", "{{.Ports}}")).toMatch(portsColumn(port ?? "", "80/tcp"))
    expect((await skiff.inspect("server")).NetworkSettings.Networks.bridge?.IPAddress).toBe(IPAddresses.bridge ?? "")
    await eventually(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/group`)
      expect(await answer.text()).toContain("root:x:0:")
    })
    for (const flags of [
      ["-p", "81:81"],
      ["--hostname", "other"],
      ["--network", "host"],
      ["--network", "none"],
      ["--ip", `${ten(88)}.0.77`],
    ]) {
      const { code, stderr } = await skiff.run(["create", "--pod", "web", ...flags, "busybox", "true"])
      expect({ flags, code }).toEqual({ flags, code: 1 })
      expect(stderr).toContain("give it to the")
    }
  })

  test("without a sandbox only groups its containers; with the host's network all have that", async () => {
    await skiff.ok("pod", "create", "--name", "group", "--infra=false")
    await sleeper("group", "alone", "--hostname", "own")
    expect(await sh("alone", "hostname")).toBe("own")
    expect(await inspect("group")).toMatchObject({ InfraContainerID: "", SharedNamespaces: [], NumContainers: 1 })
    expect(await status("group")).toBe("Running")
    await skiff.ok("pod", "create", "--name", "hosts", "--network", "host")
    await sleeper("hosts", "networked")
    expect(await skiff.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}", "networked")).toBe("host")
    const wrong = await skiff.run(["pod", "create", "--network", "host", "-p", "80:80"])
    expect(wrong.code).toBe(125)
    expect(wrong.stderr).toContain("the pod has no network of its own")
  })

  test("gives its containers mounts, dns, hosts, sysctls, security options and a restart policy", async () => {
    const network = ["--dns", "192.0.2.1", "--add-host", "db:192.0.2.9", "--sysctl", "net.ipv4.ip_default_ttl=77"]
    const others = ["-v", "podvolume:/data", "--security-opt", "no-new-privileges", "--shm-size", "1m"]
    await skiff.ok("pod", "create", "--name", "giver", "--restart", "on-failure", ...network, ...others)
    await sleeper("giver", "taker")
    await skiff.ok("pod", "create", "--name", "lender", "--volumes-from", "taker:ro", "--no-hosts")
    const seen = "ls /data; touch /data/y 2>/dev/null || echo read-only; grep -c /etc/hosts /proc/mounts"
    expect((await skiff.run(["run", "--rm", "--pod", "lender", "busybox", "sh", "-c", seen])).stdout).toBe(
      "read-only\n0\n",
    )
    expect(await sh("taker", "cat /etc/resolv.conf")).toContain("nameserver 192.0.2.1")
    expect(await sh("taker", "cat /etc/hosts")).toMatch(/192\.0\.2\.9\s+db/)
    expect(await sh("taker", "grep NoNewPrivs /proc/self/status")).toMatch(/1$/)
    expect(await sh("taker", "cat /proc/sys/net/ipv4/ip_default_ttl")).toBe("77")
    expect(await sh("taker", "df /dev/shm | tail -1 | awk '{print $2}'")).toBe("1024")
    expect(await skiff.ok("inspect", "-f", "{{.HostConfig.RestartPolicy.Name}}", "taker")).toBe("on-failure")
    expect(await sh("taker", "echo x > /data/x; ls /data")).toBe("x")
    await removeAll()
    await skiff.ok("volume", "rm", "podvolume")
  })
})

describe("the life of a pod", () => {
  testUnless(noLimits || (user.rootless && "cgroups of an ordinary user are systemd's"))(
    "limits of a pod hold for its containers together",
    async () => {
      const limits = ["--memory", "64m", "--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0"]
      await skiff.ok("pod", "create", "--name", "limited", ...limits)
      await sleeper("limited", "m1")
      await sleeper("limited", "m2", "--memory", "16m")
      const path = await skiff.ok("pod", "inspect", "-f", "{{.CgroupPath}}", "limited")
      const read = (controller: string, file: string) => readCgroup(controller, path, file)
      expect([
        read("memory", "memory.limit_in_bytes"),
        read("cpu", "cpu.cfs_quota_us"),
        read("cpuset", "cpuset.cpus"),
      ]).toEqual(["67108864", "50000", "0"])
      const pid = await skiff.ok("inspect", "-f", "{{.State.Pid}}", "m2")
      expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).toContain(`:${isV2 ? "" : "memory"}:${path}/skiff-`)
      // each may fill a part, both together not
      const fill = "dd if=/dev/zero of=/dev/null bs=48M count=1"
      expect((await skiff.run(["exec", "m1", "sh", "-c", fill])).code).toBe(0)
      expect((await skiff.run(["exec", "m2", "sh", "-c", fill])).code).not.toBe(0)
      await skiff.ok("pod", "pause", "limited")
      await skiff.ok("pod", "unpause", "limited")
      await skiff.ok("pod", "clone", "limited", "also-limited")
      await skiff.ok("pod", "rm", "-f", "limited")
      expect(existsSync(`/sys/fs/cgroup${isV2 ? "" : "/memory"}${path}`)).toBe(false)
      expect(await skiff.ok("pod", "inspect", "-f", "{{.CgroupPath}}", "also-limited")).not.toBe(path)
    },
  )

  test("limits that cannot hold are refused as the pod is created", async () => {
    const { code, stderr } = await skiff.run(["pod", "create", "--memory", "1m"])
    expect(code).toBe(125)
    expect(await skiff.ok("pod", "ps", "-q")).toBe("")
    expect(stderr).toContain("too small (--memory)")
  })

  testUnless(noLimits)("pause freezes all of it, unpause lets it go on", async () => {
    await skiff.ok("pod", "create", "--name", "frozen")
    for (const name of ["f1", "f2"]) await sleeper("frozen", name)
    await skiff.ok("pod", "pause", "frozen")
    expect(await status("frozen")).toBe("Paused")
    await skiff.ok("pod", "unpause", "frozen")
    expect(await status("frozen")).toBe("Running")
  })

  test("stop, start, kill and rm act on all of it", async () => {
    await skiff.ok("pod", "create", "--name", "life")
    for (const name of ["l1", "l2"])
      await skiff.ok("create", "--pod", "life", "--name", name, "busybox", "sleep", "1000")
    expect(await status("life")).toBe("Created")
    expect(await skiff.ok("pod", "start", "life")).toBe("life")
    expect(await status("life")).toBe("Running")
    await skiff.ok("pod", "stop", "-t", "0", "life")
    expect(await status("life")).toBe("Exited")
    await skiff.ok("pod", "stop", "life")
    await skiff.ok("pod", "start", "life")
    await skiff.ok("pod", "kill", "life")
    expect(await status("life")).toBe("Exited")
    await skiff.ok("start", "l1")
    expect(await status("life")).toBe("Degraded")
    const refused = await skiff.run(["pod", "rm", "life"])
    expect(refused.code).toBe(125)
    expect(refused.stderr).toContain("running or paused containers cannot be removed without force")
    const id = (await inspect("life")).Id
    expect(await skiff.ok("pod", "rm", "-f", "-t", "0", "life")).toBe(id)
    expect(await skiff.ok("ps", "-aq")).toBe("")
    expect((await skiff.run(["pod", "rm", "life"])).stderr).toContain('no such pod: "life"')
    expect((await skiff.run(["pod", "rm", "--ignore", "life"])).code).toBe(0)
  })

  test("with the exit policy stop it ends with its last container", async () => {
    await skiff.ok("pod", "create", "--name", "policy", "--exit-policy", "stop")
    await sleeper("policy", "p1")
    await skiff.ok("run", "--rm", "--pod", "policy", "busybox", "true")
    expect(await status("policy")).toBe("Running")
    await skiff.ok("stop", "-t", "0", "p1")
    await eventually(async () => expect(await status("policy")).toBe("Exited"))
    await skiff.ok("run", "--rm", "--pod", "policy", "busybox", "true")
    await eventually(async () => expect(await status("policy")).toBe("Exited"))
  })

  test("containers that start and end at once find it ready, and leave nothing", async () => {
    await skiff.ok("pod", "create", "--name", "crowded", "--exit-policy", "stop")
    const run = () => skiff.run(["run", "--rm", "--pod", "crowded", "busybox", "cat", "/proc/sys/kernel/hostname"])
    for (const round of [1, 2]) {
      const outcomes = await Promise.all(Array.from({ length: 6 }, run))
      expect({ round, outcomes: outcomes.map(({ code, stdout }) => `${code} ${stdout}`) }).toEqual({
        round,
        outcomes: Array.from({ length: 6 }, () => "0 crowded\n"),
      })
    }
    await eventually(async () => expect(await status("crowded")).toBe("Exited"))
    for (const name of ["cr1", "cr2", "cr3"])
      await skiff.ok("create", "--pod", "crowded", "--stop-timeout", "0", "--name", name, "busybox", "sleep", "1000")
    await Promise.all(["start", "restart", "stop", "start"].map((verb) => skiff.ok("pod", verb, "crowded")))
    await skiff.ok("pod", "start", "crowded")
    expect(await status("crowded")).toBe("Running")
  })

  test("what an init container leaves in /dev/shm is there for the others, also in a pod that ends with its last container", async () => {
    await skiff.ok("pod", "create", "--name", "prepared", "--exit-policy", "stop")
    const create = (name: string, ...words: string[]) =>
      skiff.ok("create", "--pod", "prepared", "--stop-timeout", "0", "--name", name, ...words)
    await create("preparing", "--init-ctr", "always", "busybox", "sh", "-c", "echo ready > /dev/shm/state")
    await create("prepared-main", "busybox", "sh", "-c", "cat /dev/shm/state; sleep 1000")
    await skiff.ok("pod", "start", "prepared")
    await eventually(async () => expect(await skiff.ok("logs", "prepared-main")).toBe("ready"))
    await skiff.ok("stop", "prepared-main")
    await eventually(async () => expect(await status("prepared")).toBe("Exited"))
  })

  test("init containers run first, in order, once or at each start", async () => {
    await skiff.ok("pod", "create", "--name", "ordered", "-v", "order:/o")
    const create = (name: string, ...words: string[]) =>
      skiff.ok("create", "--pod", "ordered", "--name", name, ...words)
    await create("main", "--stop-timeout", "0", "busybox", "sh", "-c", "cat /o/file; sleep 1000")
    await create("once", "--init-ctr", "once", "busybox", "sh", "-c", "echo once >> /o/file")
    await create("always", "--init-ctr", "always", "busybox", "sh", "-c", "echo always >> /o/file")
    await skiff.ok("pod", "start", "ordered")
    expect((await skiff.run(["container", "inspect", "once"])).code).toBe(1)
    expect(await sh("main", "cat /o/file")).toBe("once\nalways")
    await skiff.ok("pod", "restart", "ordered")
    expect(await sh("main", "cat /o/file")).toBe("once\nalways\nalways")
    await create("failing", "--init-ctr", "always", "busybox", "sh", "-c", "exit 3")
    await skiff.ok("pod", "stop", "-t", "0", "ordered")
    const { code, stderr } = await skiff.run(["pod", "start", "ordered"])
    expect(code).toBe(125)
    expect(stderr).toContain('init container "failing" of pod "ordered" exited with code 3')
    expect((await skiff.inspect("main")).State.Running).toBe(false)
    await removeAll()
    await skiff.ok("volume", "rm", "order")
  })

  test("run --pod new:NAME makes the pod, which has the container's ports and name", async () => {
    const words = ["--pod", "new:fresh", "-p", "80", "--hostname", "fresh-host", "--name", "only", "busybox"]
    await skiff.ok("run", "-d", ...words, "sleep", "1000")
    const pod = await inspect("fresh")
    expect(Object.keys(pod.InfraConfig.PortBindings)).toEqual(["80/tcp"])
    expect(await sh("only", "hostname")).toBe("fresh-host")
    const file = join(skiff.home, "pod-id")
    writeFileSync(file, pod.Id, { mode: 0o644 })
    expect(await skiff.ok("run", "--rm", "--pod-id-file", file, "busybox", "hostname")).toBe("fresh-host")
    // one that comes to nothing leaves no pod
    expect((await skiff.run(["run", "--pod", "new:lost", "--pull", "never", "nosuch"])).code).toBe(125)
    expect((await skiff.run(["pod", "exists", "lost"])).code).toBe(1)
    expect((await skiff.run(["run", "--pod", "nosuch", "busybox", "true"])).stderr).toContain('no such pod: "nosuch"')
  })

  test("--pod-id-file is written by create and read by the others", async () => {
    const file = join(skiff.home, "written")
    const id = await skiff.ok("pod", "create", "--pod-id-file", file)
    expect(readFileSync(file, "utf8")).toBe(id)
    await skiff.ok("pod", "start", "--pod-id-file", file)
    expect(await skiff.ok("pod", "inspect", "-f", "{{.State}}", "--latest")).toBe("Running")
    await skiff.ok("pod", "rm", "--pod-id-file", file)
    expect((await skiff.run(["pod", "exists", id])).code).toBe(1)
  })

  test("clone makes the same again, prune removes what has ended", async () => {
    await skiff.ok("pod", "create", "--name", "source", "--label", "a=b")
    await sleeper("source", "original", "-e", "KEY=value")
    await skiff.ok("pod", "clone", "--start", "--label", "c=d", "source", "copy")
    expect(await skiff.ok("pod", "ps", "--filter", "label=c=d", "--format", "{{.Name}}")).toBe("copy")
    expect(await sh("original-clone", "echo $KEY; hostname")).toBe("value\ncopy")
    expect(await skiff.ok("pod", "ps", "--filter", "label=a=b", "--format", "{{.Name}}")).toBe("source")
    await skiff.ok("pod", "stop", "-t", "0", "copy")
    const { Id } = await inspect("copy")
    expect(await skiff.ok("system", "prune", "--dry-run")).toContain(`Pods:\n${Id}\n`)
    expect(await skiff.ok("pod", "prune", "-f")).toBe(Id)
    expect(await skiff.ok("pod", "ps", "--format", "{{.Name}}")).toBe("source")
  })

  test("logs, top and stats look at all of its containers", async () => {
    await skiff.ok("pod", "create", "--name", "seen")
    await skiff.ok("run", "-d", "--pod", "seen", "--name", "s1", ...say("first"))
    await eventually(async () => expect(await skiff.ok("logs", "s1")).toBe("first"))
    await skiff.ok("run", "-d", "--pod", "seen", "--name", "s2", ...say("second"))
    await eventually(async () => expect(await skiff.ok("pod", "logs", "--names", "seen")).toBe("s1 first\ns2 second"))
    expect(await skiff.ok("pod", "logs", "-c", "s2", "seen")).toBe("second")
    const follower = skiff.spawn(["pod", "logs", "-f", "seen"])
    const lines: string[] = []
    follower.stdout?.setEncoding("utf8").on("data", (text: string) => lines.push(...text.trim().split("\n")))
    await eventually(() => expect(lines.length).toBe(2))
    const top = await skiff.ok("pod", "top", "seen", "-o", "pid,comm")
    expect(top.split("\n").filter((line) => line.endsWith("sleep")).length).toBe(2)
    const stats = JSON.parse(await skiff.ok("pod", "stats", "--no-stream", "--format", "json", "seen")) as object[]
    expect(stats.map((one) => (one as { Name: string }).Name).toSorted()).toEqual(["s1", "s2"])
    const ended = once(follower, "close")
    await skiff.ok("pod", "kill", "seen")
    await ended
  })

  test("each change is told as an event of the pod", async () => {
    const since = `${Date.now() / 1000}`
    await skiff.ok("pod", "create", "--name", "told")
    for (const verb of ["start", "stop", "kill", "pause", "unpause", "rm"]) await skiff.ok("pod", verb, "told")
    const words = ["--since", since, "--until", `${(Date.now() + 1) / 1000}`, "-f", "type=pod"]
    const text = await skiff.ok("events", "--format", "{{.Action}}", ...words)
    expect(text.split("\n")).toEqual(["create", "start", "stop", "kill", "pause", "unpause", "remove"])
  })
})

describe("a kill -9", () => {
  test("at each step of create, start, stop and rm leaves what the next command goes on with", async () => {
    for (const at of [
      "pod:recorded",
      "sandbox:starting",
      "sandbox:namespaces-made",
      "sandbox:network-joined",
      "pod:sandbox-ready",
    ]) {
      if (at === "pod:recorded") await crash(at, "pod", "create", "--name", "killed")
      else await skiff.ok("pod", "create", "--name", "killed")
      await skiff.ok("create", "--pod", "killed", "--name", "in-killed", "busybox", "sleep", "1000")
      if (at !== "pod:recorded") await crash(at, "pod", "start", "killed")
      await skiff.ok("pod", "start", "killed")
      expect(await status("killed")).toBe("Running")
      await skiff.ok("pod", "rm", "-f", "killed")
    }
    for (const at of [
      "pod:containers-stopped",
      "pod:removing",
      "pod:containers-removed",
      "sandbox:removing",
      "pod:sandbox-removed",
    ]) {
      await skiff.ok("pod", "create", "--name", "killed")
      await sleeper("killed", "in-killed")
      if (at === "pod:containers-stopped") await crash(at, "pod", "stop", "-t", "0", "killed")
      else await crash(at, "pod", "rm", "-f", "killed")
      // a name that a removal was about to free is free
      if (at === "pod:containers-stopped") await skiff.ok("pod", "rm", "-f", "killed")
      else await skiff.ok("pod", "create", "--name", "killed")
      await skiff.run(["pod", "rm", "-f", "killed"])
      expect(await skiff.ok("pod", "ps", "-q")).toBe("")
      expect(await skiff.ok("ps", "-aq")).toBe("")
    }
    expect(existsSync(join(skiff.runRoot, "sandboxes"))).toBe(true)
  }, 120_000)
})

const podman = (...args: string[]) => skiff.run(args, { env: { SKIFF_COMPAT: "podman" } })

describe("called as podman", () => {
  test("it tells of pods in podman's words, with its exit codes", async () => {
    expect((await podman("pod", "create", "--name", "told-so")).code).toBe(0)
    const shared = "network cannot be configured when it is shared with a pod"
    for (const [args, code, text] of [
      [["pod", "start", "absent"], 125, "no pod with name or ID absent found: no such pod"],
      [["pod", "rm", "absent"], 1, "no pod with name or ID absent found: no such pod"],
      [["pod", "create", "--name", "told-so"], 125, "pod already exists"],
      [["create", "--pod", "told-so", "-p", "80:80", "busybox"], 125, shared],
      [["create", "--pod", "told-so", "--network", "none", "busybox"], 125, shared],
      [["pod", "create", "--share", "wrong"], 125, "invalid kernel namespace to share: wrong"],
      [["secret", "inspect", "absent"], 125, 'no secret with name or id "absent": no such secret'],
    ] as const) {
      const outcome = await podman(...args)
      expect({ args, code: outcome.code }).toEqual({ args, code })
      expect(outcome.stderr).toStartWith("Error: ")
      expect(outcome.stderr).toContain(text)
    }
    await podman("create", "--pod", "told-so", "--name", "told", "busybox", "true")
    const id = (await podman("pod", "inspect", "--format", "{{.ID}}", "told-so")).stdout.trim()
    const shown = (await podman("ps", "-a", "--pod", "--filter", "name=told", "--format", "{{.PodID}} {{.PodName}}"))
      .stdout
    expect(shown).toBe(`${id.slice(0, 12)} told-so\n`)
    const [pod] = JSON.parse((await podman("pod", "ps", "--format", "json")).stdout) as [Record<string, unknown>]
    expect(Object.keys(pod)).toEqual(
      "Cgroup Containers Created Id InfraId Name Namespace Networks Status Labels".split(" "),
    )
  })
})
