/** The networks that a new container asks for. */
import { InvalidArgument } from "../base/errors.ts"
import type { NetworkRequest, ResolvedOptions } from "./container.ts"
import type { ContainerDeps } from "./deps.ts"

const DEFAULT = "bridge"
/** linux/if.h, IFNAMSIZ; no blank, no slash, and not what the kernel takes for something else. */
const INTERFACE = /^(?!\.{1,2}$|lo$)[^\s/:]{1,15}$/

/**
 * The options with their networks named by names, as a list shows them. The default network is made when it is first used, any other must be
 * there. Throws NotFound, InvalidArgument.
 */
export async function withNetworks(deps: ContainerDeps, options: ResolvedOptions): Promise<ResolvedOptions> {
  const { network, networks } = options
  if (network.kind !== "bridge") return options
  if (networks === undefined) return { ...options, network: { kind: "bridge", name: await nameOf(deps, network.name) } }
  const named: NetworkRequest[] = []
  for (const request of networks) named.push({ ...request, network: await nameOf(deps, request.network) })
  for (const request of named) checkRequest(request)
  checkTwice(
    "network",
    named.map((one) => one.network),
  )
  checkTwice(
    "interface name",
    named.flatMap((one) => one.interface ?? []),
  )
  return { ...options, network: { kind: "bridge", name: named[0]?.network ?? DEFAULT }, networks: named }
}

/** Throws InvalidArgument for what no network could give. */
export function checkRequest({ network, aliases = [], links = [], ...wanted }: NetworkRequest): void {
  if (wanted.interface !== undefined && !INTERFACE.test(wanted.interface))
    throw new InvalidArgument(`invalid interface name "${wanted.interface}"`, {
      field: "interface",
      hint: "an interface name has at most 15 characters, no blanks and no slashes",
    })
  if (network === DEFAULT && aliases.length > 0)
    throw new InvalidArgument("network-scoped aliases are only supported for user-defined networks", {
      field: "aliases",
      hint: "make a network, and put the container on it",
    })
  for (const name of [...aliases, ...links.flatMap((link) => link.split(":"))])
    if (!/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?$/.test(name))
      throw new InvalidArgument(`invalid name "${name.slice(0, 100)}" of a container on network "${network}"`, {
        field: "aliases",
        hint: "a name has letters, digits, `_`, `.` and `-`",
      })
}

function checkTwice(what: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new InvalidArgument(`${what} "${twice}" is given twice`, { field: "network", hint: "give each once" })
}

async function nameOf(deps: ContainerDeps, name: string): Promise<string> {
  if (name === DEFAULT || name === "default") return DEFAULT
  return (await deps.networks()).get(name).name
}
