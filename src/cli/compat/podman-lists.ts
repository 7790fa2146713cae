import { externalRow } from "../../docker/container-row.ts"
import { VOLUME_TITLES, volumeDocument, volumeRow } from "../../docker/volume-document.ts"
import { PODMAN_CONTAINER_TITLES } from "../../podman/container-fields.ts"
import { podmanContainerRow } from "../../podman/container-row.ts"
import { hide } from "../../docker/hidden-fields.ts"
import { PODMAN_IMAGE_TITLES, podmanImageRows } from "../../podman/image-row.ts"
import { PODMAN_NETWORK_TITLES, podmanNetworkRow } from "../../podman/network-document.ts"
import { PODMAN_COLUMNS } from "../output/columns.ts"
import { podmanStatsDocument } from "../../podman/stats-document.ts"
import { STATS_TITLES, statsRow } from "../../docker/stats-row.ts"
import { DISK_USAGE_TITLES, diskUsageRows } from "../output/disk-usage.ts"
import { NS_TABLE, POD_COLUMNS, type Lists } from "./lists.ts"

/** `json` prints one array of documents, which are more than the rows: an image of two names is there once. */
const asDocuments = {
  columns: PODMAN_COLUMNS,
  documents: (rows: readonly object[]) => [
    ...new Set(rows.map((row) => (row as { document?: object }).document ?? row)),
  ],
}

/** Podman's layout. */
export const PODMAN_LISTS: Lists = {
  containers: ({ size, pod, ns }) => ({
    ...asDocuments,
    titles: {
      ...PODMAN_CONTAINER_TITLES,
      ID: "CONTAINER ID",
      Command: "COMMAND",
      CreatedAt: "CREATED AT",
      CreatedHuman: "CREATED",
      Image: "IMAGE",
      Labels: "LABELS",
      Mounts: "MOUNTS",
      Names: "NAMES",
      Networks: "NETWORKS",
      Ports: "PORTS",
      RunningFor: "CREATED",
      Size: "SIZE",
      State: "STATE",
      Status: "STATUS",
    },
    table: ns
      ? NS_TABLE
      : `table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}${pod ? POD_COLUMNS : ""}${size ? "\t{{.Size}}" : ""}`,
    quiet: "{{.ID}}",
    oldestFirst: true,
    rows: (container, facts) => [podmanContainerRow(container, facts)],
    externalRow: (container, options) => ({ ...externalRow(container, options), Command: "buildah" }),
  }),

  images: ({ digests, history }) => ({
    ...asDocuments,
    titles: PODMAN_IMAGE_TITLES,
    table: `table {{.Repository}}\t{{.Tag}}\t${digests ? "{{.Digest}}\t" : ""}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}${history ? "\t{{.History}}" : ""}`,
    quiet: "{{.ID}}",
    rows: (image, facts) => podmanImageRows(image, facts),
  }),

  volumes: {
    ...asDocuments,
    titles: VOLUME_TITLES,
    table: "table {{.Driver}}\t{{.Name}}",
    quiet: "{{.Name}}",
    rows: (volume) => [hide(volumeRow(volume), { document: volumeDocument(volume) })],
  },

  networks: {
    ...asDocuments,
    titles: PODMAN_NETWORK_TITLES,
    table: "table {{.ID}}\t{{.Name}}\t{{.Driver}}",
    quiet: "{{.Name}}",
    rows: (network, facts) => [podmanNetworkRow(network, facts)],
  },

  stats: {
    ...asDocuments,
    titles: { ...STATS_TITLES, ID: "ID", NetIO: "NET IO", BlockIO: "BLOCK IO", UpTime: "CPU TIME" },
    table:
      "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}\t{{.CPUTime}}\t{{.AVGCPU}}",
    quiet: "{{.ID}}",
    rows: (one, options) => [hide(statsRow(one, options), { document: podmanStatsDocument(one) })],
  },

  // it has no cache of its own
  diskUsage: {
    ...asDocuments,
    titles: DISK_USAGE_TITLES,
    table: "table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
    quiet: "{{.Type}}",
    rows: (usage) => diskUsageRows(usage, { tellsNone: true }).slice(0, 3),
  },
}
