import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Display cluster information",
  args: [],
  flags: PLACE_FLAGS,
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    await client.call({ method: "GET", path: "/version" })
    out.line(`Kubernetes control plane is running at ${client.transport.server}`)
  },
})
