import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { UsageError } from "../../../errors/usage-error.ts"

export default kubeCommand({
  summary: "Create a cron job with the specified name",
  args: [arg.one("NAME"), arg.rest("[-- COMMAND [args...]]")],
  flags: {
    ...CREATE_FLAGS,
    image: flag.string("Image name to run"),
    schedule: flag.string("A schedule in the Cron format the job should be run with"),
    restart: flag.choice(["OnFailure", "Never"], "Job's restart policy. supported values: OnFailure, Never", {
      initial: "OnFailure",
    }),
  },
  async run({ args: [name, command], flags, engine, out }) {
    if (flags.image === undefined || flags.schedule === undefined)
      throw new UsageError("--image and --schedule must be specified")
    const container = { name, image: flags.image, ...(command.length > 0 && { command }) }
    const jobTemplate = {
      metadata: { name },
      spec: { template: { spec: { containers: [container], restartPolicy: flags.restart } } },
    }
    await createObject(
      await openClient(engine, flags),
      out,
      { apiVersion: "batch/v1", kind: "CronJob", metadata: { name }, spec: { schedule: flags.schedule, jobTemplate } },
      flags,
    )
  },
})
