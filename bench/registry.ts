/** `npm run bench:registry`: skiff's registry and Debian's docker-registry under the same 64 clients, one table on the screen. */
import { spawn, type ChildProcess } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { freePort, eventually } from "../test/support/wait.ts"
import { median } from "./report.ts"

const CLIENTS = 64
const BLOBS_EACH = 4
const BLOB_BYTES = 4 * 1024 ** 2
const ROUNDS = 3
/** Of /proc/PID/stat's times: Linux has it so on every architecture that we run on. */
const TICKS_PER_SECOND = 100

interface Figures {
  startMs: number
  pushMibPerSecond: number
  pullMibPerSecond: number
  cpuSeconds: number
  peakMib: number
}

interface Server {
  name: string
  start(directory: string, port: number): ChildProcess
}

const SERVERS: readonly Server[] = [
  {
    name: "skiff",
    start: (directory, port) =>
      spawn(resolve("dist/skiff"), ["registry", "serve", "--listen", `127.0.0.1:${port}`, "--storage", directory], {
        env: { ...process.env, HOME: directory },
        stdio: "ignore",
      }),
  },
  {
    name: "docker-registry",
    start(directory, port) {
      const config = join(directory, "config.yml")
      const lines = ["version: 0.1", "log: {level: error, accesslog: {disabled: true}}"]
      lines.push(`storage: {filesystem: {rootdirectory: ${directory}}}`, `http: {addr: "127.0.0.1:${port}"}`)
      writeFileSync(config, lines.join("\n"))
      return spawn("docker-registry", ["serve", config], { stdio: "ignore" })
    },
  },
]

/** Each client's blobs begin with bytes of their own, so that nothing is stored but once. */
function blobOf(client: number, index: number, shared: Buffer): Buffer<ArrayBuffer> {
  const bytes = Buffer.from(shared)
  bytes.writeUInt32LE(client * BLOBS_EACH + index)
  return bytes
}

async function push(url: string, client: number, index: number, shared: Buffer): Promise<string> {
  const bytes = blobOf(client, index, shared)
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
  const begun = await fetch(`${url}/v2/bench/${client}/blobs/uploads/`, { method: "POST" })
  const location = new URL(begun.headers.get("Location") ?? "", url)
  const patched = await fetch(location, {
    method: "PATCH",
    body: bytes,
    headers: { "Content-Type": "application/octet-stream" },
  })
  const end = new URL(patched.headers.get("Location") ?? "", url)
  end.searchParams.set("digest", digest)
  const done = await fetch(end, { method: "PUT" })
  if (done.status !== 201) throw new Error(`push: ${done.status} ${await done.text()}`)
  return digest
}

async function pull(url: string, client: number, digest: string): Promise<void> {
  const answer = await fetch(`${url}/v2/bench/${client}/blobs/${digest}`)
  const { byteLength } = await answer.arrayBuffer()
  if (byteLength !== BLOB_BYTES) throw new Error(`pull: ${answer.status}, ${byteLength} bytes`)
}

/** Runs `work` as each client, all at once; gives MiB a second. */
async function throughput(work: (client: number, index: number) => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let index = 0; index < BLOBS_EACH; index++) await work(client, index)
    }),
  )
  return (CLIENTS * BLOBS_EACH * BLOB_BYTES) / 1024 ** 2 / ((performance.now() - began) / 1000)
}

async function measure(server: Server): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), "skiff-bench-registry-"))
  mkdirSync(directory, { recursive: true })
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const began = performance.now()
  const child = server.start(directory, port)
  try {
    await eventually(async () => (await fetch(`${url}/v2/`)).ok)
    const startMs = performance.now() - began
    const shared = randomBytes(BLOB_BYTES)
    const digests = new Map<string, string>()
    const pushMibPerSecond = await throughput(async (client, index) => {
      digests.set(`${client} ${index}`, await push(url, client, index, shared))
    })
    const pullMibPerSecond = await throughput((client, index) =>
      pull(url, client, digests.get(`${client} ${index}`) ?? ""),
    )
    const [, peakKib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8")) ?? []
    const times = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
    const cpuSeconds = (Number(times[11]) + Number(times[12])) / TICKS_PER_SECOND
    return { startMs, pushMibPerSecond, pullMibPerSecond, cpuSeconds, peakMib: Number(peakKib) / 1024 }
  } finally {
    const exited = once(child, "exit")
    child.kill("SIGTERM")
    await exited
    rmSync(directory, { recursive: true })
  }
}

const rows: [string, keyof Figures][] = [
  ["first answer (looked for every 30 ms), ms", "startMs"],
  ["push, MiB/s", "pushMibPerSecond"],
  ["pull, MiB/s", "pullMibPerSecond"],
  ["CPU of the server, s", "cpuSeconds"],
  ["most memory, MiB", "peakMib"],
]
const found = new Map<string, Figures[]>(SERVERS.map(({ name }) => [name, []]))
for (let round = 0; round < ROUNDS; round++)
  for (const server of SERVERS) found.get(server.name)?.push(await measure(server))
const lines = rows.map(([title, key]) => {
  const [own = NaN, other = NaN] = SERVERS.map(({ name }) => median((found.get(name) ?? []).map((one) => one[key])))
  return `| ${title} | ${own.toFixed(1)} | ${other.toFixed(1)} | ${(own / other).toFixed(2)} × |`
})
console.log(
  [
    `${CLIENTS} clients, ${BLOBS_EACH} blobs of ${BLOB_BYTES / 1024 ** 2} MiB each, medians of ${ROUNDS} rounds.`,
    "",
    `| | ${SERVERS.map(({ name }) => name).join(" | ")} | skiff / docker-registry |`,
    "| --- | --- | --- | --- |",
    ...lines,
  ].join("\n"),
)
