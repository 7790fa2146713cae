import type { DialectName } from "./dialect.ts"
import type { HelpPages } from "./help-pages.ts"

/** Apart from the dialect itself: help knows the table of commands, and commands are handed the dialect. */
export async function helpPages(dialect: DialectName): Promise<HelpPages> {
  if (dialect === "podman" || dialect === "buildah") return (await import("./podman-help.ts")).podmanHelp(dialect)
  const { commandHelp, groupHelp, overview } = await import("../help.ts")
  if (dialect === "skiff") return { command: commandHelp, group: groupHelp, overview }
  const { asTool } = await import("./tool-words.ts")
  return {
    command: (...words) => asTool(commandHelp(...words), dialect),
    group: async (group) => asTool(await groupHelp(group), dialect),
    overview: async () => asTool(await overview(), dialect),
  }
}
