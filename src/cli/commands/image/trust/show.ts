import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { printList } from "../../../output/list.ts"

export default command({
  summary: "Show which images are trusted (policy.json)",
  args: [arg.optional("REGISTRY")],
  flags: {
    json: flag.bool("Output as JSON", { short: "j" }),
    noheading: flag.bool("Do not print column headings", { short: "n" }),
    raw: flag.bool("Print the policy itself"),
  },
  examples: ["skiff image trust show", "skiff image trust show --json docker.io"],
  async run({ args: [scope], flags, engine, out }) {
    const registries = await engine.registries()
    if (flags.raw) return out.line(JSON.stringify(await registries.rawPolicy(), undefined, 2))
    const scopes = await registries.trust()
    const chosen = scope === undefined ? scopes : scopes.filter(({ name }) => name === scope)
    if (flags.json)
      return out.json(
        chosen.map(({ transport, name, requirement, keys }) => ({
          transport,
          name: name === "default" ? "* (default)" : name,
          repo_name: name,
          type: requirement,
          ...(keys.length > 0 ? { keys } : {}),
        })),
      )
    const rows = chosen.map(({ transport, name, requirement, keys }) => ({
      Transport: transport,
      Name: name,
      Type: requirement,
      Keys: keys.join(","),
    }))
    printList(
      out,
      rows,
      { noheading: flags.noheading },
      {
        titles: { Transport: "TRANSPORT", Name: "NAME", Type: "TYPE", Keys: "KEYS" },
        table: "table {{.Transport}}\t{{.Name}}\t{{.Type}}\t{{.Keys}}",
        quiet: "{{.Name}}",
      },
    )
  },
})
