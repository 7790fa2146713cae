import { InvalidArgument } from "../../../../base/errors.ts"
import { composeCommand } from "../../../compose/compose-command.ts"
import { projectGraph } from "../../../compose/project-graph.ts"
import { flag } from "../../../flag.ts"

const MAX_INDENTATION = 127

export default composeCommand({
  summary: "EXPERIMENTAL - Generate a graphviz graph from your compose file",
  args: [],
  flags: {
    image: flag.bool("Include service's image name in output graph"),
    indentationSize: flag.int("Number of tabs or spaces to use for indentation (default 1)"),
    networks: flag.bool("Include service's attached networks in output graph"),
    ports: flag.bool("Include service's exposed ports in output graph"),
    spaces: flag.bool(
      "If given, space character ' ' will be used to indent, otherwise tab character '\\t' will be used",
    ),
  },
  async run({ flags, compose, out }) {
    const { indentationSize: size = 1, spaces, ...options } = flags
    if (size < 0 || size > MAX_INDENTATION) throw new InvalidArgument(`invalid indentation size: ${size}`)
    const project = await compose.project()
    out.text(projectGraph(project, { ...options, indentation: (spaces ? " " : "\t").repeat(size) }))
  },
})
