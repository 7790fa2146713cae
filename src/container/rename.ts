import { namesOn } from "./hosts-lines.ts"
import type { ContainerDeps } from "./deps.ts"
import { containerEvent } from "./events.ts"
import { parseContainerName } from "./name.ts"
import { renameInSandbox } from "./sandbox-names.ts"

/** See `Containers.rename`. */
export async function rename(deps: ContainerDeps, nameOrId: string, newName: string): Promise<void> {
  const record = deps.records.get(nameOrId)
  const renamed = { ...record, name: parseContainerName(newName) }
  deps.records.rename(record.id, renamed.name, containerEvent(renamed, "rename", { oldName: record.name }))
  await renameInSandbox(deps, record, renamed.name)
  const joined = record.state.attachments.filter(({ endpoint }) => endpoint !== undefined)
  if (joined.length === 0) return
  const networks = await deps.networks()
  for (const attachment of joined)
    networks.rename(networks.get(attachment.network), record.id, namesOn(renamed, attachment))
}
