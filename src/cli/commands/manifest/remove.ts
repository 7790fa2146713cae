import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { entryDigest } from "../../manifest/entry-digest.ts"

export default command({
  summary: "Take an image out of a manifest list",
  args: [arg.one("LIST"), arg.one("DIGEST")],
  flags: {},
  failureCode: 125,
  async run({ args: [list, text], engine, out }) {
    const lists = await engine.manifestLists()
    const digest = entryDigest(lists.get(list), text, await engine.images())
    lists.removeEntry(list, digest)
    out.line(`${lists.get(list).name} ${digest}`)
  },
})
