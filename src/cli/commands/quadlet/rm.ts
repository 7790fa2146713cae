import { rmSync } from "node:fs"
import { FailedPrecondition, isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { forEachName } from "../../each.ts"
import { flag } from "../../flag.ts"
import { loadUnits, quadletDirectories } from "../../quadlet/directories.ts"
import { findQuadlet } from "../../quadlet/find-quadlet.ts"
import { reloadSystemd, serviceStatus } from "../../quadlet/reload-systemd.ts"

export default command({
  summary: "Remove Quadlet files",
  args: [arg.rest("[QUADLET...]")],
  flags: {
    all: flag.bool("All of them", { short: "a" }),
    force: flag.bool("Also files whose service runs", { short: "f" }),
    ignore: flag.bool("No error for a name that there is not", { short: "i" }),
    reloadSystemd: flag.bool("Have systemd read its units anew", { initial: true }),
  },
  async run({ args: [given], flags, ...context }) {
    const { units } = loadUnits(quadletDirectories(process.getuid?.() !== 0))
    const names = flags.all ? [...units.keys()] : given
    const code = await forEachName(names, context, async (name) => {
      try {
        const unit = findQuadlet(name)
        const service = `${unit.serviceName}.service`
        if (!flags.force && (await serviceStatus(service)) === "active")
          throw new FailedPrecondition(`service "${service}" of "${name}" runs`, { hint: "stop it, or use --force" })
        rmSync(unit.path)
      } catch (error) {
        if (!flags.ignore || !isSkiffError(error, "NotFound")) throw error
      }
    })
    if (flags.reloadSystemd) await reloadSystemd()
    return code
  },
})
