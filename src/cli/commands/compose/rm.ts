import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import type { Out } from "../../out.ts"
import { standardInput } from "../../../sys/terminal/standard-input.ts"

export default composeCommand({
  summary: "Removes stopped service containers",
  description:
    'By default, anonymous volumes attached to containers will not be removed. You\ncan override this with -v. To list all volumes, use "docker volume ls".\n\nAny data which is not in a volume will be lost.',
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    all: flag.bool("Deprecated - no effect", { short: "a", hidden: true }),
    force: flag.bool("Don't ask to confirm removal", { short: "f" }),
    stop: flag.bool("Stop the containers, if required, before removing", { short: "s" }),
    volumes: flag.bool("Remove any anonymous volumes attached to containers", { short: "v" }),
  },
  async run({ args: [services], flags, compose, out }) {
    const target = { ...(await compose.projectOrName(services)), services }
    if (flags.stop) await compose.showing("Stopping", (verbs, options) => verbs.stop(target, options))
    const found = await (await compose.compose()).removable(target)
    if (found.length === 0) {
      out.note("No stopped containers")
      return
    }
    const question = `Going to remove ${found.map(({ container }) => container.name).join(", ")}`
    if (flags.force) out.line(question)
    else if (!(await consents(question, out))) return
    await compose.showing("Removing", (verbs, options) =>
      verbs.remove(target.name, found, { ...options, volumes: flags.volumes }),
    )
  },
})

const CONSENT = new Set(["y", "yes", "1", "t", "true"])

/** Without an answer nothing is done. */
async function consents(question: string, out: Out): Promise<boolean> {
  out.text(`? ${question} (y/N) `)
  let answer = ""
  try {
    for await (const chunk of standardInput()) {
      answer += Buffer.from(chunk).toString()
      if (answer.includes("\n")) break
    }
  } catch (error) {
    if (!isSkiffError(error, "Cancelled")) throw error
  }
  if (!answer.includes("\n")) out.line("")
  return CONSENT.has((answer.split("\n")[0] ?? "").trim().toLowerCase())
}
