/**
 * The resolver: one process for each store, as long as anybody is on a network whose names are answered.
 *
 *   a container joins such a network ─ the lock is free ─▶ started ─ nobody is left for a while ─▶ lets go of the lock ─ looks once more ─▶ ended
 *
 * Containers ask the gateway of their network. There nobody listens: the firewall leads what comes from a network's own bridge, for its own gateway's port 53,
 * to one port of the loopback. So a name server of the host's may have port 53 of all addresses, no other network and nobody outside can ask, and
 * a new network needs no word to the resolver. Who asks, and by which network, is said by his address: the guard lets him send with no other.
 *
 * It holds no truth: each answer is made of the records as they are then. It may be killed at any time; the next command starts another one, on the
 * same port.
 */
import type { Database } from "../../base/database.ts"
import { watchDatabase } from "../../base/database-watch.ts"
import { hasErrno } from "../../base/errors.ts"
import { changeElements } from "../../sys/net/nfnetlink.ts"
import { enterNetns } from "../../sys/net/netns.ts"
import { EgressNames } from "../egress/names.ts"
import { stayBehind, type StayBehind } from "../../sys/net/stay-behind.ts"
import { HostSide } from "../host-side.ts"
import { kernelNames } from "../names.ts"
import { HostNameServers } from "./name-servers.ts"
import type { NameSource } from "./name-source.ts"
import { readReady, removeReady, writeReady } from "./ready-file.ts"
import { resolverChange } from "./redirect.ts"
import { Responder } from "./respond.ts"
import { serve } from "./server.ts"
import { Upstream } from "./upstream.ts"
import { Zones } from "./zones.ts"

/** A network that is left and joined again needs no new process. */
const LINGER_MS = 2_000

/**
 * Below 1024: where the resolver was killed, no ordinary user of the host can take its port and answer in its place. Above 600: there
 * stand few of the host's services (bindresvport(3)).
 */
const [FIRST_PORT, LAST_PORT] = [600, 1023]
const PORT_TRIES = 32

/** What the resolver stands on. */
export interface ResolverDeps {
  db: Database
  runRoot: string
  /** As of `openNetworks`. */
  netns: string | undefined
  /** Names beside those of members. */
  names?: NameSource | undefined
  /** Undefined: another process is the resolver. */
  takeLock(wasHanded: boolean): Disposable | undefined
}

/** Resolves when nobody needs it any more, or another process does it. This process is in the namespace of the bridges from then on. */
export async function resolveNames(deps: ResolverDeps, { wasHanded = false } = {}): Promise<void> {
  const zones = new Zones(deps.db)
  using outside = await stayBehind()
  if (deps.netns !== undefined) enterNetns(deps.netns)
  const { db, runRoot, netns } = deps
  const { netfilter } = await new HostSide(netns).sockets()
  const egress = new EgressNames({ db, netfilter, table: kernelNames(runRoot, netns !== undefined).table })
  // a name server that is a container itself is where the bridges are
  let inside: Promise<StayBehind> | undefined
  const isInside = (server: string): boolean => netns !== undefined && zones.isOurs(server)
  const upstream = new Upstream((server) => (isInside(server) ? (inside ??= stayBehind()) : outside))
  const responder = new Responder({ zones, upstream, host: new HostNameServers(), egress, names: deps.names })
  // whoever found the lock taken until it was let go of has left his need to us
  for (let isFirst = true; isFirst || !zones.isEmpty; isFirst = false) {
    using lock = deps.takeLock(wasHanded && isFirst)
    if (lock === undefined) return
    await serveUntilIdle(deps, zones, responder)
  }
}

async function serveUntilIdle(deps: ResolverDeps, zones: Zones, responder: Responder): Promise<void> {
  const { db, runRoot } = deps
  const before = readReady(runRoot)
  using server = await serve(responder, [...(before === undefined ? [] : [before.port]), ...randomPorts()])
  // first written, then led there: who writes the tables meanwhile looks at the file once more after that
  writeReady(runRoot, server.port, { isLed: false })
  await leadToPort(deps, server.port)
  // only now: who is started meanwhile would ask where nobody hears
  writeReady(runRoot, server.port, { isLed: true })
  const ended = Promise.withResolvers<void>()
  using idle = new Idle(zones, () => isLeft(runRoot, server.port, zones), ended.resolve)
  using _ = watchDatabase(db, () => idle.look())
  idle.look()
  await ended.promise
}

/**
 * Whether nobody came while we were about to end. Taken back first, then looked: who joins writes himself down first, then looks for the
 * file. So he does not find it, or we find him.
 */
function isLeft(runRoot: string, port: number, zones: Zones): boolean {
  removeReady(runRoot)
  if (zones.isEmpty) return true
  writeReady(runRoot, port, { isLed: true })
  return false
}

/** In turn with who writes the tables: he reads the file, or finds what we have put there. */
async function leadToPort({ db, runRoot, netns }: ResolverDeps, port: number): Promise<void> {
  const { netfilter } = await new HostSide(netns).sockets()
  const { table } = kernelNames(runRoot, netns !== undefined)
  await db.whenFree()
  db.transaction(() => {
    for (const action of ["delete", "add"] as const)
      try {
        changeElements(netfilter, resolverChange(action, table, port))
      } catch (error) {
        // no table yet, or one of an earlier version: it is still to be written
        if (!hasErrno(error, "ENOENT")) throw error
      }
  })
}

function randomPorts(): number[] {
  const numbers = crypto.getRandomValues(new Uint16Array(PORT_TRIES))
  return [...numbers].map((number) => FIRST_PORT + (number % (LAST_PORT - FIRST_PORT + 1)))
}

/** Says once that nobody has been on any network for a while. */
class Idle implements Disposable {
  readonly #zones: Zones
  readonly #isOver: () => boolean
  readonly #onIdle: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(zones: Zones, isOver: () => boolean, onIdle: () => void) {
    this.#zones = zones
    this.#isOver = isOver
    this.#onIdle = onIdle
  }

  look(): void {
    if (!this.#zones.isEmpty) this.#timer = void clearTimeout(this.#timer)
    else this.#timer ??= setTimeout(() => this.#end(), LINGER_MS)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #end(): void {
    this.#timer = undefined
    if (this.#isOver()) this.#onIdle()
    else this.look()
  }
}
