import { readFileSync } from "node:fs"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { UsageError } from "../../../errors/usage-error.ts"

export default kubeCommand({
  summary: "Create a TLS secret from a given public/private key pair",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    cert: flag.string("Path to PEM encoded public key certificate"),
    key: flag.string("Path to private key associated with given certificate"),
  },
  async run({ args: [name], flags, engine, out }) {
    if (flags.cert === undefined || flags.key === undefined) throw new UsageError("key and cert must be specified")
    const data = {
      "tls.crt": readFileSync(flags.cert).toString("base64"),
      "tls.key": readFileSync(flags.key).toString("base64"),
    }
    const object = { apiVersion: "v1", kind: "Secret", metadata: { name }, type: "kubernetes.io/tls", data }
    await createObject(await openClient(engine, flags), out, object, flags)
  },
})
