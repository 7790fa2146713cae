import { AbortOnInterrupt } from "../../../abort-on-interrupt.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { writeDatabaseInfo } from "../../../scan/database-info.ts"

export default command({
  summary: "Build a vulnerability database from the feeds that distributions and OSV publish",
  args: [],
  flags: {
    from: flag.string("Take the feeds' files from this directory and fetch nothing", "dir"),
    feed: flag.strings("Take only this feed, by its name in the manual", "name"),
    quiet: flag.bool("Say nothing of single files", { short: "q" }),
  },
  async run({ flags, engine, out }) {
    const data = await (await engine.scans()).data()
    using interrupt = new AbortOnInterrupt()
    const built = await data.build({
      signal: interrupt.signal,
      ...(flags.from === undefined ? {} : { from: flags.from }),
      ...(flags.feed.length === 0 ? {} : { feeds: flags.feed }),
      onFetch: ({ feed, name, problem, isUnchanged, changed }) => {
        if (problem !== undefined) out.warn(`${feed}/${name} was not fetched: ${problem}`)
        else if (!flags.quiet) {
          const what = isUnchanged === true ? "unchanged" : changed === undefined ? "fetched" : `${changed} changes of`
          out.note(`${what} ${feed}/${name}`)
        }
      },
    })
    if (!flags.quiet && built.missing.length > 0)
      out.warn(
        `${built.missing.length} files of feeds are not in it: ${built.missing.slice(0, 5).join(", ")}${built.missing.length > 5 ? " …" : ""}`,
      )
    writeDatabaseInfo(out, built)
    out.line(`Advisories: ${built.advisories}`)
  },
})
