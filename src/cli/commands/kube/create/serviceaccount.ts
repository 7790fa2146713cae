import { arg } from "../../../args.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"
export default kubeCommand({
  summary: "Create a service account with the specified name",
  args: [arg.one("NAME")],
  flags: CREATE_FLAGS,
  async run({ args: [name], flags, engine, out }) {
    await createObject(
      await openClient(engine, flags),
      out,
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } },
      flags,
    )
  },
})
