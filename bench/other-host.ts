/** Another host beside this one: a network namespace on a link of their own, with a server of iperf3 in each. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process"

const NETNS = "skiff-bench-host"
const LINK = "skbench0"
/** RFC 5737. */
export const HOST_ADDRESS = "198.51.100.1"
export const OTHER_ADDRESS = "198.51.100.7"
/** Of the servers on both. */
export const SERVER_PORT = 5999

const ip = (...words: string[]) => spawnSync("ip", words)

export function makeOtherHost(): { inOther: readonly string[]; undo(): void } {
  const inOther = ["ip", "netns", "exec", NETNS]
  ip("netns", "add", NETNS)
  ip("link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", NETNS)
  ip("addr", "add", `${HOST_ADDRESS}/24`, "dev", LINK)
  ip("link", "set", LINK, "up")
  ip("-n", NETNS, "addr", "add", `${OTHER_ADDRESS}/24`, "dev", "eth0")
  for (const link of ["eth0", "lo"]) ip("-n", NETNS, "link", "set", link, "up")
  const servers = [[], inOther].map((before) => start([...before, "iperf3", "-s", "-p", String(SERVER_PORT)]))
  return {
    inOther,
    undo() {
      for (const server of servers) server.kill("SIGKILL")
      ip("netns", "del", NETNS)
    },
  }
}

function start([program = "", ...words]: readonly string[]): ChildProcess {
  return spawn(program, words, { stdio: "ignore" })
}

/** One stream for a second; Gbit/s that arrived. */
export function throughput(argv: readonly string[]): number {
  const [program = "", ...words] = argv
  const { stdout, stderr } = spawnSync(program, [...words, "--json", "--time", "1"])
  const answer = JSON.parse(stdout.toString() || "{}") as {
    error?: string
    end?: { sum_received?: { bits_per_second: number } }
  }
  const bits = answer.end?.sum_received?.bits_per_second
  if (bits === undefined) throw new Error(`${argv.join(" ")}: ${answer.error ?? stderr.toString()}`)
  return bits / 1e9
}
