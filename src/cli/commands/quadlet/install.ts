import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { AlreadyExists, InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Install Quadlet files",
  args: [arg.some("FILE|DIRECTORY")],
  flags: {
    reloadSystemd: flag.bool("Have systemd read its units anew", { initial: true }),
    replace: flag.bool("Replace files of the same name", { short: "r" }),
  },
  async run({ args: [paths], flags, out }) {
    const [{ installDirectory }, { KINDS, parseUnit }, { reloadSystemd }] = await Promise.all([
      import("../../quadlet/directories.ts"),
      import("../../quadlet/quadlet-unit.ts"),
      import("../../quadlet/reload-systemd.ts"),
    ])
    const directory = installDirectory(process.getuid?.() !== 0)
    const files = paths.flatMap((path) =>
      statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path],
    )
    const isUnit = (path: string) => KINDS.some((kind) => path.endsWith(`.${kind}`))
    // all are looked at before any is copied
    for (const path of files) {
      if (isUnit(path)) parseUnit(readFileSync(path, "utf8"), path)
      else if (paths.includes(path) && files.length === 1)
        throw new InvalidArgument(`"${path}" is no Quadlet file`, {
          hint: `its name must end with one of ${KINDS.join(", ")}`,
        })
      if (!flags.replace && existsSync(join(directory, basename(path))))
        throw new AlreadyExists(`"${join(directory, basename(path))}" is there already`, { hint: "use --replace" })
    }
    mkdirSync(directory, { recursive: true })
    for (const path of files.filter((one) => statSync(one).isFile())) {
      const target = join(directory, basename(path))
      copyFileSync(path, target)
      out.line(target)
    }
    if (flags.reloadSystemd) await reloadSystemd()
  },
})
