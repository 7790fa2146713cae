import { Unsupported } from "../../base/errors.ts"
import { crashPoint } from "../../base/crash-point.ts"
import { log } from "../../base/log.ts"
import type { Containers } from "../../container/container.ts"
import type { Networks, NetworkWanted } from "../../network/network.ts"
import { COMPOSE_VERSION, LABEL } from "../labels.ts"
import type { ResourceStep } from "../plan/resource-plan.ts"
import type { Project, ProjectNetwork } from "../project.ts"
import type { ProjectContainer } from "../project-containers.ts"
import { cannot } from "../service/at-key.ts"
import type { UpOptions } from "../up-options.ts"
import { act, each } from "./act.ts"
import { stopContainer, unlessGone } from "./stop.ts"

const DRIVERS = ["bridge", "macvlan", "ipvlan"] as const

/** Makes what is missing, and anew what changed: containers on that are stopped and taken off it. */
export async function ensureNetworks(
  { networks, containers, project, found }: NetworkWork,
  steps: readonly ResourceStep[],
  options: UpOptions,
): Promise<void> {
  for (const { warning } of steps) if (warning !== undefined) log.warn(warning)
  await each(steps, options, async (step) => {
    if (step.action === "keep") return
    const wanted = wantedNetwork(project, step)
    if (step.action === "recreate") await removeChanged({ networks, containers, project, found }, step, options)
    await act(options, { kind: "network", name: step.name }, ["Creating", "Created"], () =>
      networks.create(wanted, { signal: options.signal }),
    )
  })
}

interface NetworkWork {
  networks: Networks
  containers: Containers
  project: Project
  /** Containers of the project. */
  found: readonly ProjectContainer[]
}

async function removeChanged(
  { networks, containers, project, found }: NetworkWork,
  { name }: ResourceStep,
  options: UpOptions,
): Promise<void> {
  const users = found.filter(({ container }) => container.attachments.some(({ network }) => network === name))
  await each(users, options, (one) => stopContainer({ containers, project }, one, options))
  await act(options, { kind: "network", name }, ["Removing", "Removed"], async () => {
    for (const { container } of users)
      await unlessGone(() => containers.disconnect(container.id, name, { force: true, abort: options.signal }))
    await networks.remove(networks.get(name), { signal: options.signal })
    crashPoint("compose:network-removed")
  })
}

/** A network of the project as the engine makes it. Throws Unsupported, InvalidArgument. Pure. */
export function wantedNetwork(project: Project, { key, name, configHash }: ResourceStep): NetworkWanted {
  const network = project.networks[key] ?? {}
  const at = `networks.${key}`
  const driver = DRIVERS.find((one) => one === (network.driver || "bridge"))
  if (driver === undefined)
    throw cannot(`${at}.driver`, `unsupported network driver "${network.driver}"`, { valid: DRIVERS })
  if (network.enable_ipv4 === false) throw cannot(`${at}.enable_ipv4`, "every network has IPv4")
  const { ranges, ranges6, auxiliary, options } = addressing(network, at)
  return {
    name,
    driver,
    ...ranges,
    ...ranges6,
    ...(Object.keys(ranges6).length === 0 && { ipv6: network.enable_ipv6 === true }),
    options: {
      ...options,
      ...(Object.keys(auxiliary).length > 0 && { auxiliary }),
      ...(network.driver_opts && Object.keys(network.driver_opts).length > 0 && { driverOptions: network.driver_opts }),
      ...(network.internal === true && { internal: true }),
      ...(network.attachable === true && { attachable: true }),
      labels: {
        ...network.labels,
        [LABEL.project]: project.name,
        [LABEL.network]: key,
        [LABEL.version]: COMPOSE_VERSION,
        [LABEL.configHash]: configHash,
      },
    },
  }
}

function addressing(network: ProjectNetwork, at: string) {
  const { driver = "", config = [], options = {} } = network.ipam ?? {}
  if (!["", "default", "host-local"].includes(driver))
    throw new Unsupported(`${at}.ipam.driver: unsupported ipam driver "${driver}": the records give out addresses`)
  if (Object.keys(options).length > 0)
    throw cannot(`${at}.ipam.options`, "the records that give out addresses take no options")
  const ofFamily = (isSix: boolean) => {
    const [first, second] = config.filter(
      ({ subnet = "", gateway = "" }) => (subnet || gateway).includes(":") === isSix,
    )
    if (second) throw cannot(`${at}.ipam.config`, `a network has one subnet of IPv${isSix ? 6 : 4}`)
    return first
  }
  const [four, six] = [ofFamily(false), ofFamily(true)]
  return {
    ranges: { ...(four?.subnet && { subnet: four.subnet }), ...(four?.gateway && { gateway: four.gateway }) },
    ranges6: { ...(six?.subnet && { subnet6: six.subnet }), ...(six?.gateway && { gateway6: six.gateway }) },
    auxiliary: { ...four?.aux_addresses, ...six?.aux_addresses },
    options: { ...(four?.ip_range && { ipRange: four.ip_range }), ...(six?.ip_range && { ipRange6: six.ip_range }) },
  }
}
