/** A host on a link of this one: a network namespace of the test's own, with 203.0.113.2 beside our 203.0.113.1. Root's. */
import { spawnSync } from "node:child_process"

/** Our address on the link, and the other's. */
export const OUR_ADDRESS = "203.0.113.1"
export const OUTSIDE_ADDRESS = "203.0.113.2"

export class OutsideHost implements Disposable {
  readonly #name = `skt-out-${process.pid}`
  readonly #link = "skt-out"

  constructor() {
    const { status, stderr } = spawnSync("sh", [
      "-ec",
      `ip netns add ${this.#name}
      ip link add ${this.#link} type veth peer name eth0 netns ${this.#name}
      ip addr add ${OUR_ADDRESS}/24 dev ${this.#link}; ip link set ${this.#link} up
      ip -n ${this.#name} link set lo up
      ip -n ${this.#name} addr add ${OUTSIDE_ADDRESS}/24 dev eth0; ip -n ${this.#name} link set eth0 up
      ip -n ${this.#name} route add default via ${OUR_ADDRESS}
      ip addr add 2001:db8:77::1/64 dev ${this.#link} nodad
      ip -n ${this.#name} addr add 2001:db8:77::2/64 dev eth0 nodad
      ip -n ${this.#name} route add default via 2001:db8:77::1
      ip netns exec ${this.#name} sysctl -qw net.ipv4.conf.all.route_localnet=1`,
    ])
    if (status !== 0) throw new Error(`no outside host: ${stderr.toString()}`)
  }

  /** Runs a shell's words there; its standard output, trimmed. */
  run(words: string): string {
    return spawnSync("ip", ["netns", "exec", this.#name, "sh", "-c", words]).stdout.toString().trim()
  }

  /** Whether a TCP port answers within a second. */
  reaches(address: string, port: number): boolean {
    return this.run(`timeout 3 socat -u OPEN:/dev/null TCP:${address}:${port},connect-timeout=1 && echo yes`) === "yes"
  }

  [Symbol.dispose](): void {
    spawnSync("sh", ["-c", `ip link del ${this.#link}; ip netns del ${this.#name}`])
  }
}
