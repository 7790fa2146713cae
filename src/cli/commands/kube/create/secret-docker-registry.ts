import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { UsageError } from "../../../errors/usage-error.ts"

export default kubeCommand({
  summary: "Create a secret for use with a Docker registry",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    dockerServer: flag.string("Server location for Docker registry (default https://index.docker.io/v1/)"),
    dockerUsername: flag.string("Username for Docker registry authentication"),
    dockerPassword: flag.string("Password for Docker registry authentication"),
    dockerEmail: flag.string("Email for Docker registry"),
  },
  async run({ args: [name], flags, engine, out }) {
    const {
      dockerServer: server = "https://index.docker.io/v1/",
      dockerUsername: username,
      dockerPassword: password,
    } = flags
    if (username === undefined || password === undefined)
      throw new UsageError(
        "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
      )
    const auth = Buffer.from(`${username}:${password}`).toString("base64")
    const config = {
      auths: {
        [server]: { username, password, ...(flags.dockerEmail !== undefined && { email: flags.dockerEmail }), auth },
      },
    }
    const data = { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") }
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name },
      type: "kubernetes.io/dockerconfigjson",
      data,
    }
    await createObject(await openClient(engine, flags), out, object, flags)
  },
})
