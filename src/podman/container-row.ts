import { formatSize } from "../base/sizes.ts"
import type { Container, ContainerSize } from "../container/container.ts"
import { formatAgo, formatMoment } from "../docker/ages.ts"
import { describeStatus } from "../docker/container-row.ts"
import { describePodmanPorts, networkNames, publishedPorts } from "../docker/port-text.ts"
import type { MountRequest } from "../spec/docker/mount-request.ts"
import { podmanContainerFields, type ContainerFieldsOptions } from "./container-fields.ts"
import { podmanNetworkName } from "./network-document.ts"
import { hide } from "../docker/hidden-fields.ts"

const SHORT_ID = 12
/** Characters of a command that a table shows. */
const SHORT_COMMAND = 17

/** A line of `ps` by podman's template names; what `json` prints of it is hidden under `document`. */
export function podmanContainerRow(
  container: Container,
  facts: ContainerFieldsOptions & { size?: ContainerSize | undefined; now?: Date } = {},
): object {
  const { now = new Date(), size, noTrunc = false } = facts
  const { id, name, options, imageName, createdAt, argv, state } = container
  const command = argv.join(" ")
  const networks = networkNames(container).map(podmanNetworkName)
  const row = {
    ...podmanContainerFields(container, facts),
    Command: noTrunc || command.length <= SHORT_COMMAND + 3 ? command : `${command.slice(0, SHORT_COMMAND)}...`,
    get CreatedAt() {
      return formatMoment(createdAt)
    },
    CreatedHuman: formatAgo(createdAt, now),
    ID: noTrunc ? id : id.slice(0, SHORT_ID),
    Image: imageName,
    Labels: new Map(Object.entries(container.labels).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    Mounts: options.mounts.flatMap(mountTarget),
    Names: name,
    Networks: networks.join(","),
    Ports: describePodmanPorts(container),
    RunningFor: formatAgo(createdAt, now),
    Size: size === undefined ? "" : `${formatSize(size.writableBytes)} (virtual ${formatSize(size.rootBytes)})`,
    State: stateWord(state),
    Status: statusText(container, now),
    Label: (key: unknown) => container.labels[String(key)] ?? "",
  }
  return hide(row, { document: podmanListDocument(container, facts, now) })
}

/** An element of `ps --format json`. */
function podmanListDocument(
  container: Container,
  { pod, size, namespaces }: ContainerFieldsOptions & { size?: ContainerSize | undefined },
  now: Date,
): object {
  const { id, name, options, imageName, imageId, argv, state, createdAt, restartCount } = container
  const { ExitedAt, StartedAt, Exited, ExitCode, Pid } = podmanContainerFields(container)
  const ports = publishedPorts(container)
  return {
    AutoRemove: options.autoRemove,
    CIDFile: "",
    Command: argv,
    CreatedAt: formatAgo(createdAt, now),
    Exited,
    ExitedAt,
    ExitCode,
    ExposedPorts: null,
    Id: id,
    Image: imageName,
    ImageID: imageId.replace("sha256:", ""),
    IsInfra: false,
    Labels: Object.keys(container.labels).length === 0 ? null : container.labels,
    Mounts: options.mounts.flatMap(mountTarget),
    Names: [name],
    Namespaces:
      namespaces === undefined || namespaces.NET === ""
        ? {}
        : {
            MNT: namespaces.MNT,
            Cgroup: namespaces.CGROUPNS,
            IPC: namespaces.IPC,
            NET: namespaces.NET,
            PIDNS: namespaces.PIDNS,
            UTS: namespaces.UTS,
            User: namespaces.USERNS,
          },
    Networks: networkNames(container).map(podmanNetworkName),
    Pid,
    Pod: pod?.id ?? "",
    PodName: pod?.name ?? "",
    Ports:
      ports.length === 0
        ? null
        : ports.map(({ hostAddress = "", containerPort, hostPort, protocol }) => ({
            host_ip: hostAddress,
            container_port: containerPort,
            host_port: hostPort,
            range: 1,
            protocol,
          })),
    Restarts: restartCount,
    Size: size === undefined ? null : { rootFsSize: size.rootBytes, rwSize: size.writableBytes },
    StartedAt,
    State: stateWord(state),
    Status: statusText(container, now),
    Created: Math.floor(createdAt.getTime() / 1000),
  }
}

function mountTarget(mount: MountRequest): string[] {
  return mount.type === "tmpfs" ? [] : [mount.target]
}

function stateWord(state: Container["state"]): string {
  return state.status === "created" && state.initialized !== undefined ? "initialized" : state.status
}

function statusText(container: Container, now: Date): string {
  const word = stateWord(container.state)
  if (word === "paused") return "Paused"
  return word === "initialized" ? "Initialized" : describeStatus(container, now)
}
