/** `cri serve`: exec, attach and port forwarding, by SPDY/3.1 and by WebSocket, from clients of their own. */
import { connect } from "node:net"
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import type { StreamSet } from "../../src/cri/streaming/stream-request.ts"
import { ChannelClient } from "../support/channel-client.ts"
import { Cri } from "../support/cri.ts"
import { SpdyClient, type ClientStream } from "../support/spdy-client.ts"
import { openStore, testUnless } from "../support/store.ts"
import { user } from "../support/user.ts"
import { eventually } from "../support/wait.ts"

const skiff = openStore()
const onlyRoot = testUnless(user.rootless && "an ordinary user's containers cannot have the host's network here")
const SUCCESS = { metadata: {}, status: "Success" }
const ALL = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"]
const [STDIN, STDOUT, STDERR, ERROR, RESIZE] = [0, 1, 2, 3, 4]

const cri = new Cri(skiff)
const { ask } = cri
let pod_sandbox_id = ""
let container_id = ""

const container = async (name: string, config: object) => {
  const made = await ask("CreateContainer", {
    pod_sandbox_id,
    config: { metadata: { name, attempt: 0 }, image: { image: "busybox" }, ...config },
  })
  await ask("StartContainer", { container_id: made.container_id })
  return made.container_id
}
const execUrl = async (script: string, streams: Partial<StreamSet> = {}) =>
  (await ask("Exec", { container_id, cmd: ["sh", "-c", script], stdout: true, ...streams })).url
const open = async (client: SpdyClient, types: readonly string[]) => {
  const streams: Record<string, ClientStream> = {}
  for (const streamtype of types) streams[streamtype] = await client.stream({ streamtype })
  return streams as Record<"stdin" | "stdout" | "stderr" | "error" | "resize", ClientStream>
}
const spdy = async (url: string, types: readonly string[], protocols = ALL) => {
  const client = await SpdyClient.open(url, protocols)
  return { client, ...(await open(client, types)) }
}
const text = ({ received }: ClientStream) => received.toString()

const forwardUrl = async (...port: number[]) => (await ask("PortForward", { pod_sandbox_id, port })).url
const pair = async (client: SpdyClient, port: number, requestid: string) => {
  const error = await client.stream({ streamtype: "error", port: `${port}`, requestid })
  error.end()
  return { error, data: await client.stream({ streamtype: "data", port: `${port}`, requestid }) }
}
const raw = (url: string, words: string) =>
  new Promise<string>((resolve) => {
    const { hostname, port } = new URL(url)
    let answer = ""
    const socket = connect(Number(port), hostname, () => socket.write(words))
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.on("close", () => resolve(answer))
    socket.on("error", () => resolve(answer))
  })
const upgrade = (path: string, more = "") =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${more}\r\n`

const code = (asked: Promise<unknown>) =>
  asked.then(
    () => 0,
    (error: { code: number }) => error.code,
  )

describe("cri serve, streams", () => {
  beforeAll(async () => {
    await cri.start()
    const config = { metadata: { name: "web", namespace: "default", uid: "u", attempt: 0 }, hostname: "web" }
    ;({ pod_sandbox_id } = await ask("RunPodSandbox", { config }))
    container_id = await container("main", { command: ["sleep", "1000"] })
  })
  afterAll(async () => {
    await ask("RemovePodSandbox", { pod_sandbox_id })
    await cri.stop()
  })

  describe("exec by SPDY", () => {
    test("gives both outputs and the exit code, and ends each stream and the connection", async () => {
      const url = await execUrl("echo out; echo err >&2; exit 3", { stderr: true })
      const { client, stdout, stderr, error } = await spdy(url, ["error", "stdout", "stderr"])
      expect(client.protocol).toBe("v4.channel.k8s.io")
      await Promise.all([stdout.ended, stderr.ended, error.ended])
      await client.closed
      expect([text(stdout), text(stderr)]).toEqual(["out\n", "err\n"])
      expect(JSON.parse(text(error))).toMatchObject({
        status: "Failure",
        reason: "NonZeroExitCode",
        details: { causes: [{ reason: "ExitCode", message: "3" }] },
      })
      expect(client.replies).toBe(3)
    })

    test("hands on what is written to it, whole, and its end", async () => {
      const { client, stdin, stdout, error } = await spdy(await execUrl("cat | md5sum", { stdin: true }), [
        "error",
        "stdin",
        "stdout",
      ])
      const bytes = Buffer.alloc(3_000_000, "0123456789abcdef\n")
      for (let at = 0; at < bytes.length; at += 100_000) stdin.write(bytes.subarray(at, at + 100_000))
      stdin.end()
      await client.closed
      expect(text(stdout)).toStartWith(new Bun.CryptoHasher("md5").update(bytes).digest("hex"))
      expect(JSON.parse(text(error))).toEqual(SUCCESS)
    })

    test("gives much output whole to who reads slowly", async () => {
      const { client, stdout } = await spdy(await execUrl("head -c 20000000 /dev/zero | tr '\\0' x"), [
        "error",
        "stdout",
      ])
      await client.closed
      expect(stdout.received.length).toBe(20_000_000)
      expect(stdout.received.every((byte) => byte === 0x78)).toBe(true)
    })

    test("gives a terminal of the size that the client has, and changes it", async () => {
      // the monitor sets a size when it has its turn
      const size = `size() { until stty size 2>/dev/null | grep "^$1 "; do sleep 0.1; done; }`
      const url = await execUrl(`${size}; read line; size 30; read line; size 40; tty`, { stdin: true, tty: true })
      const { client, stdin, stdout, resize } = await spdy(url, ["error", "stdin", "stdout", "resize"])
      resize.write(`{"Width":100,"Height":30}\n`)
      stdin.write("x\n")
      await eventually(async () => expect(text(stdout)).toContain("30 100"))
      resize.write(`{"Width":120,`)
      resize.write(`"Height":40}\n{"Width":-1,"Height":9}not json}`)
      stdin.write("y\n")
      await client.closed
      expect(text(stdout)).toContain("40 120\r\n/dev/pts/")
    })

    test("speaks the earlier protocols, whose end is plain words", async () => {
      const url = await execUrl("exit 4")
      const { client, error } = await spdy(url, ["error", "stdout"], ["v2.channel.k8s.io", "v1.nonsense"])
      await client.closed
      expect(client.protocol).toBe("v2.channel.k8s.io")
      expect(text(error)).toBe("command terminated with non-zero exit code: exit status 4")
    })

    test("says what cannot be run", async () => {
      const { url } = await ask("Exec", { container_id, cmd: ["/no/such"], stdout: true })
      const { client, error } = await spdy(url, ["error", "stdout"])
      await client.closed
      expect(JSON.parse(text(error))).toMatchObject({
        status: "Failure",
        message: expect.stringContaining("not found"),
      })
    })

    test("ends a program whose client has gone", async () => {
      const { client, stdout } = await spdy(await execUrl("echo up; sleep 4242; true"), ["error", "stdout"])
      await eventually(async () => expect(text(stdout)).toBe("up\n"))
      client.destroy()
      await eventually(async () => {
        const { stdout: left } = await ask("ExecSync", {
          container_id,
          cmd: ["sh", "-c", "ps | grep -c 'sleep 424[2]'"],
        })
        expect(Buffer.from(left).toString()).toBe("0\n")
      })
    })

    test("answers a ping, and takes back streams that nobody asked for", async () => {
      const { client, stdin, stdout } = await spdy(await execUrl("cat", { stdin: true }), ["error", "stdin", "stdout"])
      client.ping()
      const [second, stderr, nonsense] = [
        await client.stream({ streamtype: "stdout" }),
        await client.stream({ streamtype: "stderr" }),
        await client.stream({ other: "x" }),
      ]
      await Promise.all([second.ended, stderr.ended, nonsense.ended])
      expect([second.isReset, stderr.isReset, nonsense.isReset]).toEqual([true, true, true])
      stdin.write("still\n")
      stdin.end()
      await client.closed
      expect([text(stdout), client.pings]).toEqual(["still\n", 1])
    })
  })

  describe("exec by WebSocket", () => {
    test("gives outputs and the exit code on channels; v5 ends standard input by its own channel", async () => {
      const url = await execUrl("cat; echo err >&2; exit 7", { stdin: true, stderr: true })
      const client = await ChannelClient.open(url, "v5.channel.k8s.io", "v4.channel.k8s.io")
      expect(client.protocol).toBe("v5.channel.k8s.io")
      client.send(STDIN, "hello\n")
      client.send(255, Uint8Array.of(STDIN))
      await client.closed
      expect([client.text(STDOUT), client.text(STDERR)]).toEqual(["hello\n", "err\n"])
      expect(JSON.parse(client.text(ERROR))).toMatchObject({ details: { causes: [{ message: "7" }] } })
      // a word that Kubernetes' client does not know
      expect(client.ends).toEqual([])
    })

    test("gives a terminal, in v4", async () => {
      const client = await ChannelClient.open(
        // the size comes beside the input, and no word says when it is there
        await execUrl("until stty size 2>/dev/null | grep '20 90'; do sleep 0.1; done; read x; echo $x", {
          stdin: true,
          tty: true,
        }),
        "v4.channel.k8s.io",
      )
      client.send(RESIZE, `{"Width":90,"Height":20}`)
      client.send(STDIN, "go\n")
      await client.closed
      expect(client.text(STDOUT)).toContain("20 90")
      expect(JSON.parse(client.text(ERROR))).toEqual(SUCCESS)
    })

    test("carries large pieces both ways", async () => {
      const client = await ChannelClient.open(
        await execUrl("head -c 500000 | wc -c", { stdin: true }),
        "v5.channel.k8s.io",
      )
      client.send(STDIN, Buffer.alloc(500_000, "a"))
      await client.closed
      expect(client.text(STDOUT)).toBe("500000\n")
    })
  })

  describe("attach", () => {
    test("joins a running program's streams, and leaves it running when the client goes", async () => {
      const id = await container("shell", { command: ["sh"], stdin: true })
      for (const word of ["one", "two"]) {
        const { url } = await ask("Attach", { container_id: id, stdin: true, stdout: true, stderr: true })
        const { client, stdin, stdout } = await spdy(url, ["error", "stdin", "stdout", "stderr"])
        stdin.write(`echo ${word}\n`)
        await eventually(async () => expect(text(stdout)).toBe(`${word}\n`))
        client.destroy()
      }
      expect((await ask("ContainerStatus", { container_id: id })).status?.state).toBe("CONTAINER_RUNNING")
      const { url } = await ask("Attach", { container_id: id, stdin: true, stdout: true })
      const client = await ChannelClient.open(url, "v4.channel.k8s.io")
      client.send(STDIN, "echo bye; exit\n")
      await client.closed
      expect(client.text(STDOUT)).toBe("bye\n")
    })

    test("ends standard input with its first client, where it is once", async () => {
      const id = await container("once", { command: ["cat"], stdin: true, stdin_once: true })
      const { url } = await ask("Attach", { container_id: id, stdin: true, stdout: true })
      const { client, stdin, stdout } = await spdy(url, ["error", "stdin", "stdout"])
      stdin.write("last\n")
      await eventually(async () => expect(text(stdout)).toBe("last\n"))
      stdin.end()
      await client.closed
      await eventually(async () =>
        expect((await ask("ContainerStatus", { container_id: id })).status?.state).toBe("CONTAINER_EXITED"),
      )
    })
  })

  describe("port forwarding", () => {
    beforeAll(async () => {
      const script = "mkdir /w; echo page > /w/index.html; httpd -f -p 127.0.0.1:8080 -h /w"
      await container("server", { command: ["sh", "-c", script] })
      await eventually(async () => {
        const { exit_code } = await ask("ExecSync", { container_id, cmd: ["wget", "-qO-", "http://127.0.0.1:8080/"] })
        expect(exit_code).toBe(0)
      })
    })
    const GET = "GET /index.html HTTP/1.0\r\n\r\n"

    test("reaches what listens on the pod's loopback alone, several connections at once", async () => {
      const client = await SpdyClient.open(await forwardUrl(), ["portforward.k8s.io"])
      expect(client.protocol).toBe("portforward.k8s.io")
      const pairs = [await pair(client, 8080, "0"), await pair(client, 8080, "1"), await pair(client, 8080, "2")]
      for (const { data } of pairs) data.write(GET)
      await Promise.all(pairs.map(({ data }) => data.ended))
      expect(pairs.map(({ data, error }) => [text(data).endsWith("page\n"), text(error)])).toEqual(
        pairs.map(() => [true, ""]),
      )
      client.destroy()
    })

    test("says where nobody listens, and goes on with others", async () => {
      const client = await SpdyClient.open(await forwardUrl(), ["portforward.k8s.io"])
      const bad = await pair(client, 8081, "0")
      await bad.error.ended
      expect(text(bad.error)).toContain("ECONNREFUSED")
      const good = await pair(client, 8080, "1")
      good.data.write(GET)
      await good.data.ended
      expect(text(good.data)).toEndWith("page\n")
      const odd = await client.stream({ streamtype: "data", port: "99999", requestid: "2" })
      await odd.ended
      expect(odd.isReset).toBe(true)
      client.destroy()
    })

    onlyRoot("reaches the node's ports where the sandbox has the node's network", async () => {
      const namespace_options = { network: "NODE" } as const
      const config = {
        metadata: { name: "host", namespace: "default", uid: "h", attempt: 0 },
        linux: { security_context: { namespace_options } },
      }
      const { pod_sandbox_id: id } = await ask("RunPodSandbox", { config })
      using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("the node's\n") })
      const { url } = await ask("PortForward", { pod_sandbox_id: id })
      const client = await SpdyClient.open(url, ["portforward.k8s.io"])
      const { data } = await pair(client, server.port ?? 0, "0")
      data.write(GET)
      await data.ended
      expect(text(data)).toEndWith("the node's\n")
      client.destroy()
      await ask("RemovePodSandbox", { pod_sandbox_id: id })
    })

    test("goes by WebSocket: two channels a port, each begun by its number", async () => {
      const client = await ChannelClient.open(await forwardUrl(8080), "v4.channel.k8s.io")
      client.send(0, GET)
      await client.closed
      const data = client.received.get(0) ?? Buffer.alloc(0)
      expect([data.readUInt16LE(0), client.received.get(1)?.readUInt16LE(0)]).toEqual([8080, 8080])
      expect(data.subarray(2).toString()).toEndWith("page\n")
    })
  })

  describe("hostile clients", () => {
    test("get nothing without the URL, which works once", async () => {
      const url = await execUrl("echo once")
      const { pathname } = new URL(url)
      expect(await raw(url, upgrade("/exec/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))).toStartWith("HTTP/1.1 404")
      expect(await raw(url, upgrade("/exec/../../etc/passwd"))).toStartWith("HTTP/1.1 404")
      expect(await raw(url, upgrade(pathname.replace("exec", "attach")))).toStartWith("HTTP/1.1 404")
      expect(await raw(url, `GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`)).toStartWith("HTTP/1.1 400")
      expect(await raw(url, upgrade(pathname, "X-Stream-Protocol-Version: v9\r\n"))).toStartWith("HTTP/1.1 403")
      const { client, stdout } = await spdy(url, ["error", "stdout"])
      await client.closed
      expect(text(stdout)).toBe("once\n")
      expect(await raw(url, upgrade(pathname))).toStartWith("HTTP/1.1 404")
    })

    test("are cut where they say what is none of a protocol, and others are served on", async () => {
      const url = await execUrl("true")
      expect(await raw(url, "NONSENSE\r\n\r\n")).toStartWith("HTTP/1.1 400")
      expect(await raw(url, `GET /${"x".repeat(40_000)}`)).toStartWith("HTTP/1.1 431")
      const hostile = [
        Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]),
        Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 14, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
      ]
      for (const bytes of hostile) {
        const client = await SpdyClient.open(await execUrl("true"), ALL)
        client.raw(bytes)
        await client.closed
      }
      const { client, stdout } = await spdy(await execUrl("echo fine"), ["error", "stdout"])
      await client.closed
      expect(text(stdout)).toBe("fine\n")
    })

    test("are refused what contradicts itself", async () => {
      expect(await code(ask("Exec", { container_id, cmd: ["sh"] }))).toBe(3)
      expect(await code(ask("Exec", { container_id, cmd: ["sh"], tty: true, stderr: true }))).toBe(3)
      expect(await code(ask("Exec", { container_id, cmd: [], stdout: true }))).toBe(3)
      expect(await code(ask("Attach", { container_id: "ffffffffffff", stdout: true }))).toBe(5)
      expect(await code(ask("PortForward", { pod_sandbox_id, port: [70_000] }))).toBe(3)
    })
  })
})
