import { readFileSync } from "node:fs"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { findQuadlet } from "../../quadlet/find-quadlet.ts"

export default command({
  summary: "Print a Quadlet file",
  args: [arg.one("QUADLET")],
  flags: {},
  async run({ args: [name], out }) {
    out.text(readFileSync(findQuadlet(name).path, "utf8"))
  },
})
