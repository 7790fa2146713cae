import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { pairs } from "../../../kube/key-values.ts"
import { openClient } from "../../../kube/open-client.ts"

export default kubeCommand({
  summary: "Create a quota with the specified name",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    hard: flag.string("A comma-delimited set of resource=quantity pairs that define a hard limit"),
    scopes: flag.string("A comma-delimited set of quota scopes that must all match each object tracked by the quota"),
  },
  async run({ args: [name], flags, engine, out }) {
    const spec = {
      ...(flags.hard !== undefined && { hard: pairs(flags.hard) }),
      ...(flags.scopes !== undefined && { scopes: flags.scopes.split(",") }),
    }
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name }, spec }
    await createObject(await openClient(engine, flags), out, quota, flags)
  },
})
