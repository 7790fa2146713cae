import { parseKeyValue } from "../../spec/docker/environment.ts"
import { ALLOW_NET_FLAG } from "../container-flags/egress.ts"
import { readRate } from "../container-flags/network-limits.ts"
import { flag, type Flag } from "../flag.ts"

/** What it is when it is not given, depends on the tool that is spoken. */
const IPV6: Flag<boolean | undefined> = {
  ...flag.bool("Enable IPv6 address assignment (default true; called as docker or podman: false)"),
  initial: undefined,
}

/** Flags of `network create`. */
export const NETWORK_CREATE_FLAGS = {
  allowNet: ALLOW_NET_FLAG,
  attachable: flag.bool("Enable manual container attachment (every network has it)"),
  auxAddress: flag.list(parseKeyValue, "Addresses of the subnet that no container gets: NAME=ADDRESS", "map"),
  configFrom: flag.string("The network from which to copy the configuration (refused: swarm's)"),
  configOnly: flag.bool("Create a configuration only network (refused: swarm's)"),
  disableDns: flag.bool("Answer no questions for names of containers"),
  dns: flag.strings("Name servers of containers on this network, in place of the host's", "ip"),
  driver: flag.string('Driver to manage the network (default "bridge")', "string", {
    short: "d",
    completes: ["bridge"],
  }),
  gateway: flag.strings("IPv4 or IPv6 gateway of the subnet", "ip"),
  ignore: flag.bool("No error if there is a network of that name"),
  ingress: flag.bool("Create swarm routing-mesh network (refused: there is no swarm)"),
  interfaceName: flag.string("Name of the bridge on the host"),
  internal: flag.bool("Restrict external access to the network"),
  ipRange: flag.strings("Give addresses out of this part of the subnet: CIDR, or FIRST-LAST", "range"),
  ipamDriver: flag.string('IP address management driver: "default", "host-local"'),
  ipamOpt: flag.list(parseKeyValue, "IPAM driver specific options (refused: it has none)", "map"),
  ipv4: flag.bool("Enable IPv4 address assignment", { initial: true }),
  ipv6: IPV6,
  label: flag.list(parseKeyValue, "Set metadata on a network", "list"),
  opt: flag.list(parseKeyValue, "Set driver specific options: mtu, isolate, com.docker.network.bridge.name …", "map", {
    short: "o",
  }),
  rate: flag.of(
    readRate,
    "Limit what all containers together send out and receive from outside: 10mbit, or in=10mbit,out=2mbit",
    "rate",
  ),
  route: flag.strings("Static route of every container: DESTINATION,GATEWAY[,METRIC]", "route"),
  scope: flag.string('Control the network\'s scope: "local"'),
  subnet: flag.strings("Subnet in CIDR format: one of IPv4, one of IPv6", "subnet"),
}
