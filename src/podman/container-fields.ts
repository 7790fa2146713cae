import { shortId } from "../base/short-id.ts"
import type { Container } from "../container/container.ts"
import { formatAgo } from "../docker/ages.ts"
import { digestHex } from "../spec/digest.ts"

/** The numbers of a container's namespaces, as podman's `ps --ns` names them; empty for one that does not run. */
export interface NamespaceNumbers {
  CGROUPNS: string
  IPC: string
  MNT: string
  NET: string
  PIDNS: string
  USERNS: string
  UTS: string
}

/** Of a container without a process. */
export const NO_NAMESPACES: NamespaceNumbers = {
  CGROUPNS: "",
  IPC: "",
  MNT: "",
  NET: "",
  PIDNS: "",
  USERNS: "",
  UTS: "",
}

/** What of other objects a line needs. */
export interface ContainerFieldsOptions {
  namespaces?: NamespaceNumbers
  pod?: { id: string; name: string } | undefined
  noTrunc?: boolean
}

/** Fields that podman's `ps` templates name, and docker's do not. Pure. */
export function podmanContainerFields(
  container: Container,
  { namespaces = NO_NAMESPACES, pod, noTrunc = false }: ContainerFieldsOptions = {},
): Record<string, unknown> {
  const { id, state, options, createdAt, imageId, restartCount, name } = container
  const startedAt = "startedAt" in state ? state.startedAt : undefined
  const short = (text: string) => (noTrunc ? text : shortId(text))
  const ended = state.status === "exited" || state.status === "restarting" ? state : undefined
  return {
    AutoRemove: options.autoRemove,
    CIDFile: "",
    CreatedHuman: formatAgo(createdAt, new Date()),
    Platform: options.platform ?? "",
    Cgroup: namespaces.CGROUPNS,
    ...namespaces,
    Created: createdAt,
    ExitCode: ended?.exitCode ?? 0,
    Exited: ended !== undefined,
    ExitedAt: ended === undefined ? -62_135_596_800 : Math.floor(ended.finishedAt.getTime() / 1000),
    ExposedPorts: new Map(options.expose.map((port) => [port, [port.split("/")[1] ?? "tcp"]])),
    ImageID: short(digestHex(imageId)),
    IsInfra: false,
    Namespaces: { ...namespaces, Cgroup: namespaces.CGROUPNS, Pid: namespaces.PIDNS, User: namespaces.USERNS },
    Pid: "pid" in state ? state.pid : 0,
    Pod: short(pod?.id ?? ""),
    PodID: short(pod?.id ?? ""),
    PodName: pod?.name ?? "",
    Restarts: restartCount,
    StartedAt: startedAt === undefined ? -62_135_596_800 : Math.floor(startedAt.getTime() / 1000),
    User: options.user ?? "",
    ContainerID: id,
    Name: name,
  }
}

/** Column titles of these fields. */
export const PODMAN_CONTAINER_TITLES: Readonly<Record<string, string>> = {
  AutoRemove: "AUTOREMOVE",
  CIDFile: "CIDFILE",
  CreatedHuman: "CREATED",
  Platform: "PLATFORM",
  CGROUPNS: "CGROUPNS",
  Cgroup: "CGROUPNS",
  ContainerID: "CONTAINER ID",
  Created: "CREATED",
  ExitCode: "EXIT CODE",
  Exited: "EXITED",
  ExitedAt: "EXITED AT",
  ExposedPorts: "EXPOSED PORTS",
  IPC: "IPC",
  ImageID: "IMAGE ID",
  IsInfra: "IS INFRA",
  MNT: "MNT",
  NET: "NET",
  Name: "NAME",
  PIDNS: "PIDNS",
  Pid: "PID",
  Pod: "POD ID",
  PodID: "POD ID",
  PodName: "PODNAME",
  Restarts: "RESTARTS",
  StartedAt: "STARTED AT",
  USERNS: "USERNS",
  UTS: "UTS",
  User: "USER",
}
