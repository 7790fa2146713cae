/**
 * What networks refused, as the kernel has noted it: nobody had to run meanwhile. A note is of one place that somebody tried to reach, with
 * how often, and when last; it goes a day after that.
 */
import type { Database } from "../../base/database.ts"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { installCommand } from "../../sys/install-command.ts"
import { findProgram } from "../../sys/host.ts"
import { run } from "../../sys/process/process.ts"
import { formatIpv4 } from "../ipv4.ts"
import { listNetworks } from "../network-records.ts"
import type { RefusedTraffic } from "../network.ts"
import { EndpointRecords } from "../records.ts"
import { DENIED, DENIED_OTHER, NOTED_FOR_SECONDS } from "./tables.ts"

/** What the log stands on. */
export interface RefusalLogDeps {
  db: Database
  table: string
  /** As of `openNetworks`. */
  netns: string | undefined
}

/** As nft(8) writes an element with a counter and an end. */
interface ListedElement {
  elem?: { val: { concat: (string | number)[] }; expires: number; counter: { packets: number; bytes: number } }
}

interface Listing {
  nftables: { set?: { name: string; elem?: ListedElement[] } }[]
}

const SETS = [DENIED, DENIED_OTHER, `${DENIED}6`, `${DENIED_OTHER}6`]

/** All that is noted, the last first. Throws NotFound without nft(8). */
export async function readRefusals(deps: RefusalLogDeps): Promise<RefusedTraffic[]> {
  const now = Date.now()
  const who = new Owners(deps.db)
  const found: RefusedTraffic[] = []
  for (const family of ["bridge", "inet"] as const)
    for (const set of SETS)
      for (const { elem } of await listSet(deps, family, set)) {
        if (elem === undefined) continue
        const [by = "", source = "", destination = "", protocol = "", port] = elem.val.concat
        found.push({
          ...who.of(family, String(by), String(source)),
          reason: family === "bridge" ? "rule" : "isolation",
          source: String(source),
          destination: String(destination),
          protocol: String(protocol),
          ...(port !== undefined && { port: Number(port) }),
          packets: elem.counter.packets,
          bytes: elem.counter.bytes,
          // nft says whole seconds that are left
          lastAt: new Date(now - (NOTED_FOR_SECONDS - elem.expires) * 1000),
        })
      }
  return found.toSorted((one, other) => other.lastAt.getTime() - one.lastAt.getTime())
}

/** Empty where there is no table yet. */
async function listSet({ table, netns }: RefusalLogDeps, family: string, set: string): Promise<ListedElement[]> {
  const nft = findProgram("nft")
  if (nft === undefined)
    throw new NotFound("nft is not installed: it reads what the kernel has noted", {
      hint: installCommand({ debian: "nftables" }),
    })
  const enter = netns === undefined ? [] : [findProgram("nsenter") ?? "nsenter", `--net=${netns}`]
  const { code, stdout, stderr } = await run([...enter, nft, "-j", "list", "set", family, table, set])
  if (code !== 0 && /No such file or directory/.test(stderr)) return []
  if (code !== 0) throw new FailedPrecondition(`nft cannot read what was refused: ${stderr.trim().split("\n", 1)[0]}`)
  return (JSON.parse(stdout) as Listing).nftables.flatMap(({ set: listed }) => listed?.elem ?? [])
}

/** Whose an interface is, or an address on a bridge; of one that is gone neither is known. */
class Owners {
  readonly #byInterface = new Map<string, { containerId: string; network: string }>()
  readonly #byAddress = new Map<string, { containerId: string; network: string }>()

  constructor(db: Database) {
    const networks = new Map(listNetworks(db).map((network) => [network.id, network]))
    for (const { containerId, networkId, hostInterface, address, address6 } of new EndpointRecords(db).list()) {
      const network = networks.get(networkId)
      if (network === undefined) continue
      const owner = { containerId, network: network.name }
      this.#byInterface.set(hostInterface, owner)
      for (const own of [formatIpv4(address), address6]) this.#byAddress.set(`${network.bridge} ${own}`, owner)
    }
    for (const { bridge, name } of networks.values()) this.#byInterface.set(bridge, { containerId: "", network: name })
  }

  of(family: "bridge" | "inet", by: string, source: string): { containerId?: string; network?: string } {
    const owner = (family === "inet" && this.#byAddress.get(`${by} ${source}`)) || this.#byInterface.get(by)
    if (owner === undefined) return {}
    const { containerId, network } = owner
    return { network, ...(containerId !== "" && { containerId }) }
  }
}
