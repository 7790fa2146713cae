import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS, oneBuilder } from "../../one-builder.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List builder instances, of which there is one",
  args: [],
  flags: { ...LIST_FORMAT_FLAGS, debug: BUILDX_FLAGS.debug, noTrunc: flag.bool("Don't truncate output") },
  async run({ flags, out }) {
    const { name, driver, status, version, platforms } = oneBuilder()
    const row = {
      Name: `${name}*`,
      DriverEndpoint: driver,
      Status: status,
      Buildkit: version,
      Platforms: platforms,
      Current: true,
      Error: "",
    }
    printList(out, [row], flags, {
      titles: {
        Name: "NAME/NODE",
        DriverEndpoint: "DRIVER/ENDPOINT",
        Status: "STATUS",
        Buildkit: "BUILDKIT",
        Platforms: "PLATFORMS",
      },
      table: "table {{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}",
      quiet: "{{.Name}}",
    })
  },
})
