import { FailedPrecondition } from "../../base/errors.ts"
import type { ContainerDetails } from "../../container/container.ts"
import { formatUnit, unitWords, type UnitLine } from "./unit-file.ts"

/** What `generate systemd` is asked for. */
export interface UnitRequest {
  /** Words that run skiff. */
  skiff: readonly string[]
  /** The container's name in place of its id. */
  byName: boolean
  /** The container is made by each start, and removed by each stop. */
  isNew: boolean
  /** One unit for many: `%i` is the instance. */
  isTemplate: boolean
  prefix: string
  separator: string
  restart: string
  restartSec: number | undefined
  startTimeout: number | undefined
  /** Default: the container's. */
  stopTimeout: number | undefined
  wants: readonly string[]
  after: readonly string[]
  requires: readonly string[]
  env: readonly string[]
}

/** Time for what comes after the stop signal's own. */
const STOP_MARGIN_SECONDS = 60

/** The name of a container's unit, without `.service`. */
export function unitName({ name, id }: Pick<ContainerDetails, "name" | "id">, request: UnitRequest): string {
  const base = `${request.prefix}${request.prefix === "" ? "" : request.separator}${request.byName ? name : id}`
  return request.isTemplate ? `${base}@` : base
}

/** Its text, as podman's `generate systemd`. Throws FailedPrecondition when the command line that made it is not known. */
export function containerUnit(container: ContainerDetails, request: UnitRequest): string {
  const stopSeconds = request.stopTimeout ?? container.run.stopTimeoutSeconds
  const unit: [string, UnitLine[]][] = [
    [
      "Unit",
      [
        ["Description", `skiff ${unitName(container, request)}.service`],
        ...targets("Wants", ["network-online.target", ...request.wants]),
        ...targets("After", ["network-online.target", ...request.after]),
        ...targets("Requires", request.requires),
      ],
    ],
    [
      "Service",
      [
        ["Environment", "SKIFF_SYSTEMD_UNIT=%n"],
        ...request.env.map((one): UnitLine => ["Environment", unitWords([one])]),
        ["Restart", request.restart],
        ...(request.restartSec === undefined ? [] : [["RestartSec", `${request.restartSec}`] as const]),
        ...(request.startTimeout === undefined ? [] : [["TimeoutStartSec", `${request.startTimeout}`] as const]),
        ["TimeoutStopSec", `${stopSeconds + STOP_MARGIN_SECONDS}`],
        ...(request.isNew ? newLines(container, request, stopSeconds) : startLines(container, request, stopSeconds)),
      ],
    ],
    ["Install", [["WantedBy", "default.target"]]],
  ]
  return formatUnit(new Map(unit))
}

function targets(key: string, values: readonly string[]): UnitLine[] {
  return values.map((value) => [key, value])
}

function startLines(container: ContainerDetails, request: UnitRequest, stopSeconds: number): UnitLine[] {
  const { skiff, byName } = request
  const name = byName ? container.name : container.id
  const stop = unitWords([...skiff, "stop", "-t", `${stopSeconds}`, name])
  return [
    ["ExecStart", unitWords([...skiff, "start", name])],
    ["ExecStop", stop],
    // also when its start failed half way
    ["ExecStopPost", stop],
    ["PIDFile", container.paths.monitorPidFile],
    ["Type", "forking"],
  ]
}

function newLines({ name, options }: ContainerDetails, request: UnitRequest, stopSeconds: number): UnitLine[] {
  const { skiff } = request
  const { createCommand, restart } = options
  const verb = createCommand?.findIndex((word) => word === "run" || word === "create") ?? -1
  if (createCommand === undefined || verb < 0)
    throw new FailedPrecondition(`the command line that made container "${name}" is not known`, {
      hint: "it was made by an older skiff, or not by a command: make it anew by skiff run",
    })
  const cidfile = "--cidfile=%t/%n.ctr-id"
  const ours = ["--sdnotify=conmon", "-d", "--replace", ...(restart.name === "no" ? ["--rm"] : [])]
  const given = unitWords(createCommand.slice(verb + 1))
  const words = request.isTemplate ? given.replaceAll(name, `${name}-%i`) : given
  const stop = [...skiff, "stop", "--ignore", `-t`, `${stopSeconds}`]
  return [
    ["ExecStart", `${unitWords([...skiff, "run"])} ${cidfile} ${ours.join(" ")} ${words}`],
    ["ExecStop", `${unitWords(stop)} ${cidfile}`],
    ["ExecStopPost", `${unitWords([...skiff, "rm", "-f", "--ignore"])} ${cidfile}`],
    ["ExecStopPost", "/bin/rm -f %t/%n.ctr-id"],
    ["Type", "notify"],
    ["NotifyAccess", "all"],
  ]
}
