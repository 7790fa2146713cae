import { InvalidArgument } from "../base/errors.ts"
import type { ContainerFilter } from "../container/container.ts"
import { parseTimestamp } from "../spec/docker/timestamp.ts"
import { booleanFilter, parseFilters } from "./filters.ts"

/** Keys of `--filter` where containers are chosen: docker's and podman's. */
const KEYS = [
  "ancestor",
  "before",
  "command",
  "exited",
  "expose",
  "health",
  "id",
  "is-task",
  "label",
  "label!",
  "name",
  "network",
  "pod",
  "publish",
  "restart-policy",
  "should-start-on-boot",
  "since",
  "status",
  "until",
  "volume",
] as const

/** `--filter` of `ps` and of all commands that choose containers by it; `all`: also those that do not run. Throws InvalidArgument. */
export function containerFilter(filters: readonly string[], all: boolean): ContainerFilter {
  const { before, since, exited, until, ...lists } = parseFilters(filters, KEYS)
  const { "label!": notLabel, "restart-policy": restartPolicy, "is-task": isTask, ...rest } = lists
  const { "should-start-on-boot": onBoot, ...same } = rest
  return {
    ...same,
    // docker: asking for a state, its health or an exit code looks among all
    all: all || lists.status !== undefined || lists.health !== undefined || exited !== undefined,
    ...(notLabel === undefined ? {} : { notLabel }),
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
    ...(onBoot === undefined ? {} : { startsOnBoot: booleanFilter(onBoot, "should-start-on-boot") }),
    // tasks are Swarm's: no container is one
    ...(isTask?.some((value) => /^(?:1|t|true)$/i.test(value)) ? { id: ["-"] } : {}),
    ...(before === undefined ? {} : { before: before.at(-1) }),
    ...(since === undefined ? {} : { since: since.at(-1) }),
    ...(exited === undefined ? {} : { exited: exited.map(readExitCode) }),
    ...(until === undefined ? {} : { until: parseTimestamp(until.at(-1) ?? "") }),
  }
}

function readExitCode(text: string): number {
  if (!/^\d{1,3}$/.test(text))
    throw new InvalidArgument(`invalid filter 'exited=${text}'`, { hint: "expected a number" })
  return Number(text)
}
