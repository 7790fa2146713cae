import type { WorkingContainer } from "../builder/builder.ts"
import { formatSize } from "../base/sizes.ts"
import type { Container, ContainerSize } from "../container/container.ts"
import { mountSource, type MountRequest } from "../spec/docker/mount-request.ts"
import { formatAgo, formatMoment, formatSpan } from "./ages.ts"
import { endedShort, endedText } from "./ended-text.ts"
import { ellipsis } from "./ellipsis.ts"
import { healthSuffix } from "./health-document.ts"
import { describePorts, networkNames } from "./port-text.ts"

const SHORT_ID = 12

/** A line of `ps`: the fields that docker's templates name. */
export function containerRow(
  container: Container,
  { noTrunc = false, now = new Date(), size }: { noTrunc?: boolean; now?: Date; size?: ContainerSize } = {},
): object {
  const { id, name, options, state, createdAt, argv } = container
  const command = argv.join(" ")
  const mounts = options.mounts.flatMap(mountName)
  const labels = Object.entries(container.labels)
  return {
    // ours, where docker has nothing
    get EndedBecause() {
      return container.ending === undefined ? "" : endedText(container.ending)
    },
    Command: JSON.stringify(noTrunc ? command : ellipsis(command, 20)),
    // the time zone costs 3 ms at its first use
    get CreatedAt() {
      return formatMoment(createdAt)
    },
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    Image: noTrunc || !options.image.startsWith("sha256:") ? options.image : options.image.slice(7, 7 + SHORT_ID),
    Labels: labels.map(([key, value]) => `${key}=${value}`).join(","),
    LocalVolumes: String(options.mounts.filter(({ type }) => type === "volume").length),
    Mounts: (noTrunc ? mounts : mounts.map((mount) => ellipsis(mount, 15))).join(","),
    Names: name,
    Networks: options.network.kind === "bridge" ? networkNames(container).join(",") : options.network.kind,
    Ports: describePorts(container),
    RunningFor: formatAgo(createdAt, now),
    Size: size === undefined ? "" : `${formatSize(size.writableBytes)} (virtual ${formatSize(size.rootBytes)})`,
    State: state.status,
    Status: describeStatus(container, now),
    // ours: for people who look at a table
    get StatusInWords() {
      const why = container.ending === undefined ? undefined : endedShort(container.ending)
      return `${describeStatus(container, now)}${why === undefined ? "" : `, ${why}`}`
    },
    Label: (key: unknown) => container.labels[String(key)] ?? "",
  }
}

/** Column titles of its fields. */
export const CONTAINER_TITLES = {
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  EndedBecause: "ENDED BECAUSE",
  ID: "CONTAINER ID",
  Image: "IMAGE",
  Labels: "LABELS",
  LocalVolumes: "LOCAL VOLUMES",
  Mounts: "MOUNTS",
  Names: "NAMES",
  Networks: "NETWORKS",
  Ports: "PORTS",
  RunningFor: "CREATED",
  Size: "SIZE",
  State: "STATE",
  Status: "STATUS",
  StatusInWords: "STATUS",
}

/** `Up 3 seconds`, `Exited (0) 2 minutes ago`, `Restarting (1) 5 seconds ago`. */
export function describeStatus({ state, health }: Container, now: Date): string {
  switch (state.status) {
    case "created":
      return "Created"
    case "running":
    case "paused": {
      const up = `Up ${formatSpan(now.getTime() - state.startedAt.getTime())}`
      return state.status === "paused" ? `${up} (Paused)` : `${up}${healthSuffix(health)}`
    }
    case "restarting":
      return `Restarting (${state.exitCode}) ${formatAgo(state.finishedAt, now)}`
    case "exited":
      return `Exited (${state.exitCode}) ${formatAgo(state.finishedAt, now)}`
    case "removing":
      return "Removal In Progress"
  }
}

function mountName(mount: MountRequest): string[] {
  if (mount.type === "tmpfs") return []
  return [mountSource(mount) ?? mount.target]
}

/** A working container of a build, which runs nothing between two steps: podman's line of `ps --external`. */
export function externalRow(
  { id, name, imageName, createdAt }: WorkingContainer,
  { noTrunc = false, now = new Date() }: { noTrunc?: boolean; now?: Date } = {},
): object {
  return {
    ...Object.fromEntries(Object.keys(CONTAINER_TITLES).map((field) => [field, ""])),
    Command: "build",
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    Image: imageName,
    Names: name,
    RunningFor: formatAgo(createdAt, now),
    State: "storage",
    Status: "Storage",
    StatusInWords: "Storage",
    PodID: "",
    PodName: "",
    Label: () => "",
  }
}
