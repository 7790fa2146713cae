import { pastBuildDocument, pastBuildLines } from "../../../../docker/past-build.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { BUILDX_FLAGS } from "../../../one-builder.ts"
import { evaluate } from "../../../template/evaluate.ts"
import { parseTemplate } from "../../../template/parser.ts"

export default command({
  summary: "Show how a build went",
  args: [arg.optional("REF")],
  flags: { ...BUILDX_FLAGS, format: flag.string("Print JSON (json), or what a Go template says") },
  examples: ["skiff buildx history inspect", "skiff buildx history inspect ^1 --format '{{.Status}}'"],
  async run({ args: [ref = "^0"], flags: { format }, engine, out }) {
    const build = (await (await engine.builds()).history()).get(ref)
    const document = pastBuildDocument(build)
    if (format === "json") return out.line(JSON.stringify(document, undefined, 2))
    if (format !== undefined) return out.line(evaluate(parseTemplate(format), document))
    for (const line of pastBuildLines(build)) out.line(line)
  },
})
