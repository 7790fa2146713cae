import { POD_TITLES, podListDocument, podRow } from "../../../docker/pod-document.ts"
import type { Pod } from "../../../pod/pod.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { podFilter } from "../../pod/pod-filter.ts"

export default command({
  summary: "List pods",
  args: [],
  flags: {
    ctrIds: flag.bool("Display the container IDs"),
    ctrNames: flag.bool("Display the container names"),
    ctrStatus: flag.bool("Display the container status"),
    filter: flag.strings("Filter output based on conditions given", "filter", { short: "f" }),
    ...LIST_FORMAT_FLAGS,
    latest: flag.bool("Show the pod that was created last", { short: "l" }),
    noTrunc: flag.bool("Do not truncate pod and container IDs"),
    noheading: flag.bool("Do not print headers", { short: "n" }),
    ns: flag.bool("Display namespace information of the pod"),
    quiet: flag.bool("Print the IDs of the pods only", { short: "q" }),
    sort: flag.choice(["created", "id", "name", "number", "status"], "Sort output by a field", { initial: "created" }),
  },
  failureCode: 125,
  async run({ flags, engine, out, dialect }) {
    const found = await (await engine.pods()).list(podFilter(flags.filter))
    const shown = sorted(flags.latest ? found.slice(0, 1) : found, flags.sort ?? "created")
    // podman's JSON is one array, of other fields than its templates'
    if (flags.json || flags.format === "json") return out.json(shown.map(podListDocument))
    const now = new Date()
    const rows = shown.map((pod) => podRow(pod, { noTrunc: flags.noTrunc, now }))
    printList(out, rows, flags, {
      titles: POD_TITLES,
      table: tableOf(flags),
      quiet: "{{.ID}}",
      columns: (await dialect.lists()).volumes.columns,
    })
  },
})

function tableOf(flags: { ctrIds: boolean; ctrNames: boolean; ctrStatus: boolean; ns: boolean }): string {
  const columns = ["ID", "Name", "Status", "Created", "InfraID"]
  if (flags.ns) columns.push("Namespace")
  const containers = [
    ...(flags.ctrIds ? ["ContainerIds"] : []),
    ...(flags.ctrNames ? ["ContainerNames"] : []),
    ...(flags.ctrStatus ? ["ContainerStatuses"] : []),
  ]
  columns.push(...(containers.length === 0 ? ["NumberOfContainers"] : containers))
  return `table ${columns.map((name) => `{{.${name}}}`).join("\t")}`
}

/** As they come, they are sorted by creation, the newest first. */
function sorted(pods: readonly Pod[], by: string): readonly Pod[] {
  const text = (one: Pod): string => (by === "id" ? one.id : by === "name" ? one.name : one.status)
  if (by === "created") return pods
  if (by === "number") return pods.toSorted((a, b) => a.containers.length - b.containers.length)
  return pods.toSorted((a, b) => text(a).localeCompare(text(b)))
}
