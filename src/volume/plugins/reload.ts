import type { Cancellable } from "../../base/cancel.ts"
import type { VolumeRecords } from "../records.ts"
import { VOLUME_NAME, type ReloadReport } from "../volume.ts"
import { findPlugin, listPlugins } from "./find-plugins.ts"
import { PluginClient } from "./plugin-client.ts"

/** See `Volumes.reload`. What containers use stays recorded, whatever its plugin says. */
export async function reloadPlugins(
  records: VolumeRecords,
  isUsed: (name: string) => boolean,
  { signal }: Cancellable = {},
): Promise<ReloadReport> {
  const report: ReloadReport = { added: [], removed: [], failures: [] }
  for (const driver of listPlugins())
    try {
      const client = new PluginClient(findPlugin(driver))
      await client.activate(signal)
      bringInLine(records, driver, { found: await client.list(signal), isUsed, report })
    } catch (error) {
      if (signal?.aborted) throw error
      report.failures.push(error)
    }
  return report
}

function bringInLine(
  records: VolumeRecords,
  driver: string,
  given: { found: readonly { name: string }[]; isUsed: (name: string) => boolean; report: ReloadReport },
): void {
  const { found, isUsed, report } = given
  const names = new Set(found.map(({ name }) => name).filter((name) => VOLUME_NAME.test(name)))
  const known = records.list()
  for (const name of names)
    // a name that another driver has is that one's
    if (!known.some((volume) => volume.name === name) && records.insert(name, { driver })) report.added.push(name)
  for (const volume of known)
    if (volume.driver === driver && !names.has(volume.name) && !isUsed(volume.name)) {
      records.delete(volume.name)
      report.removed.push(volume.name)
    }
}
