import { join } from "node:path"
import type { BundlePaths } from "./runtime.ts"

/** Where the volatile files of container `id` lie. Makes nothing. */
export function bundlePaths(runRoot: string, id: string): BundlePaths {
  const directory = join(runRoot, id)
  return {
    directory,
    config: join(directory, "config.json"),
    rootfs: join(directory, "rootfs"),
    pidFile: join(directory, "pidfile"),
    monitorPidFile: join(directory, "conmon.pid"),
    exitDirectory: join(directory, "exit"),
    attachSocket: join(directory, "attach"),
    control: join(directory, "ctl"),
  }
}
