import { join } from "node:path"
import type { BundlePaths } from "./runtime.ts"

/** Where the volatile files of container `id` lie. Makes nothing. */
export function bundlePaths(runRoot: string, id: string): BundlePaths {
  const directory = join(runRoot, "containers", id)
  return {
    directory,
    config: join(directory, "config.json"),
    rootfs: join(directory, "rootfs"),
    pidFile: join(directory, "pidfile"),
    monitorPidFile: join(directory, "conmon.pid"),
    exitDirectory: join(runRoot, "exits"),
    attachSocket: join(directory, "attach"),
    control: join(directory, "ctl"),
  }
}
