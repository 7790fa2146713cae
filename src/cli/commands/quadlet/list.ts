import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List Quadlet files",
  args: [],
  flags: {
    ...LIST_FORMAT_FLAGS,
    filter: flag.strings("Only those that fit: name=PATTERN, status=STATUS, pod=FILE", "filter", { short: "f" }),
    noheading: flag.bool("Do not print column headings", { short: "n" }),
  },
  examples: ["skiff quadlet list --filter 'name=web*'"],
  async run({ flags, out }) {
    const [{ loadUnits, quadletDirectories }, { serviceStatus }, { unitFilter }] = await Promise.all([
      import("../../quadlet/directories.ts"),
      import("../../quadlet/reload-systemd.ts"),
      import("../../quadlet/filter-units.ts"),
    ])
    const fits = unitFilter(flags.filter)
    const { units } = loadUnits(quadletDirectories(process.getuid?.() !== 0))
    const rows = await Promise.all(
      [...units.values()].map(async (unit) => ({
        Name: unit.fileName,
        UnitName: `${unit.serviceName}.service`,
        Path: unit.path,
        Status: await serviceStatus(`${unit.serviceName}.service`),
        Pod: (unit.kind === "container" ? unit.last("Pod") : undefined) ?? "",
      })),
    )
    printList(out, rows.filter(fits), flags, {
      titles: { Name: "NAME", UnitName: "UNIT NAME", Path: "PATH ON DISK", Status: "STATUS", Pod: "POD" },
      table: "table {{.Name}}\t{{.UnitName}}\t{{.Path}}\t{{.Status}}\t{{.Pod}}",
      quiet: "{{.Name}}",
    })
  },
})
