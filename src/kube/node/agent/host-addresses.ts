import { networkInterfaces } from "node:os"

/** Of bridges and pairs that engines make: addresses that nobody outside has. */
const MADE_HERE = /^(skiff|sk|br-|docker|podman|veth|cni|virbr|kube)/

/** One of each family by which others reach this machine; its loopback where it has none. */
export function hostAddresses(): string[] {
  const all = Object.entries(networkInterfaces())
    .filter(([name]) => !MADE_HERE.test(name))
    .flatMap(([, addresses = []]) => addresses)
    .filter(({ internal, address }) => !internal && !address.startsWith("fe80:"))
  const [v4, v6] = (["IPv4", "IPv6"] as const).map((family) => all.find((one) => one.family === family)?.address)
  const found = [v4, v6].filter((one) => one !== undefined)
  return found.length === 0 ? ["127.0.0.1"] : found
}
