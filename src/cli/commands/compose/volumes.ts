import { LABEL } from "../../../compose/compose.ts"
import { mountSource } from "../../../spec/docker/mount-request.ts"
import { arg } from "../../args.ts"
import { checkServices, chosenContainers } from "../../compose/chosen-containers.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default composeCommand({
  summary: "List volumes",
  args: [arg.rest("[SERVICE...]", "services")],
  flags: {
    ...LIST_FORMAT_FLAGS,
    quiet: flag.bool("Only display volume names", { short: "q" }),
  },
  async run({ args: [services], flags, engine, out, compose, dialect }) {
    const { name, project } = await compose.projectOrName(services)
    checkServices(project, services)
    const users = chosenContainers(await engine.containers(), name, { services, all: true, oneOffs: true })
    const mounted = new Set(users.flatMap(({ container }) => container.options.mounts.map(mountSource)))
    const volumes = (await engine.volumes())
      .list()
      .filter((one) => one.labels[LABEL.project] === name)
      .filter((one) => services.length === 0 || mounted.has(one.name))
    const { volumes: layout } = await dialect.lists()
    printList(
      out,
      volumes.flatMap((volume) => layout.rows(volume, {})),
      flags,
      layout,
    )
  },
})
