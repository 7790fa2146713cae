import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { textAt } from "../../../../kube/kube.ts"

export default kubeCommand({
  summary: "Request a service account token",
  args: [arg.one("SERVICE_ACCOUNT_NAME")],
  flags: { ...CREATE_FLAGS, duration: flag.duration("Requested lifetime of the issued token") },
  async run({ args: [name], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const path = `/api/v1/namespaces/${flags.namespace ?? client.transport.namespace}/serviceaccounts/${name}/token`
    const spec = flags.duration === undefined ? {} : { expirationSeconds: Math.ceil(flags.duration / 1000) }
    const answer = await client.call({
      method: "POST",
      path,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
    })
    out.line(textAt(answer, "status", "token"))
  },
})
