/** What a service manager that started us is told. One user is enough. */
import { afterEach, expect, test } from "bun:test"
import { join } from "node:path"
import { NotifySocket } from "../support/notify-socket.ts"
import { openStore } from "../support/store.ts"

const skiff = openStore()
let count = 0
const newSocket = () => new NotifySocket(join(skiff.directory, `notify-${count++}`))

afterEach(async () => {
  await skiff.ok("rm", "-f", "told")
})

const run = (socket: NotifySocket, flags: readonly string[], ...command: string[]) =>
  skiff.run(["run", "-d", "--name", "told", ...flags, "busybox", ...command], { env: { NOTIFY_SOCKET: socket.path } })
const monitorPid = () => skiff.ok("inspect", "-f", "{{.State.ConmonPid}}", "told")

test("conmon: ready as soon as it runs, and the monitor is the main process", async () => {
  using socket = newSocket()
  expect((await run(socket, ["--sdnotify", "conmon"], "sleep", "1000")).code).toBe(0)
  const [main = "", ...rest] = socket.messages()
  expect(main).toMatch(/^MAINPID=\d+$/)
  expect(rest).toEqual(["READY=1"])
  const shown = await monitorPid().catch(() => "")
  if (/^\d+$/.test(shown)) expect(main).toBe(`MAINPID=${shown}`)
})

test("healthy: ready when its check has succeeded", async () => {
  using socket = newSocket()
  const check = ["--health-cmd", "test -e /up", "--health-interval", "50ms"]
  const script = "sleep 0.5; touch /up; sleep 1000"
  expect((await run(socket, ["--sdnotify", "healthy", ...check], "sh", "-c", script)).code).toBe(0)
  expect(socket.messages().at(-1)).toBe("READY=1")
  expect(await skiff.ok("ps", "--filter", "health=healthy", "-q")).not.toBe("")
})

test("container: it gets the socket itself, and nobody speaks for it", async () => {
  using socket = newSocket()
  const script = 'echo "$NOTIFY_SOCKET"; test -S "$NOTIFY_SOCKET" && echo there; sleep 1000'
  expect((await run(socket, ["--sdnotify", "container"], "sh", "-c", script)).code).toBe(0)
  expect(socket.messages().filter((message) => message.includes("READY"))).toEqual([])
  expect(await skiff.ok("exec", "told", "sh", "-c", 'test -S "$NOTIFY_SOCKET" && echo there')).toBe("there")
})

test("ignore, and no flag at all: nothing is said, and nothing passed on", async () => {
  for (const flags of [["--sdnotify", "ignore"], []]) {
    using socket = newSocket()
    expect((await run(socket, flags, "sleep", "1000")).code).toBe(0)
    expect(socket.messages()).toEqual([])
    expect(await skiff.ok("exec", "told", "env")).not.toContain("NOTIFY_SOCKET")
    if (flags.length > 0) await skiff.ok("rm", "-f", "told")
  }
})
