import { textAt } from "../../../kube/kube.ts"
import { VERSION } from "../../../base/version.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { printObject } from "../../kube/print.ts"

export default kubeCommand({
  summary: "Print the client and server version information",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    client: flag.bool("If true, shows client version only (no server required)"),
    output: flag.choice(["yaml", "json"], "One of 'yaml' or 'json'", { short: "o" }),
  },
  async run({ flags, engine, out }) {
    const clientVersion = { major: "1", minor: "35", gitVersion: `v1.35.0+skiff.${VERSION}` }
    const client = flags.client ? undefined : await openClient(engine, flags)
    const serverVersion = await client?.call({ method: "GET", path: "/version" })
    if (flags.output !== undefined)
      return printObject(out, { clientVersion, ...(serverVersion && { serverVersion }) }, [], { output: flags.output })
    out.line(`Client Version: ${clientVersion.gitVersion}`)
    if (serverVersion) out.line(`Server Version: ${textAt(serverVersion, "gitVersion")}`)
  },
})
