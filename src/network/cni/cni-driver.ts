/**
 * The driver of CNI networks: a configuration list in `/etc/cni/net.d` is a network, and the plugins that it names do the work, as they
 * do for a kubelet. Addresses, rules and ports are theirs; of ours is what was asked of them.
 */
import { existsSync } from "node:fs"
import { heeding, type Cancellable } from "../../base/cancel.ts"
import { FailedPrecondition, hasErrno, Unsupported } from "../../base/errors.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import { linkTraffic } from "../../sys/net/rtnetlink.ts"
import { isAlive, processStartTime, type StartTime } from "../../sys/process/process.ts"
import { DEFAULT_INTERFACE } from "../container-side.ts"
import type { HostSide } from "../host-side.ts"
import type {
  Endpoint,
  EndpointStatus,
  EndpointTraffic,
  LiveEndpoint,
  Network,
  NetworkDriver,
  PortReservation,
  ReservedEndpoint,
} from "../network.ts"
import { CniAttachments, type KeptAttachment } from "./attachments.ts"
import { CNI_CONFIG_DIRECTORY, listConfigLists, type CniConfigList } from "./config-list.ts"
import {
  addByPlugins,
  CNI_PLUGIN_DIRECTORIES,
  deleteByPlugins,
  type CniAttachment,
  type CniResult,
} from "./run-plugins.ts"

/** What the driver is handed. */
export interface CniDriverDeps {
  runRoot: string
  host: HostSide
  rootless: boolean
  /** Default: the specification's own. */
  configDirectory?: string
  pluginDirectories?: readonly string[]
}

/** Networks by CNI plugins. */
export class CniDriver implements NetworkDriver {
  readonly #deps: CniDriverDeps
  readonly #kept: CniAttachments

  constructor(deps: CniDriverDeps) {
    this.#deps = deps
    this.#kept = new CniAttachments(deps.runRoot)
  }

  #lists(): CniConfigList[] {
    return listConfigLists(this.#deps.configDirectory ?? CNI_CONFIG_DIRECTORY)
  }

  get #directories(): readonly string[] {
    return this.#deps.pluginDirectories ?? CNI_PLUGIN_DIRECTORIES
  }

  validate(network: Network): void {
    if (this.#deps.rootless)
      throw new Unsupported(`network "${network.name}" is made by CNI plugins, which need to be root`, {
        hint: "run it as root, or use a network of the driver bridge",
      })
  }

  /** Ports are bound by the plugins, when the endpoint is made. */
  async reserve(network: Network, { containerId, ports }: ReservedEndpoint): Promise<PortReservation> {
    this.validate(network)
    return { containerId, ports, sockets: [], [Symbol.dispose]: () => {} }
  }

  async setup(network: Network, endpoint: Endpoint, { signal }: Cancellable = {}): Promise<EndpointStatus> {
    return heeding(signal, `joining network "${network.name}"`, () => this.#setup(network, endpoint))
  }

  async #setup(network: Network, endpoint: Endpoint): Promise<EndpointStatus> {
    this.validate(network)
    const list = this.#lists().find(({ name }) => name === network.name)
    if (list === undefined) throw new FailedPrecondition(`the configuration of network "${network.name}" is gone`)
    const { containerId, holder } = endpoint
    await this.teardown(network, containerId)
    const attachment = attachmentOf(list, endpoint)
    const startTime = holder === undefined ? undefined : processStartTime(holder)
    const kept: KeptAttachment = {
      list,
      // a descriptor of ours says nothing to who undoes it
      attachment: typeof endpoint.netns === "string" ? attachment : { ...attachment, netns: "" },
      ...(holder !== undefined && startTime !== undefined && { holder: { pid: holder, startTime } }),
    }
    this.#kept.write(kept)
    try {
      const result = await addByPlugins(list, attachment, this.#directories)
      this.#kept.write({ ...kept, result })
      return statusOf(network, attachment, { result, ports: endpoint.reservation?.ports ?? endpoint.ports })
    } catch (error) {
      this.#kept.remove(containerId, network.name)
      throw error
    }
  }

  async traffic(network: Network, containerId: string): Promise<EndpointTraffic | undefined> {
    const onHost = this.#kept
      .get(containerId, network.name)
      ?.result?.interfaces?.find(({ sandbox = "", name = "" }) => sandbox === "" && name.startsWith("veth"))
    if (onHost?.name === undefined) return undefined
    const { route } = await this.#deps.host.sockets()
    try {
      // the other end: what it has received, the container has sent
      const { receivedBytes, sentBytes } = linkTraffic(route, onHost.name)
      return { receivedBytes: sentBytes, sentBytes: receivedBytes }
    } catch (error) {
      if (hasErrno(error, "ENODEV")) return undefined
      throw error
    }
  }

  async changePorts(network: Network): Promise<PortMapping[]> {
    throw new FailedPrecondition(
      `ports of network "${network.name}" are its CNI plugins', which set them at the start`,
      {
        field: "ports",
        hint: "make the container anew with the ports that it shall have",
      },
    )
  }

  async setRate(network: Network): Promise<void> {
    throw new FailedPrecondition(
      `the rate of network "${network.name}" is its CNI plugins', which set it at the start`,
      {
        field: "networkLimits.rate",
      },
    )
  }

  /** DEL takes the interface away, too. */
  async leave(network: Network, { containerId }: LiveEndpoint): Promise<void> {
    await this.teardown(network, containerId)
  }

  async movePorts(from: Network): Promise<PortMapping[]> {
    return this.changePorts(from)
  }

  async teardown(network: Pick<Network, "name">, containerId: string): Promise<void> {
    const kept = this.#kept.get(containerId, network.name)
    if (kept === undefined) return
    // a number of a process that has ended may be another's by now
    const { holder, attachment } = kept
    const isThere = holder === undefined || isAlive(holder.pid, holder.startTime as StartTime)
    const netns = isThere && attachment.netns !== "" && existsSync(attachment.netns) ? attachment.netns : ""
    await deleteByPlugins(kept.list, { ...attachment, netns }, { result: kept.result, directories: this.#directories })
    this.#kept.remove(containerId, network.name)
  }

  /** Takes back what containers have left that are gone. */
  async sweep(alive: ReadonlySet<string>): Promise<void> {
    for (const { attachment, list, holder } of this.#kept.list()) {
      const isHeld = holder !== undefined && isAlive(holder.pid, holder.startTime as StartTime)
      if (!isHeld && !alive.has(attachment.containerId)) await this.teardown(list, attachment.containerId)
    }
  }
}

/** What the plugins are told. Throws FailedPrecondition for what none of them takes. */
function attachmentOf(list: CniConfigList, endpoint: Endpoint): CniAttachment {
  const { containerId, netns, address, macAddress, rate, refuse = [], names = [] } = endpoint
  const ports = endpoint.reservation?.ports ?? endpoint.ports
  if (refuse.length > 0)
    throw new FailedPrecondition(`nothing can be refused on network "${list.name}": its rules are its CNI plugins'`, {
      field: "networkLimits.refuse",
    })
  const wanted: Record<string, unknown> = {
    ...(ports.length > 0 && { portMappings: ports.map(toPortMapping) }),
    ...(rate !== undefined && { bandwidth: toBandwidth(rate) }),
    ...(address !== undefined && { ips: [address] }),
    ...(macAddress !== undefined && { mac: macAddress }),
  }
  for (const name of Object.keys(wanted))
    if (!list.plugins.some(({ capabilities }) => capabilities?.[name] === true))
      throw new FailedPrecondition(`no plugin of network "${list.name}" has the capability ${name}`, {
        hint: `add it to a plugin of ${list.path}: "capabilities": {"${name}": true}`,
      })
  return {
    containerId,
    netns: typeof netns === "string" ? netns : `/proc/${process.pid}/fd/${netns}`,
    interface: endpoint.interface ?? DEFAULT_INTERFACE,
    capabilities: { ...wanted, ...(names.length > 0 && { aliases: { [list.name]: names } }) },
  }
}

/** As the conventions of CNI have it: without an address, on all of the host's. */
function toPortMapping({ protocol, hostPort, containerPort, hostAddress = "" }: PortMapping): object {
  return { hostPort, containerPort, protocol, hostIP: hostAddress }
}

/** Ingress is what the container receives. A burst of a second. */
function toBandwidth({ receiveBitsPerSecond, sendBitsPerSecond }: NonNullable<Endpoint["rate"]>): object {
  return {
    ...(receiveBitsPerSecond !== undefined && {
      ingressRate: receiveBitsPerSecond,
      ingressBurst: receiveBitsPerSecond,
    }),
    ...(sendBitsPerSecond !== undefined && { egressRate: sendBitsPerSecond, egressBurst: sendBitsPerSecond }),
  }
}

function statusOf(
  network: Network,
  attachment: CniAttachment,
  { result, ports }: { result: CniResult; ports: readonly PortMapping[] },
): EndpointStatus {
  const { interfaces = [], ips = [] } = result
  const inside = interfaces.find(({ sandbox = "", name }) => sandbox !== "" && name === attachment.interface)
  const [first, sixth] = [ips.find(isFamily(4)), ips.find(isFamily(6))]
  const [address = "", prefix = "0"] = first?.address?.split("/") ?? []
  const [address6, prefix6] = sixth?.address?.split("/") ?? []
  return {
    network: network.name,
    interface: attachment.interface,
    address,
    prefixLength: Number(prefix),
    gateway: first?.gateway ?? "",
    ...(address6 !== undefined && { address6, prefixLength6: Number(prefix6), gateway6: sixth?.gateway ?? "" }),
    macAddress: inside?.mac ?? "",
    ports: [...ports],
  }
}

const isFamily =
  (family: 4 | 6) =>
  ({ address = "" }: { address?: string }): boolean =>
    address.includes(":") === (family === 6)
