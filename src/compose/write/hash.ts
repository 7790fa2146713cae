import { sha256Hex } from "../../sys/sha256.ts"
import type { Key } from "../load/keys.ts"
import { project as table } from "../load/keys/project-keys.ts"
import type { ProjectNetwork, ProjectVolume, Service } from "../project.ts"
import { jsonText } from "./json-tree.ts"
import { jsonShape } from "./shape.ts"

/**
 * The label `config-hash` of a service's containers, as docker compose makes it. What does not change a container is left out: how its image
 * is made and pulled, how many there are, what they wait for, which profiles they are of.
 */
export function serviceHash(service: Service): string {
  return sha256Hex(serviceText(service))
}

/** What is hashed: one line of JSON. Two services of one text need the same container. */
export function serviceText(service: Service): string {
  const kept = without(service, UNHASHED)
  return line(kept.deploy === undefined ? kept : { ...kept, deploy: without(kept.deploy, ["replicas"]) }, "services")
}

const UNHASHED = ["build", "pull_policy", "scale", "depends_on", "profiles"]

function without<T extends object>(value: T, keys: readonly string[]): T {
  // safe: every key of these types may be absent
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T
}

/** The hash of a network, as docker compose labels it. */
export function networkHash(network: ProjectNetwork): string {
  return sha256Hex(line(network, "networks"))
}

/** A volume's driver is `local` where none is named. */
export function volumeHash(volume: ProjectVolume): string {
  return sha256Hex(line({ ...volume, driver: volume.driver ?? "local" }, "volumes"))
}

function line(value: object, section: "services" | "networks" | "volumes"): string {
  const key: Key | undefined = table.keys?.[section]?.values
  return jsonText(key ? jsonShape(value, key) : value, 0)
}
