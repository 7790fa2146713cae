/** A container of a sandbox has no endpoint of its own: on the networks of the sandbox it is found by its name all the same. */
import type { ContainerDeps } from "./deps.ts"
import { isRunning } from "./observe.ts"
import type { ContainerRecord } from "./record.ts"

/** Its name is one of the sandbox's from now on. What it asks of others goes to its own `--dns`, and so does what its neighbours ask. */
export async function nameInSandbox(deps: ContainerDeps, { name, spec }: ContainerRecord): Promise<void> {
  const { sandbox, dns } = spec.options
  if (sandbox === undefined) return
  const networks = await deps.networks()
  networks.changeNames(sandbox, { add: [name], ...(dns.length > 0 && { nameServers: dns }) })
}

/** Safe to repeat. */
export async function unnameInSandbox(deps: ContainerDeps, { name, spec }: ContainerRecord): Promise<void> {
  const { sandbox } = spec.options
  if (sandbox !== undefined) (await deps.networks()).changeNames(sandbox, { remove: [name] })
}

/** It is found by another name, if it is found: while it runs. */
export async function renameInSandbox(deps: ContainerDeps, record: ContainerRecord, newName: string): Promise<void> {
  if (record.spec.options.sandbox === undefined) return
  await unnameInSandbox(deps, record)
  if (isRunning(record, deps)) await nameInSandbox(deps, { ...record, name: newName })
}
