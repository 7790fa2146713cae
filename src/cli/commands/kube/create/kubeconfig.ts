import { join } from "node:path"
import { defaultPaths } from "../../../../sys/fs/paths.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"

const DAY_MS = 24 * 3600 * 1000
const USUAL_DAYS = 365

export default command({
  summary: "Print a kubeconfig by whose certificate a user is known",
  description: "What the user may do is said by roles that are bound to the name, or to the groups.",
  args: [arg.one("USER")],
  flags: {
    group: flag.strings("A group of the user", "name"),
    expires: flag.duration("How long the certificate holds (default 8760h); it cannot be taken back before"),
    server: flag.string("The address of the API (default: that of the last kube serve)", "URL"),
  },
  async run({ args: [name], flags, globals, out }) {
    const { userKubeconfig } = await import("../../../../apiserver/apiserver.ts")
    const directory = join(globals.root ?? defaultPaths().root, "kube")
    const days = flags.expires === undefined ? USUAL_DAYS : Math.max(1, Math.ceil(flags.expires / DAY_MS))
    out.line((await userKubeconfig(directory, { name, groups: flags.group, days, url: flags.server })).trimEnd())
  },
})
