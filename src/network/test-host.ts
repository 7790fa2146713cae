/** For tests: a host of their own (a network namespace that the test's thread enters), containers and neighbours on it. */
import { spawn } from "node:child_process"
import { closeSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Database } from "../base/database.ts"
import { check, libc } from "../sys/libc.ts"
import { openNetns } from "../sys/net/netns.ts"
import { run, type Pid } from "../sys/process/process.ts"
import { insertNetwork } from "./network-records.ts"
import { parseIpv4Range } from "./ipv4.ts"
import { chooseRange6 } from "./unique-local.ts"
import { kernelNames } from "./names.ts"
import { ensureOwnNetns } from "./own-netns.ts"
import type { Endpoint, Network, Networks, NetworkWanted } from "./network.ts"
import { openNetworks } from "./open.ts"
import { networkSchema } from "./schema.ts"

const CLONE_NEWNET = 0x40000000

/** A network namespace that stands for another machine or a container. */
export interface Peer extends Disposable {
  pid: Pid
  /** Runs a command inside; gives its standard output, trimmed. */
  run(...argv: string[]): Promise<string>
  /** Answers each TCP or UDP caller with `<text> <caller's address>`. Resolves when it listens. */
  serve(protocol: "tcp" | "udp", port: number, text: string, family?: "IPv4" | "IPv6"): Promise<void>
}

/** A store's networks in a namespace of the test's own. */
export interface TestHost extends Disposable {
  runRoot: string
  db: Database
  networks: Networks
  peer(): Promise<Peer>
  /** One more network of the store, beside the default one. */
  addNetwork(name: string, subnet: string, extra?: Partial<NetworkWanted>): Network
  endpoint(peer: Peer, id: string, extra?: Partial<Endpoint>): Endpoint
  /** Runs a command on the host of the test. */
  run(...argv: string[]): Promise<string>
}

/** Moves the whole test into a new network namespace with only a loopback; disposing moves it back and removes all. */
export async function openTestHost({ byPasta = false } = {}): Promise<TestHost> {
  const own = openNetns("/proc/thread-self/ns/net")
  check(libc.unshare(CLONE_NEWNET), "unshare")
  await sh("ip", "link", "set", "lo", "up")
  const runRoot = mkdtempSync(join(tmpdir(), "skiff-network-"))
  const db = new Database(join(runRoot, "skiff.db"))
  db.migrate([networkSchema])
  const peers: Peer[] = []
  const netns = byPasta ? await ensureOwnNetns(runRoot) : undefined
  return {
    runRoot,
    db,
    networks: openNetworks({ db, runRoot, netns }),
    run: sh,
    async peer() {
      const peer = await openPeer()
      peers.push(peer)
      return peer
    },
    addNetwork(name, subnet, { ipv6 = true, ...extra } = {}) {
      const range = parseIpv4Range(subnet)
      const bridge = `${kernelNames(runRoot, byPasta).bridge.slice(0, -1)}1`
      return insertNetwork(db, { ...(ipv6 ? chooseRange6() : {}), ...extra, name, bridge, range })
    },
    endpoint: (peer, id, extra = {}) => ({
      containerId: id.padEnd(64, "0"),
      netns: `/proc/${peer.pid}/ns/net`,
      holder: peer.pid,
      hostname: id,
      ports: [],
      ...extra,
    }),
    [Symbol.dispose]() {
      for (const peer of peers) peer[Symbol.dispose]()
      db[Symbol.dispose]()
      // back first: what cannot be removed must not leave the tests that follow on this host
      check(libc.setns(own, CLONE_NEWNET), "setns")
      closeSync(own)
      rmSync(runRoot, { recursive: true })
    },
  }
}

/** Another store on the host that the test is in. */
export function openStoreBeside(): Disposable & { networks: Networks } {
  const runRoot = mkdtempSync(join(tmpdir(), "skiff-beside-"))
  const db = new Database(join(runRoot, "skiff.db"))
  db.migrate([networkSchema])
  return {
    networks: openNetworks({ db, runRoot }),
    [Symbol.dispose]() {
      db[Symbol.dispose]()
      rmSync(runRoot, { recursive: true })
    },
  }
}

/** A process in a namespace of its own, which it says when it is there. */
async function openPeer(): Promise<Peer> {
  const pauseProcess = spawn("unshare", ["-n", "sh", "-c", "echo ready; exec sleep 300"], {
    stdio: ["ignore", "pipe", "ignore"],
  })
  await new Promise<void>((resolve, reject) => {
    pauseProcess.stdout.once("data", () => resolve())
    pauseProcess.once("close", (code) => reject(new Error(`unshare -n ended with ${code}`)))
  })
  const pid = pauseProcess.pid as Pid
  const inside = (...argv: string[]): Promise<string> => sh("nsenter", `--net=/proc/${pid}/ns/net`, ...argv)
  const servers: ReturnType<typeof spawn>[] = []
  return {
    pid,
    run: inside,
    async serve(protocol, port, text, family = "IPv4") {
      const number = family === "IPv4" ? "4" : "6"
      const kind = protocol === "tcp" ? `TCP${number}-LISTEN` : `UDP${number}-RECVFROM`
      const listen = `${kind}:${port},fork${protocol === "tcp" ? ",reuseaddr" : ""}`
      const answer = `SYSTEM:echo ${text} $SOCAT_PEERADDR`
      const socat = ["socat", listen, answer]
      const server = spawn("nsenter", [`--net=/proc/${pid}/ns/net`, ...socat], { stdio: "ignore" })
      servers.push(server)
      for (;;) {
        if (server.exitCode !== null) throw new Error(`${socat.join(" ")} ended with ${server.exitCode}`)
        const list = await inside("ss", "-Hln", protocol === "tcp" ? "-t" : "-u", `sport = :${port}`)
        if (list !== "") return
      }
    },
    [Symbol.dispose]() {
      for (const child of [...servers, pauseProcess]) child.kill("SIGKILL")
    },
  }
}

/** What a caller at `address` hears, from inside `from` or from the test's host; "closed" when nothing answers. */
export async function call(protocol: "tcp" | "udp", address: string, port: number, from?: Peer): Promise<string> {
  const script =
    protocol === "tcp"
      ? `timeout 10 socat -u TCP:${address}:${port},connect-timeout=0.5 -`
      : udpScript(`UDP:${address}:${port}`)
  const argv = ["sh", "-c", script]
  const text = await (from?.run ?? sh)(...argv)
  return text === "" ? "closed" : text
}

/** UDP says nothing when it ends: the wait is short, and a busy machine is asked again. */
export const udpScript = (target: string): string =>
  `for try in 0.4 0.8 1.2; do answer=$(echo x | socat -t$try - ${target}); [ -n "$answer" ] && break; sleep $try; done; echo "$answer"`

async function sh(...argv: string[]): Promise<string> {
  return (await run(argv)).stdout.trim()
}
