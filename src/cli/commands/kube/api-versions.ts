import { apiVersionOf } from "../../../kube/kube.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: 'Print the supported API versions on the server, in the form of "group/version"',
  args: [],
  flags: PLACE_FLAGS,
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    for (const version of [...new Set((await client.kinds()).map(apiVersionOf))].toSorted()) out.line(version)
  },
})
