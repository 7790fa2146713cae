import { explainField } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Get documentation for a resource",
  args: [arg.one("TYPE[.FIELD...]")],
  flags: {
    ...PLACE_FLAGS,
    recursive: flag.bool(
      "When true, print the name of all the fields recursively. Otherwise, print the available fields with their description",
    ),
    apiVersion: flag.string("Use given api-version (group/version) of the resource"),
    output: flag.string("Format in which to render the schema: plaintext"),
  },
  async run({ args: [path], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const [word = "", ...fields] = path.split(".")
    out.text(await explainField(await client.kindNamed(word), fields, flags.recursive))
  },
})
