import { UsageError } from "../../../errors/usage-error.ts"
import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { CONFIG_FLAGS, fileEntry, given } from "../../../kube/config-flags.ts"

export default command({
  summary: "Set a user entry in kubeconfig",
  args: [arg.one("NAME")],
  flags: {
    ...CONFIG_FLAGS,
    token: flag.string("The token of the user entry in kubeconfig"),
    username: flag.string("The username of the user entry in kubeconfig"),
    password: flag.string("The password of the user entry in kubeconfig"),
    clientCertificate: flag.string("Path to client-certificate file for the user entry in kubeconfig", "file"),
    clientKey: flag.string("Path to client-key file for the user entry in kubeconfig", "file"),
    embedCerts: flag.bool("Embed client cert/key for the user entry in kubeconfig"),
    execCommand: flag.string("Command for the exec credential plugin for the user entry in kubeconfig"),
    execApiVersion: flag.string("API version of the exec credential plugin for the user entry in kubeconfig"),
    execArg: flag.list((text) => text.split(","), "New arguments for the exec credential plugin command", "strings"),
    execEnv: flag.list(
      (text) => text.split(","),
      "Environment values (key=value) of the exec credential plugin",
      "strings",
    ),
  },
  async run({ args: [name], flags, out }) {
    const { token, username, password } = flags
    if (token !== undefined && (username !== undefined || password !== undefined))
      throw new UsageError(
        "you cannot specify more than one authentication method at the same time: [--token and --username/--password]",
      )
    const { setEntry } = await kubeconfigEdits()
    setEntry(flags.kubeconfig, "users", name, {
      ...given({ token, username, password }),
      ...fileEntry("client-certificate", flags.clientCertificate, flags.embedCerts),
      ...fileEntry("client-key", flags.clientKey, flags.embedCerts),
      ...(flags.execCommand !== undefined && {
        exec: {
          apiVersion: flags.execApiVersion ?? "client.authentication.k8s.io/v1",
          command: flags.execCommand,
          args: flags.execArg.flat(),
          env: flags.execEnv.flat().map((pair) => {
            const equals = pair.indexOf("=")
            if (equals < 1) throw new UsageError(`invalid environment variable: ${pair}, expected KEY=VALUE`)
            return { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
          }),
          interactiveMode: "IfAvailable",
          provideClusterInfo: false,
        },
      }),
    })
    out.line(`User "${name}" set.`)
  },
})
