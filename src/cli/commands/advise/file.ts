import { readFileSync, statSync } from "node:fs"
import { adviseFile, applyEdits, diffOf, editsOf } from "../../../advise/advise.ts"
import { atomicWrite } from "../../../base/atomic-write.ts"
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { SEVERITIES } from "../../../scan/scan.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { adviceText } from "../../advise/advice-table.ts"

const MAX_BYTES = 4 * 1024 ** 2

export default command({
  summary: "Say what to change in a Dockerfile, a compose file or Kubernetes' objects",
  args: [arg.one("FILE")],
  flags: {
    fix: flag.bool("Change the file where that is mechanical, and show the difference"),
    format: flag.choice(["text", "json"] as const, "Form of the output", { initial: "text" }),
    json: flag.bool("Print one JSON array"),
  },
  async run({ args: [path], flags, engine, out }) {
    const text = readText(path)
    const checked = await (await engine.scans()).checkFile(path, text)
    if (checked.unread !== undefined && checked.found.length === 0)
      throw new InvalidArgument(`cannot read "${path}": ${checked.unread}`)
    const found = checked.found.toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
    const edits = editsOf(text, checked)
    if (flags.fix) {
      if (edits.length > 0) atomicWrite(path, applyEdits(text, edits), { mode: statSync(path).mode & 0o7777 })
      return out.text(edits.length === 0 ? "nothing to be changed mechanically\n" : diffOf(path, edits))
    }
    const advice = adviseFile({ ...checked, found })
    if (flags.json || flags.format === "json") return out.json(advice)
    out.text(adviceText(path, advice))
    if (edits.length > 0) out.note(`${edits.length} ${edits.length === 1 ? "line" : "lines"} can be changed by --fix`)
  },
})

function readText(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new NotFound(`no such file: "${path}"`)
  if (!stat.isFile()) throw new InvalidArgument(`"${path}" is no file`)
  if (stat.size > MAX_BYTES) throw new InvalidArgument(`"${path}" has more than 4 MiB`)
  return readFileSync(path, "utf8")
}
