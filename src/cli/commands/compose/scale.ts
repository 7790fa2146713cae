import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { runUp } from "../../compose/run-up.ts"
import { incompatible } from "../../compose/up-flags.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Scale services",
  args: [arg.some("SERVICE=REPLICAS...")],
  flags: { noDeps: flag.bool("Don't start linked services") },
  async run({ args: [words], flags, compose }) {
    const scale = Object.fromEntries(words.map(readScale))
    const services = Object.keys(scale)
    const project = await compose.project(services)
    await runUp(compose, project, { services, scale, withoutDependencies: flags.noDeps }, { title: "Running" })
  },
})

/** Throws UsageError in docker's words. */
function readScale(text: string): [service: string, count: number] {
  const [, service, count] = /^([^=]+)=(.*)$/.exec(text) ?? []
  if (service === undefined) throw incompatible(`invalid scale specifier: ${text}`)
  if (!/^\d{1,6}$/.test(count ?? ""))
    throw incompatible(`invalid scale specifier: can't parse replica value as int: ${text}`)
  return [service, Number(count)]
}
