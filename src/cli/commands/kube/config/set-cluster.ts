import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { CONFIG_FLAGS, fileEntry, given } from "../../../kube/config-flags.ts"

export default command({
  summary: "Set a cluster entry in kubeconfig",
  args: [arg.one("NAME")],
  flags: {
    ...CONFIG_FLAGS,
    server: flag.string("The server of the cluster entry in kubeconfig"),
    tlsServerName: flag.string("The tls-server-name of the cluster entry in kubeconfig"),
    certificateAuthority: flag.string("Path to certificate-authority file for the cluster entry in kubeconfig", "file"),
    insecureSkipTlsVerify: flag.bool("Whether insecure-skip-tls-verify is set in the cluster entry in kubeconfig"),
    embedCerts: flag.bool("Whether embed-certs is set in the cluster entry in kubeconfig"),
  },
  async run({ args: [name], flags, out }) {
    const { setEntry } = await kubeconfigEdits()
    setEntry(flags.kubeconfig, "clusters", name, {
      ...given({ server: flags.server, "tls-server-name": flags.tlsServerName }),
      ...fileEntry("certificate-authority", flags.certificateAuthority, flags.embedCerts),
      // one says that whatever answers is trusted, the other one whom to trust
      ...(flags.certificateAuthority !== undefined && { "insecure-skip-tls-verify": undefined }),
      ...(flags.insecureSkipTlsVerify && {
        "insecure-skip-tls-verify": true,
        "certificate-authority": undefined,
        "certificate-authority-data": undefined,
      }),
    })
    out.line(`Cluster "${name}" set.`)
  },
})
