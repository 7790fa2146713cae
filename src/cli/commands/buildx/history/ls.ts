import { pastBuildRow } from "../../../../docker/past-build.ts"
import { command } from "../../../command.ts"
import { parseFilters } from "../../../filters.ts"
import { flag } from "../../../flag.ts"
import { refused, withoutValue } from "../../../build/foreign-flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"
import { LIST_FORMAT_FLAGS } from "../../../output/format-flags.ts"
import { printList } from "../../../output/list.ts"

export default command({
  summary: "List the last builds",
  args: [],
  flags: {
    ...BUILDX_FLAGS,
    ...LIST_FORMAT_FLAGS,
    filter: flag.strings("Only those that fit: ref=ID, name=NAME, status=completed|error|canceled", "filter"),
    local: withoutValue(
      refused("a build is not remembered by the repository of its files", "--filter name=NAME"),
      "true",
    ),
    noTrunc: flag.bool("Don't truncate output"),
  },
  async run({ flags, engine, out }) {
    const { ref, name, status } = parseFilters(flags.filter, ["ref", "name", "status"])
    const builds = (await (await (await engine.builds()).history()).list()).filter(
      (build) =>
        (ref?.some((one) => build.id.startsWith(one)) ?? true) &&
        (name?.includes(build.name) ?? true) &&
        (status?.includes(build.status) ?? true),
    )
    const rows = builds.map((build) => pastBuildRow(build, new Date(), flags.noTrunc))
    printList(out, rows, flags, {
      titles: {
        Ref: "BUILD ID",
        Name: "NAME",
        Status: "STATUS",
        CreatedAt: "CREATED AT",
        Duration: "DURATION",
        TotalSteps: "STEPS",
        CachedSteps: "CACHED",
      },
      table: "table {{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}",
      quiet: "{{.Ref}}",
    })
  },
})
