/** Runs the plugins of a list (CNI specification 1.0.0, sections 2 and 4). */
import { join } from "node:path"
import { accessSync, constants } from "node:fs"
import { FailedPrecondition, NotFound } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { run } from "../../sys/process/process.ts"
import { installCommand } from "../../sys/install-command.ts"
import type { CniConfigList, CniPlugin } from "./config-list.ts"

/** Where distributions put the plugins, in the order in which they are looked for. */
export const CNI_PLUGIN_DIRECTORIES = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"] as const

/** One that asks a server elsewhere for addresses takes seconds; one that says nothing for so long is ended. */
const PLUGIN_TIMEOUT_MS = 120_000

/** Says which interface of which namespace the plugins are about. */
export interface CniAttachment {
  containerId: string
  /** Path; empty when the namespace is gone. */
  netns: string
  interface: string
  /** By capability: given to each plugin that asks for it. */
  capabilities: Readonly<Record<string, unknown>>
}

/** What a chain of plugins has made, as far as it is read here. */
export interface CniResult {
  interfaces?: readonly { name?: string; mac?: string; sandbox?: string }[]
  ips?: readonly { address?: string; gateway?: string; interface?: number }[]
  [key: string]: unknown
}

/** Adds the interface; when one plugin fails, all are undone. Throws FailedPrecondition with the plugin's words, NotFound. */
export async function addByPlugins(
  list: CniConfigList,
  attachment: CniAttachment,
  directories: readonly string[],
): Promise<CniResult> {
  let result: CniResult | undefined
  try {
    for (const plugin of list.plugins) {
      const text = await callPlugin("ADD", { list, plugin, attachment, previous: result }, directories)
      result = JSON.parse(text) as CniResult
    }
    return result ?? {}
  } catch (error) {
    await deleteByPlugins(list, attachment, { result, directories })
    throw error
  }
}

/** Takes it back, in the other order. Never throws: what one plugin cannot undo keeps none of the others. Safe to repeat. */
export async function deleteByPlugins(
  list: CniConfigList,
  attachment: CniAttachment,
  { result, directories }: { result: CniResult | undefined; directories: readonly string[] },
): Promise<void> {
  for (const plugin of list.plugins.toReversed())
    try {
      await callPlugin("DEL", { list, plugin, attachment, previous: result }, directories)
    } catch (error) {
      log.warn(`network "${list.name}" may not be left whole by ${attachment.containerId}`, { reason: String(error) })
    }
}

interface PluginCall {
  list: CniConfigList
  plugin: CniPlugin
  attachment: CniAttachment
  previous: CniResult | undefined
}

async function callPlugin(
  command: "ADD" | "DEL",
  { list, plugin, attachment, previous }: PluginCall,
  directories: readonly string[],
): Promise<string> {
  const { capabilities: asked = {}, ...config } = plugin
  const given = Object.entries(attachment.capabilities).filter(([name]) => asked[name] === true)
  const input = {
    ...config,
    cniVersion: list.cniVersion,
    name: list.name,
    ...(given.length > 0 && { runtimeConfig: Object.fromEntries(given) }),
    ...(previous !== undefined && { prevResult: previous }),
  }
  const { code, stdout, stderr } = await run([findPlugin(plugin.type, directories)], {
    input: JSON.stringify(input),
    signal: AbortSignal.timeout(PLUGIN_TIMEOUT_MS),
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      CNI_COMMAND: command,
      CNI_CONTAINERID: attachment.containerId,
      CNI_NETNS: attachment.netns,
      CNI_IFNAME: attachment.interface,
      CNI_PATH: directories.join(":"),
    },
  })
  if (code === 0) return stdout
  throw new FailedPrecondition(
    `the CNI plugin ${plugin.type} of network "${list.name}" failed at ${command}: ${failureText(stdout) || stderr.trim() || `exit code ${code}`}`,
    { hint: `look at ${list.path}` },
  )
}

/** The error that a plugin writes to its standard output (section 5). */
function failureText(stdout: string): string {
  try {
    const { msg = "", details = "" } = JSON.parse(stdout) as { msg?: string; details?: string }
    return [msg, details].filter((part) => part !== "").join("; ")
  } catch {
    return stdout.trim()
  }
}

function findPlugin(type: string, directories: readonly string[]): string {
  for (const directory of directories) {
    const path = join(directory, type)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // in the next one
    }
  }
  throw new NotFound(`the CNI plugin "${type}" is not in ${directories.join(", ")}`, {
    hint: `install it: ${installCommand({ debian: "containernetworking-plugins" })}`,
  })
}
