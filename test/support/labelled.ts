/** Containers as compose makes them, without files: by their labels alone. */
import type { Skiff } from "./skiff.ts"

const PREFIX = "com.docker.compose."

/** One container of a service. */
export interface Labelled {
  service: string
  number?: number
  /** `db:service_started:true`. */
  dependsOn?: string
  oneOff?: boolean
  network?: string
  flags?: readonly string[]
  /** Default: sleeps, and ends at once when it is asked to. */
  command?: readonly string[]
}

/** Ends by SIGTERM as soon as it comes. */
export const SLEEPER = ["sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"]

/** Flags for `run` and `create`, the image and its words. */
export function labelledFlags(project: string, one: Labelled): string[] {
  const { service, number = 1, dependsOn = "", oneOff = false, network, flags = [], command = SLEEPER } = one
  const labels = {
    project,
    service,
    "container-number": `${number}`,
    oneoff: oneOff ? "True" : "False",
    "config-hash": "0".repeat(64),
    depends_on: dependsOn,
  }
  const name = oneOff ? `${project}-${service}-run-0123456789ab` : `${project}-${service}-${number}`
  return [
    "--name",
    name,
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${PREFIX}${key}=${value}`]),
    ...(network === undefined ? [] : ["--network", network]),
    ...flags,
    "busybox",
    ...command,
  ]
}

/** Starts it; gives its id. */
export function runLabelled(skiff: Skiff, project: string, one: Labelled): Promise<string> {
  return skiff.ok("run", "-d", ...labelledFlags(project, one))
}

/** A network as the project's `key`. */
export function createLabelledNetwork(skiff: Skiff, project: string, key: string): Promise<string> {
  const labels = ["--label", `${PREFIX}project=${project}`, "--label", `${PREFIX}network=${key}`]
  return skiff.ok("network", "create", ...labels, `${project}_${key}`)
}

/** A volume as the project's `key`. */
export function createLabelledVolume(skiff: Skiff, project: string, key: string): Promise<string> {
  const labels = ["--label", `${PREFIX}project=${project}`, "--label", `${PREFIX}volume=${key}`]
  return skiff.ok("volume", "create", ...labels, `${project}_${key}`)
}
