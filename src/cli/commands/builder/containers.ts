import type { WorkingContainer } from "../../../build/build.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List working containers and their base images",
  args: [],
  flags: {
    ...LIST_FORMAT_FLAGS,
    quiet: flag.bool("Display only container IDs", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const rows = (await engine.workingContainers()).list().map(row)
    printList(out, rows, flags, {
      titles: {
        ContainerID: "CONTAINER ID",
        Builder: "BUILDER",
        ImageID: "IMAGE ID",
        ImageName: "IMAGE NAME",
        ContainerName: "CONTAINER NAME",
      },
      table: "table {{.ContainerID}}\t{{.Builder}}\t{{.ImageID}}\t{{.ImageName}}\t{{.ContainerName}}",
      quiet: "{{.ContainerID}}",
    })
  },
})

const SHORT_ID = 12

function row({ id, imageId, imageName, name }: WorkingContainer): object {
  return {
    ContainerID: id.slice(0, SHORT_ID),
    Builder: "*",
    ImageID: imageId?.replace("sha256:", "").slice(0, SHORT_ID) ?? "",
    ImageName: imageName,
    ContainerName: name,
  }
}
