import { textAt, treeAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { UsageError } from "../../../errors/usage-error.ts"

export default kubeCommand({
  summary: "Create a job with the specified name",
  args: [arg.one("NAME"), arg.rest("[-- COMMAND [args...]]")],
  flags: {
    ...CREATE_FLAGS,
    image: flag.string("Image name to run"),
    from: flag.string("The name of the resource to create a Job from: cronjob/NAME"),
  },
  async run({ args: [name, command], flags, engine, out }) {
    const client = await openClient(engine, flags)
    if ((flags.image === undefined) === (flags.from === undefined))
      throw new UsageError("either --image or --from must be specified")
    if (flags.from !== undefined) {
      const cron = await client.get(
        await client.kindNamed("cronjobs.batch"),
        flags.from.split("/").at(-1) ?? "",
        flags.namespace ?? client.transport.namespace,
      )
      const template = treeAt(cron, "spec", "jobTemplate")
      const owner = {
        apiVersion: "batch/v1",
        kind: "CronJob",
        name: textAt(cron, "metadata", "name"),
        uid: textAt(cron, "metadata", "uid"),
        controller: true,
      }
      const annotations = {
        ...treeAt(template, "metadata", "annotations"),
        "cronjob.kubernetes.io/instantiate": "manual",
      }
      await createObject(
        client,
        out,
        {
          apiVersion: "batch/v1",
          kind: "Job",
          metadata: { ...treeAt(template, "metadata"), name, annotations, ownerReferences: [owner] },
          spec: template["spec"],
        },
        flags,
      )
      return
    }
    const container = { name, image: flags.image, ...(command.length > 0 && { command }) }
    const template = { spec: { containers: [container], restartPolicy: "Never" } }
    await createObject(
      client,
      out,
      { apiVersion: "batch/v1", kind: "Job", metadata: { name }, spec: { template } },
      flags,
    )
  },
})
