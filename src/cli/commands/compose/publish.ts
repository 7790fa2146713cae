import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { lockImages } from "../../compose/lock-images.ts"
import type { ComposeProgress } from "../../compose/progress/compose-progress.ts"
import { DRY_RUN_PREFIX } from "../../compose/progress/progress-frame.ts"
import { asker } from "../../confirm.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Publish compose application",
  args: [arg.one("REPOSITORY[:TAG]")],
  flags: {
    app: flag.bool("Published compose application (includes referenced images)"),
    ociVersion: flag.choice(
      ["1.0", "1.1"],
      "OCI image/artifact specification version (automatically determined by default)",
    ),
    resolveImageDigests: flag.bool("Pin image tags to digests"),
    withEnv: flag.bool("Include environment variables in the published OCI artifact"),
    yes: flag.bool('Assume "yes" as answer to all prompts', { short: "y" }),
  },
  examples: ["skiff compose publish registry.example.com/team/app:1"],
  async run({ args: [reference], flags, compose, engine, out }) {
    using interrupt = new AbortOnInterrupt()
    const project = await compose.project([], {
      profiles: ["*"],
      allResources: true,
      skipEnvironmentResolution: true,
    })
    const domain = await compose.compose()
    const lockAll = async () => {
      const locked = await lockImages(project, () => engine.images())
      const images = Object.values(locked.services).flatMap(({ image = [] }) => image)
      return { images, file: await domain.renderImages(locked, "yaml") }
    }
    const open = await compose.displays("Publishing")
    // nothing is drawn before all is asked
    let display: ComposeProgress | undefined
    try {
      const isPublished = await domain.publish(project, reference, {
        withEnvironment: flags.withEnv,
        ociVersion: flags.ociVersion,
        // images that are copied are found by their digests alone
        lockImages: flags.resolveImageDigests || flags.app ? lockAll : undefined,
        withImages: flags.app,
        ask: flags.yes ? undefined : asker(out),
        isDryRun: compose.isDryRun,
        limit: compose.parallelLimit,
        signal: interrupt.signal,
        onEvent: (event) => (display ??= open()).onEvent(event),
      })
      if (!isPublished) return 1
      display ??= open()
      display.note(`${compose.isDryRun ? `${DRY_RUN_PREFIX} ` : ""}${reference} published`)
    } finally {
      display?.[Symbol.dispose]()
    }
    return 0
  },
})
