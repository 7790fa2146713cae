import type { WorkingContainer } from "../../builder/builder.ts"
import type { Container, ContainerSize, ContainerStats } from "../../container/container.ts"
import { CONTAINER_TITLES, containerRow, externalRow } from "../../docker/container-row.ts"
import { IMAGE_TITLES, imageRows } from "../../docker/image-row.ts"
import { NETWORK_TITLES, networkRow } from "../../docker/network-document.ts"
import { VOLUME_TITLES, volumeRow } from "../../docker/volume-document.ts"
import { STATS_TITLES, statsRow } from "../../docker/stats-row.ts"
import type { DiskUsage } from "../../engine/engine.ts"
import { DISK_USAGE_TITLES, diskUsageRows } from "../output/disk-usage.ts"
import type { Image } from "../../image/image.ts"
import type { Network } from "../../network/network.ts"
import {
  PODMAN_CONTAINER_TITLES,
  podmanContainerFields,
  type ContainerFieldsOptions,
} from "../../podman/container-fields.ts"
import { hide } from "../../docker/hidden-fields.ts"
import { PODMAN_IMAGE_TITLES, podmanImageFields } from "../../podman/image-row.ts"
import type { Volume } from "../../volume/volume.ts"
import type { ListFormat } from "../output/list.ts"

/** Which columns of `ps` are shown. */
export interface ContainerColumns {
  size: boolean
  pod: boolean
  ns: boolean
  /** A person looks at it. */
  onTerminal: boolean
}

/** What is known of a container beside itself. */
export interface ContainerFacts extends ContainerFieldsOptions {
  size?: ContainerSize | undefined
}

/** Which images, and how much of them. */
export interface ImageFacts {
  noTrunc: boolean
  digests: boolean
  /** Only lines of this repository, or of this very name. */
  only?: string | undefined
  /** `--format`: a template may name fields that docker's lines do not have. */
  format?: string | undefined
}

/** How one kind of object is listed. */
export interface ObjectList<T, O> extends ListFormat {
  /** The lines of one object: an image has one for each name. */
  rows(object: T, options: O): object[]
}

/** The list of containers, which may have those of builds in it. */
export interface ContainerList extends ObjectList<Container, ContainerFacts> {
  externalRow(container: WorkingContainer, options: { noTrunc: boolean }): object
  /** Default: the newest first. */
  oldestFirst?: boolean
}

/** How `ps`, `images`, `volume ls` and `network ls` show things. */
export interface Lists {
  containers(columns: ContainerColumns): ContainerList
  images(columns: { digests: boolean; history: boolean }): ObjectList<Image, ImageFacts>
  volumes: ObjectList<Volume, object>
  networks: ObjectList<Network, { noTrunc: boolean }>
  stats: ObjectList<ContainerStats, { noTrunc: boolean }>
  diskUsage: ListFormat & { rows(usage: DiskUsage): object[] }
}

/** Podman's columns of `ps --ns`. */
export const NS_TABLE =
  "table {{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.CGROUPNS}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.USERNS}}\t{{.UTS}}"
/** Those that `ps --pod` adds. */
export const POD_COLUMNS = "\t{{.PodID}}\t{{.PodName}}"

/** Docker's layout, which is skiff's own. */
export const LISTS: Lists = {
  containers: ({ size, pod, ns, onTerminal }) => ({
    titles: { ...PODMAN_CONTAINER_TITLES, ...CONTAINER_TITLES },
    table: ns
      ? NS_TABLE
      : // scripts get docker's text to the letter
        `table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.${onTerminal ? "StatusInWords" : "Status"}}}\t{{.Ports}}\t{{.Names}}${pod ? POD_COLUMNS : ""}${size ? "\t{{.Size}}" : ""}`,
    quiet: "{{.ID}}",
    rows: (container, facts) => [hide(containerRow(container, facts), podmanContainerFields(container, facts))],
    externalRow,
  }),

  images: ({ digests, history }) => ({
    titles: { ...PODMAN_IMAGE_TITLES, ...IMAGE_TITLES },
    table: `table {{.Repository}}\t{{.Tag}}\t${digests ? "{{.Digest}}\t" : ""}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}${history ? "\t{{.History}}" : ""}`,
    quiet: "{{.ID}}",
    rows: (image, facts) => {
      const rows = imageRows(image, facts)
      // of ten thousand images these fields cost more than all else
      const areNamed = history || facts.format?.includes("{{") === true
      return areNamed ? rows.map((row) => hide(row, podmanImageFields(image))) : rows
    },
  }),

  volumes: {
    titles: VOLUME_TITLES,
    table: "table {{.Driver}}\t{{.Name}}",
    quiet: "{{.Name}}",
    rows: (volume) => [volumeRow(volume)],
  },

  networks: {
    titles: NETWORK_TITLES,
    table: "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    quiet: "{{.ID}}",
    rows: (network, facts) => [networkRow(network, facts)],
  },

  stats: {
    titles: STATS_TITLES,
    table: "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}",
    quiet: "{{.ID}}",
    rows: (one, options) => [statsRow(one, options)],
  },

  diskUsage: {
    titles: DISK_USAGE_TITLES,
    table: "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
    quiet: "{{.Type}}",
    rows: diskUsageRows,
  },
}
