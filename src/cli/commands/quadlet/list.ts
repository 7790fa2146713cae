import { command } from "../../command.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List Quadlet files",
  args: [],
  flags: LIST_FORMAT_FLAGS,
  async run({ flags, out }) {
    const [{ loadUnits, quadletDirectories }, { serviceStatus }] = await Promise.all([
      import("../../quadlet/directories.ts"),
      import("../../quadlet/reload-systemd.ts"),
    ])
    const { units } = loadUnits(quadletDirectories(process.getuid?.() !== 0))
    const rows = await Promise.all(
      [...units.values()].map(async (unit) => ({
        Name: unit.fileName,
        UnitName: `${unit.serviceName}.service`,
        Path: unit.path,
        Status: await serviceStatus(`${unit.serviceName}.service`),
      })),
    )
    printList(out, rows, flags, {
      titles: { Name: "NAME", UnitName: "UNIT NAME", Path: "PATH ON DISK", Status: "STATUS" },
      table: "table {{.Name}}\t{{.UnitName}}\t{{.Path}}\t{{.Status}}",
      quiet: "{{.Name}}",
    })
  },
})
