import type { ImageRunConfig } from "../../../spec/oci-image.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Create a new image from a service container's changes",
  args: [arg.one("SERVICE", "services"), arg.optional("REPOSITORY[:TAG]", "images")],
  flags: {
    author: flag.string('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', "string", { short: "a" }),
    change: flag.strings("Apply Dockerfile instruction to the created image", "list", { short: "c" }),
    index: flag.int("Index of the container if service has multiple replicas"),
    message: flag.string("Commit message", "string", { short: "m" }),
    pause: flag.bool("Pause container during commit", { short: "p", initial: true }),
  },
  async run({ args: [service, image], flags, compose, engine }) {
    const { author, message, pause } = flags
    const name = await compose.name()
    const verbs = await compose.compose()
    const { container } = await verbs.container(name, service, { index: flags.index || undefined, all: true })
    const change = async (own: ImageRunConfig) =>
      flags.change.length === 0 ? own : await (await engine.builds()).applyChanges(own, flags.change)
    const containers = await engine.containers()
    await compose.showing("Committing", async (_, { onEvent, dryRun }) => {
      const subject = { kind: "container", name: container.name } as const
      onEvent?.({ ...subject, state: "Committing" })
      const done =
        dryRun === true
          ? undefined
          : await containers.commit(container.id, { name: image, author, message, pause, change })
      onEvent?.({ ...subject, state: "Committed", detail: `as ${done?.id ?? ""}` })
    })
  },
})
