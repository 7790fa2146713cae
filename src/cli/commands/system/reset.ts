import type { StoreContents } from "../../../engine/engine.ts"
import { command } from "../../command.ts"
import { confirm } from "../../confirm.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Remove everything: containers, images, volumes, networks and the store itself",
  args: [],
  flags: { force: flag.bool("Do not prompt for confirmation", { short: "f" }) },
  async run({ flags, engine, out }) {
    const contents = await engine.contents()
    if (!flags.force && !(await confirm(`This will remove:\n${contentLines(contents).join("\n")}\n`, out))) return 1
    await engine.reset()
    out.line(`Removed ${contents.root} and ${contents.runRoot}`)
    return 0
  },
})

function contentLines({ root, runRoot, isDamaged, ...contents }: StoreContents): string[] {
  const { containers, running, workingContainers, images, volumes, networks } = contents
  if (isDamaged)
    return ["  - all containers, images and volumes: the records cannot be read", `  - ${root} and ${runRoot}`]
  return [
    counted(
      containers,
      "container",
      running > 0 ? `, of which ${running} ${running === 1 ? "is" : "are"} running` : "",
    ),
    counted(workingContainers, "working container"),
    counted(images, "image", ", and the build cache"),
    counted(volumes.length, "volume", volumes.length > 0 ? `, with all data: ${namesOf(volumes)}` : ""),
    networks.length === 0
      ? "the networks of these containers"
      : counted(networks.length, "network", `, and the default one: ${namesOf(networks)}`),
    `${root} and ${runRoot}`,
  ].map((line) => `  - ${line}`)
}

const SHOWN_NAMES = 5

function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(", ")
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown
}

function counted(count: number, what: string, more = ""): string {
  return `${count} ${what}${count === 1 ? "" : "s"}${more}`
}
