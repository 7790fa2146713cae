import { dataOf } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { dataEntries } from "../../../kube/data-entries.ts"

export default kubeCommand({
  summary: "Create a config map from a local file, directory or literal value",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    fromFile: flag.strings("Key file can be specified using its file path, or with KEY=PATH", "strings"),
    fromLiteral: flag.strings(
      "Specify a key and literal value to insert in configmap (i.e. mykey=somevalue)",
      "strings",
    ),
    fromEnvFile: flag.strings(
      "Specify the path to a file to read lines of key=val pairs to create a configmap",
      "strings",
    ),
  },
  async run({ args: [name], flags, engine, out }) {
    const data = dataOf("ConfigMap", dataEntries(flags))
    await createObject(
      await openClient(engine, flags),
      out,
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, ...data },
      flags,
    )
  },
})
