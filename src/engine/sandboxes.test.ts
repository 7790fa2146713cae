import { join } from "node:path"
import { describe, expect, test } from "bun:test"
import { execRequest, outputOf, plainOptions } from "../container/container.suite.ts"
import type { Containers } from "../container/container.ts"
import { HOST_RUNTIME, whyNot } from "../runtime/lab.suite.ts"
import { sandboxOptions, sandboxSuite } from "../sandbox/sandbox.suite.ts"
import { mountPointsBelow } from "../sys/fs/mount.ts"
import { EngineLab } from "./engine-lab.suite.ts"

const skip = whyNot(HOST_RUNTIME)

async function openStore() {
  const lab = await EngineLab.open()
  const containers = await lab.engine.containers()
  return {
    sandboxes: await lab.engine.sandboxes(),
    other: await lab.other.sandboxes(),
    async use(sandbox: string) {
      const { id } = await containers.create(plainOptions("busybox", ["true"], { sandbox }))
      return { [Symbol.asyncDispose]: () => containers.remove(id) }
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  }
}

sandboxSuite("sandboxes of an engine", openStore, { skip })

const run = async (containers: Containers, name: string, ...command: string[]) => {
  const session = await containers.execs.run(name, execRequest("sh", "-c", command.join(" ")))
  const output = await outputOf(session.attachment)
  return { output, code: await session.exited }
}

describe.skipIf(skip !== false)("containers in a sandbox", () => {
  test("share its network, its name, its /dev/shm and, if asked, its processes; and nothing else", async () => {
    await using lab = await EngineLab.open()
    const [containers, sandboxes] = [await lab.engine.containers(), await lab.engine.sandboxes()]
    const options = { sharePid: true, hostname: "pod", networks: [{ network: "bridge" }] }
    const { id, endpoints } = await sandboxes.create(sandboxOptions("pod", options))
    for (const name of ["first", "second"])
      (await containers.run(plainOptions("busybox", ["sleep", "1000"], { name, sandbox: "pod" }))).release()
    expect((await run(containers, "first", "hostname; cat /etc/hosts")).output).toMatch(
      new RegExp(`^pod\n[^]*${endpoints[0]?.address}\\s+pod`),
    )
    // the loopback is one
    await run(
      containers,
      "first",
      "echo hello > /tmp/index.html; httpd -p 127.0.0.1:8080 -h /tmp; echo shared > /dev/shm/file",
    )
    expect((await run(containers, "second", "wget -qO- http://127.0.0.1:8080/; cat /dev/shm/file")).output).toBe(
      "hello\nshared\n",
    )
    expect((await run(containers, "second", "ps -o args | grep -c '^sleep 1000'")).output).toBe("2\n")
    expect((await run(containers, "second", "cat /tmp/index.html")).code).not.toBe(0)
    // whoever is first of the processes is none of theirs to look into
    expect((await run(containers, "second", "ls /proc/1/root/ || cat /proc/1/environ")).code).not.toBe(0)
    expect(containers.get("first").options.sandbox).toBe(id)
    for (const name of ["first", "second"]) await containers.remove(name, { force: true })
    await sandboxes.remove("pod")
  })

  test("do not start in one that is stopped, and may not ask for what is the sandbox's", async () => {
    await using lab = await EngineLab.open()
    const [containers, sandboxes] = [await lab.engine.containers(), await lab.engine.sandboxes()]
    await sandboxes.create(sandboxOptions("pod"))
    await containers.create(plainOptions("busybox", ["true"], { name: "late", sandbox: "pod" }))
    await sandboxes.stop("pod")
    await expect(containers.start("late")).rejects.toThrow("not ready")
    await expect(
      containers.create(plainOptions("busybox", ["true"], { sandbox: "pod", hostname: "x" })),
    ).rejects.toThrow("conflicting options")
    await containers.remove("late")
    await sandboxes.remove("pod")
  })
})

/** Makes or removes a sandbox in a process of its own, which dies at `point`. */
async function dieAt(point: string, lab: EngineLab, work: "create" | "remove"): Promise<number> {
  const script = `
    const { openEngine } = await import(${JSON.stringify(join(import.meta.dir, "open.ts"))})
    const sandboxes = await openEngine(${JSON.stringify({ root: lab.root, runRoot: lab.runRoot })}).sandboxes()
    ${work === "create" ? `await sandboxes.create(${JSON.stringify(KILLED)})` : `await sandboxes.remove("killed")`}
    process.exit(0)`
  const { exited } = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, SKIFF_CRASH_AT: point },
    stdio: ["ignore", "inherit", "inherit"],
  })
  return exited
}

const KILLED = sandboxOptions("killed", { sharePid: true, networks: [{ network: "bridge" }] })

describe.skipIf(skip !== false)("a sandbox whose maker was killed", () => {
  test.each(["sandbox:starting", "sandbox:namespaces-made"])(
    "at %s is stopped by the next look, and can be started",
    async (point) => {
      await using lab = await EngineLab.open()
      const sandboxes = await lab.engine.sandboxes()
      expect(await dieAt(point, lab, "create")).toBe(137)
      await sandboxes.reconcile()
      expect(sandboxes.get("killed").state).toEqual({ status: "stopped" })
      expect(mountPointsBelow(lab.runRoot)).toEqual([])
      expect((await sandboxes.start("killed")).endpoints.length).toBe(1)
      await sandboxes.remove("killed")
    },
  )

  test("in its removal is removed by the next look", async () => {
    await using lab = await EngineLab.open()
    const sandboxes = await lab.engine.sandboxes()
    await sandboxes.create(KILLED)
    expect(await dieAt("sandbox:removing", lab, "remove")).toBe(137)
    await lab.engine.maintain()
    expect(sandboxes.list()).toEqual([])
    expect(mountPointsBelow(lab.runRoot)).toEqual([])
  })
})

describe.skipIf(skip !== false)("a connection into a sandbox", () => {
  test("reaches what listens on its loopback, both ways, and is refused where nobody does", async () => {
    await using lab = await EngineLab.open()
    const [containers, sandboxes] = [await lab.engine.containers(), await lab.engine.sandboxes()]
    await sandboxes.create(sandboxOptions("pod", { networks: [] }))
    const script = "mkdir /w; head -c 3000000 /dev/zero > /w/file; httpd -f -p 127.0.0.1:8080 -h /w"
    ;(await containers.run(plainOptions("busybox", ["sh", "-c", script], { name: "server", sandbox: "pod" }))).release()
    await expect(sandboxes.connect("pod", 8081)).rejects.toMatchObject({
      code: "Unavailable",
      message: expect.stringContaining("ECONNREFUSED"),
    })
    const fetched = async (): Promise<number> => {
      using connection = await sandboxes.connect("pod", 8080)
      let size = 0
      // who takes it slowly holds the server back, and loses nothing
      connection.onData(async (chunk) => {
        if (size === 0) await Bun.sleep(20)
        size += chunk.length
      })
      await connection.write(Buffer.from("GET /file HTTP/1.0\r\n\r\n"))
      connection.end()
      await connection.ended
      return size
    }
    for (
      let tries = 0;
      tries < 50 &&
      !(await fetched().then(
        () => true,
        () => false,
      ));
      tries++
    )
      await Bun.sleep(50)
    for (const size of await Promise.all([fetched(), fetched(), fetched()])) expect(size).toBeGreaterThan(3_000_000)
    await sandboxes.stop("pod")
    await expect(sandboxes.connect("pod", 8080)).rejects.toMatchObject({ code: "FailedPrecondition" })
    await containers.remove("server", { force: true })
    await sandboxes.remove("pod")
  })
})
