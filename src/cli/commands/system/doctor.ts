import type { HostCheck } from "../../../doctor/doctor.ts"
import { describeHint } from "../../errors/describe-hint.ts"
import { command } from "../../command.ts"
import { printDocuments } from "../../output/document.ts"
import { hanging } from "../../output/wrap.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

const MARKS: Record<HostCheck["status"], string> = {
  ok: "ok",
  missing: "MISSING",
  warning: "warning",
  "not needed": "-",
}
const COLOURS: Partial<Record<HostCheck["status"], number>> = { ok: 32, missing: 31, warning: 33 }

export default command({
  summary: "Check what containers need of this host, with a repair for what is missing",
  args: [],
  flags: DOCUMENT_FORMAT_FLAGS,
  async run({ flags, engine, out }) {
    const checks = (await engine.doctor()).map(inOurWords)
    const isBroken = checks.some(({ status }) => status === "missing")
    if (flags.json) out.json(checks)
    else if (flags.format !== undefined) printDocuments(out, checks, flags.format)
    else {
      const nameWidth = Math.max(...checks.map(({ name }) => name.length))
      for (const { name, status, purpose, detail, repair } of checks) {
        const mark = MARKS[status].padEnd(8)
        const text = detail === "" ? purpose : `${detail} (${purpose})`
        const [first = "", ...more] = hanging(`${mark} ${name.padEnd(nameWidth)}  `, text, out.columns)
        out.paint(COLOURS[status], mark)
        out.line(first.slice(mark.length))
        for (const line of more) out.line(line)
        // never wrapped by us: it is there to be copied
        if (repair !== undefined && status !== "ok") out.line(`${" ".repeat(mark.length + 1)}repair: ${repair}`)
      }
    }
    return isBroken ? 1 : 0
  },
})

/** With the repair as a line to type. */
function inOurWords({ repair, ...check }: HostCheck): Omit<HostCheck, "repair"> & { repair?: string } {
  return repair === undefined ? check : { ...check, repair: describeHint(repair, { command: "doctor", flags: {} }) }
}
