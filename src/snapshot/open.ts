import { mkdirSync } from "node:fs"
import { release } from "node:os"
import { join } from "node:path"
import type { Database } from "../base/database.ts"
import { Unsupported } from "../base/errors.ts"
import { spreadSubdirectories } from "../sys/fs/spread-subdirectories.ts"
import { LocalSnapshotter, type LayerDriver } from "./local-snapshotter.ts"
import { overlayDriver } from "./overlay.ts"
import { SnapshotRecords } from "./records.ts"
import type { Snapshotter } from "./snapshot.ts"

type DriverName = Snapshotter["driver"]

/** Where the snapshots are, and who asks. */
export interface SnapshotterOptions {
  root: string
  db: Database
  rootless: boolean
  /** Instead of what the host can do best. Throws Unsupported when the store holds layers of another form. */
  driver?: DriverName
}

/**
 * Opens the snapshots under `root/layers`. What the host can mount is tried once, really, and written into the records;
 * it is tried again when the kernel is another.
 */
export async function openSnapshotter(options: SnapshotterOptions): Promise<Snapshotter> {
  const layers = join(options.root, "layers")
  if (mkdirSync(layers, { recursive: true, mode: 0o700 }) !== undefined) spreadSubdirectories(layers)
  const name = await chooseDriver(options, layers)
  return new LocalSnapshotter(layers, new SnapshotRecords(options.db), await loadDriver(name, options.rootless))
}

async function loadDriver(name: DriverName, rootless: boolean): Promise<LayerDriver> {
  if (name === "overlay") return overlayDriver({ rootless })
  if (name === "native") return (await import("./native.ts")).nativeDriver
  return overlayDriver({ rootless, helper: (await import("./probe.ts")).findFuseOverlayfs() ?? "fuse-overlayfs" })
}

async function chooseDriver({ db, rootless, driver }: SnapshotterOptions, layers: string): Promise<DriverName> {
  const host = `${release()} ${rootless ? "rootless" : "root"}`
  const recorded = db.get<{ driver: DriverName; host: string }>("SELECT driver, host FROM snapshot_driver")
  if (recorded?.host === host && (driver === undefined || driver === recorded.driver)) return recorded.driver
  const isEmpty = db.get("SELECT 1 FROM snapshots LIMIT 1") === undefined
  const chosen = driver ?? (await (await import("./probe.ts")).probeDriver(layers, rootless))
  if (recorded !== undefined && !isEmpty && form(recorded.driver, recorded.host) !== form(chosen, host)) {
    // whole copies can be used anywhere; diffs cannot without something that overlays them, and that reads their marks
    if (driver === undefined && recorded.driver === "native") return recorded.driver
    throw new Unsupported(
      `the layers of this store need ${describe(recorded)}, but only ${describe({ driver: chosen, host })} is available`,
      {
        hint: "install fuse-overlayfs, or use another store: SKIFF_ROOT",
      },
    )
  }
  db.transaction(() => {
    db.run("DELETE FROM snapshot_driver")
    db.run("INSERT INTO snapshot_driver VALUES (?, ?)", chosen, host)
  })
  return chosen
}

/** Root's overlays have their marks in attributes that an ordinary user's do not see (xattr(7), trusted). */
function form(driver: DriverName, host: string): string {
  if (driver === "native") return "whole"
  return host.endsWith(" root") ? "diff with trusted marks" : "diff with user marks"
}

function describe({ driver, host }: { driver: DriverName; host: string }): string {
  return `${driver} as ${host.endsWith(" root") ? "root" : "an ordinary user"}`
}
