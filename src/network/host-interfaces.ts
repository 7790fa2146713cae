import { NETLINK_ROUTE, NetlinkSocket, openNetlink } from "../sys/net/netlink.ts"
import { findLink, type Link } from "../sys/net/rtnetlink.ts"
import { parsePortAlias } from "./names.ts"

/** The host's ends of containers, of this store and of others, by what is written on them. Looks when it is asked. */
export class HostInterfaces implements Disposable {
  readonly #runRoot: string
  #route: NetlinkSocket | undefined

  constructor(runRoot: string) {
    this.#runRoot = runRoot
  }

  /**
   * Whether what is bound to that interface belongs to no living container of ours: the interface is gone, or the records no
   * longer know its container. `isKnown` is asked with the beginning of an id.
   */
  isLeftBehind(index: number, isKnown: (container: string) => boolean): boolean {
    if (index === 0) return false
    const link = this.#find(index)
    if (link === undefined) return true
    const owner = parsePortAlias(link.alias)
    return owner !== undefined && owner.runRoot === this.#runRoot && !isKnown(owner.container)
  }

  containerOf(index: number): { container: string; runRoot: string } | undefined {
    return index === 0 ? undefined : parsePortAlias(this.#find(index)?.alias ?? "")
  }

  #find(index: number): Link | undefined {
    this.#route ??= new NetlinkSocket(openNetlink(NETLINK_ROUTE))
    return findLink(this.#route, index)
  }

  [Symbol.dispose](): void {
    this.#route?.[Symbol.dispose]()
  }
}
