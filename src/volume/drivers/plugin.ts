import { realpathSync, statSync } from "node:fs"
import { isAbsolute } from "node:path"
import type { Cancellable } from "../../base/cancel.ts"
import { FailedPrecondition, hasErrno } from "../../base/errors.ts"
import { findPlugin } from "../plugins/find-plugins.ts"
import { PluginClient, PluginFailure } from "../plugins/plugin-client.ts"
import type { VolumeOptions } from "../volume.ts"
import type { VolumeDriver } from "./driver.ts"

/** Volumes of a plugin. `kept`: directories that are the engine's own. Throws NotFound. */
export async function pluginDriver(name: string, kept: readonly string[]): Promise<VolumeDriver> {
  const address = findPlugin(name)
  await new PluginClient(address).activate()
  const clientFor = (options: VolumeOptions): PluginClient => new PluginClient(address, timeoutOf(options))
  return {
    validate(options) {
      timeoutOf(options)
    },

    async create(volume) {
      const client = clientFor(volume.options)
      // one that was killed half way may have made it
      if ((await client.get(volume.name)) !== undefined) return
      await said(name, () =>
        client.call("VolumeDriver.Create", { Name: volume.name, Opts: optionsFor(volume.options) }),
      )
    },

    async mount(volume, holder, { signal }: Cancellable) {
      const body = { Name: volume.name, ID: holder }
      const { Mountpoint } = await said(name, () => clientFor(volume.options).call("VolumeDriver.Mount", body, signal))
      return checkedPath(name, typeof Mountpoint === "string" ? Mountpoint : "", kept)
    },

    async unmount(volume, holder) {
      await said(name, () => clientFor(volume.options).call("VolumeDriver.Unmount", { Name: volume.name, ID: holder }))
    },

    async remove(volume) {
      const client = clientFor(volume.options)
      if ((await client.get(volume.name)) === undefined) return
      await said(name, () => client.call("VolumeDriver.Remove", { Name: volume.name }))
    },

    async inspect({ name: volume, options }, { signal }) {
      const client = clientFor(options)
      const { mountpoint = "", status = {} } = (await client.get(volume, signal)) ?? {}
      return { status, mountpoint: mountpoint || (await client.path(volume, signal)) }
    },

    scope: () => new PluginClient(address).scope(),
  }
}

/** The plugin's refusal as one of ours. */
async function said<T>(name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    if (!(cause instanceof PluginFailure)) throw cause
    throw new FailedPrecondition(`volume plugin "${name}": ${cause.message}`, { cause })
  }
}

/**
 * A plugin may say any path, and containers would get it: never the host's root, the kernel's file systems or the engine's own
 * directories, by whatever links. Throws FailedPrecondition.
 */
function checkedPath(name: string, path: string, kept: readonly string[]): string {
  const refuse = (why: string, cause?: unknown): FailedPrecondition =>
    new FailedPrecondition(
      `volume plugin "${name}" gave a path that cannot be mounted: "${path.slice(0, 200)}" ${why}`,
      { cause },
    )
  if (!isAbsolute(path) || path.includes("\0")) throw refuse("is not absolute")
  let real: string
  try {
    real = realpathSync(path)
  } catch (error) {
    if (!hasErrno(error, "ENOENT", "ENOTDIR", "ELOOP", "EACCES", "ENAMETOOLONG")) throw error
    throw refuse("is not there", error)
  }
  const forbidden = ["/proc", "/sys", "/dev", ...kept].find((each) => real === each || real.startsWith(`${each}/`))
  if (real === "/" || forbidden !== undefined) throw refuse("is none of its own")
  if (!statSync(real).isDirectory()) throw refuse("is no directory")
  return real
}

/** Podman's `o=timeout=SECONDS`. Throws InvalidArgument. */
function timeoutOf({ o = "" }: VolumeOptions): number | undefined {
  const seconds = o.split(",").find((word) => word.startsWith("timeout="))
  if (seconds === undefined) return undefined
  const value = Number(seconds.slice("timeout=".length))
  if (!Number.isInteger(value) || value < 1 || value > 3600)
    throw new FailedPrecondition(`invalid ${seconds} of a volume`, {
      field: "options",
      hint: "whole seconds, 1 to 3600",
    })
  return value * 1000
}

/** What is ours the plugin does not get. */
function optionsFor({ o, ...options }: VolumeOptions): VolumeOptions {
  const words = o?.split(",").filter((word) => !word.startsWith("timeout=")) ?? []
  return words.length === 0 ? options : { ...options, o: words.join(",") }
}
