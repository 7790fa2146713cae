import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { BUILDX_FLAGS, checkBuilder, oneBuilder } from "../../one-builder.ts"

export default command({
  summary: "Inspect the builder instance",
  args: [arg.optional("NAME")],
  flags: { ...BUILDX_FLAGS, bootstrap: flag.bool("Ensure builder has booted before inspecting: it needs no boot") },
  async run({ args: [name], out }) {
    checkBuilder(name)
    const { driver, status, version, platforms, ...builder } = oneBuilder()
    out.line(
      [
        `Name:   ${builder.name}`,
        `Driver: ${driver}`,
        "",
        "Nodes:",
        `Name:             ${builder.name}`,
        `Endpoint:         ${builder.name}`,
        `Status:           ${status}`,
        `BuildKit version: ${version}`,
        `Platforms:        ${platforms}`,
      ].join("\n"),
    )
  },
})
