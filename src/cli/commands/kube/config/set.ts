import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Set an individual value in a kubeconfig file",
  args: [arg.one("PROPERTY_NAME"), arg.one("PROPERTY_VALUE")],
  flags: {
    ...CONFIG_FLAGS,
    setRawBytes: flag.bool("When writing bytes, take the value as it is, without base64 decoding"),
  },
  async run({ args: [name, value], flags, out }) {
    const { readProperty, setConfigProperty } = await kubeconfigEdits()
    setConfigProperty(flags.kubeconfig, readProperty(name, { isRaw: flags.setRawBytes }), value)
    out.line(`Property "${name}" set.`)
  },
})
