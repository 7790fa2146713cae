import { NotFound } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"

export default composeCommand({
  summary: "Block until containers of all (or specified) services stop",
  args: [arg.some("SERVICE", "services")],
  flags: { downProject: flag.bool("Drops project when the first container stops") },
  async run({ args: [services], flags, compose, engine, out }) {
    const { name } = await compose.projectOrName()
    const verbs = await compose.compose()
    const running = await verbs.containersOf(name, services, { oneOffs: true })
    // one that has ended by now is waited for no longer than one that ends in a moment
    const found = running.length > 0 ? running : await verbs.containersOf(name, services, { oneOffs: true, all: true })
    if (found.length === 0) throw new NotFound(`no containers for project "${name}"`)
    const containers = await engine.containers()
    let status = 0
    const waits = found.map(async ({ container: { id } }) => {
      status = await containers.wait(id)
      out.line(`container "${id}" exited with status code ${status}`)
    })
    for (const one of waits) one.catch(() => {}) // the first failure is thrown below
    if (flags.downProject) {
      await Promise.race(waits)
      await compose.showing("Running", (all, options) => all.down({ name }, { ...options, removeOrphans: true }))
      return status
    }
    await Promise.all(waits)
    return status
  },
})
