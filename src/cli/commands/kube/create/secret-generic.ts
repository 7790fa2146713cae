import { dataOf } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { dataEntries } from "../../../kube/data-entries.ts"

export default kubeCommand({
  summary: "Create a secret from a local file, directory, or literal value",
  args: [arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    fromFile: flag.strings("Key files can be specified using their file path, or with KEY=PATH", "strings"),
    fromLiteral: flag.strings("Specify a key and literal value to insert in secret (i.e. mykey=somevalue)", "strings"),
    fromEnvFile: flag.strings(
      "Specify the path to a file to read lines of key=val pairs to create a secret",
      "strings",
    ),
    type: flag.string("The type of secret to create"),
  },
  async run({ args: [name], flags, engine, out }) {
    const data = dataOf("Secret", dataEntries(flags))
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name },
      ...data,
      ...(flags.type !== undefined && { type: flags.type }),
    }
    await createObject(await openClient(engine, flags), out, object, flags)
  },
})
