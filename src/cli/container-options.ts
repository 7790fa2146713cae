import { readFileSync } from "node:fs"
import { defined } from "../base/defined.ts"
import type { ContainerOptions } from "../container/container.ts"
import { parseEnvFile, parseLabelFile } from "../spec/docker/environment.ts"
import { callerEnvironment } from "../sys/process/caller-environment.ts"
import { parseSignal, signalName } from "../sys/process/signals.ts"
import { terminalSize } from "../sys/terminal/terminal.ts"
import type { ContainerFlags } from "./container-flags.ts"
import { secretOptions } from "./container-flags/secrets.ts"
import { fileFailure } from "./file-failure.ts"
import { withSdnotify } from "./container-flags/sdnotify.ts"
import { healthOptions } from "./container-flags/health.ts"
import { lifeOptions } from "./container-flags/life.ts"
import { namespaceOptions } from "./container-flags/namespaces.ts"
import { limitOptions } from "./container-flags/limits.ts"
import { networkOptions } from "./container-flags/networks.ts"
import { volumeOptions, withDriver } from "./container-flags/volumes.ts"
import { networkLimitOptions } from "./container-flags/network-limits.ts"
import { egressOptions } from "./container-flags/egress.ts"
import { securityOptions } from "./container-flags/security.ts"
import { userNamespaceOption } from "./container-flags/user-namespace.ts"
import { environmentOptions } from "./container-flags/environment.ts"
import { identityOptions, treeOptions } from "./container-flags/identity.ts"
import { imageSourceOptions } from "./container-flags/image-source.ts"
import { UsageError } from "./errors/usage-error.ts"

/** What `run` and `create` ask the engine for. Throws InvalidArgument for flags that contradict each other. */
export function containerOptions(image: string, command: readonly string[], flags: ContainerFlags): ContainerOptions {
  if (flags.rm && (flags.restart?.name ?? "no") !== "no")
    throw wrong("conflicting options: cannot specify both --restart and --rm")
  const consoleSize = flags.tty ? (terminalSize(0) ?? terminalSize(1)) : undefined
  const options: ContainerOptions = {
    image,
    ...(command.length > 0 ? { command } : {}),
    ...entrypointOf(flags.entrypoint),
    ...defined({
      pull: flags.pull,
      namespaces: namespaceOptions(flags),
      userNamespace: userNamespaceOption(flags),
      environment: environmentOptions(flags),
      restart: flags.restart,
      name: flags.name,
      workdir: flags.workdir,
      user: flags.user,
      hostname: flags.hostname,
      domainname: flags.domainname,
      consoleSize,
      shmSizeBytes: flags.shmSize,
      stopSignal: flags.stopSignal === undefined ? undefined : signalName(parseSignal(flags.stopSignal)),
      stopTimeoutSeconds: flags.stopTimeout,
      runtime: flags.runtime,
    }),
    env: [
      ...flags.envFile.flatMap((file) => parseEnvFile(readText(file, "env-file"), file, callerEnvironment())),
      ...flags.env.flat(),
    ],
    labels: Object.fromEntries([
      ...flags.labelFile.flatMap((file) => parseLabelFile(readText(file, "label-file"), file)),
      ...flags.label,
    ]),
    ...imageSourceOptions(flags),
    ...identityOptions(flags, { noResolvConf: asksForNoDns(flags) }),
    ...treeOptions(image, flags),
    tty: flags.tty,
    stdin: flags.interactive || flags.attach.includes("stdin"),
    init: flags.init,
    readOnly: flags.readOnly,
    autoRemove: flags.rm,
    ...healthOptions(flags),
    ...lifeOptions(flags),
    mounts: [...withDriver(flags.volume, flags.volumeDriver), ...flags.mount, ...flags.tmpfs],
    ...volumeOptions(flags),
    ...secretOptions(flags),
    ports: flags.publish.flat(),
    publishAll: flags.publishAll,
    expose: flags.expose.flat(),
    dns: flags.dns.filter((one) => one !== "none"),
    dnsSearch: flags.dnsSearch,
    dnsOptions: flags.dnsOption,
    extraHosts: flags.addHost,
    ...limitOptions(flags),
    capAdd: flags.capAdd,
    capDrop: flags.capDrop,
    privileged: flags.privileged,
    ...securityOptions(flags),
    ...networkOptions(flags),
    ...networkLimitOptions(flags),
    ...egressOptions(flags),
    sysctls: Object.fromEntries(flags.sysctl),
    log: { ...defined({ driver: flags.logDriver }), options: Object.fromEntries(flags.logOpt) },
  }
  return withSdnotify(options, flags)
}

/** Throws for servers, or words, of a file that is not made. */
function asksForNoDns({ dns, dnsSearch, dnsOption }: Pick<ContainerFlags, "dns" | "dnsSearch" | "dnsOption">): boolean {
  if (!dns.includes("none")) return false
  if (dns.length + dnsSearch.length + dnsOption.length > 1)
    throw wrong("invalid arguments: --dns=none goes with no other server, search domain or option")
  return true
}

/** `--entrypoint ""` clears the image's; podman-run(1): a JSON array is a command with its first words. */
function entrypointOf(text: string | undefined): Pick<ContainerOptions, "entrypoint"> {
  if (text === undefined) return {}
  return { entrypoint: text === "" ? [] : (jsonWords(text) ?? [text]) }
}

function jsonWords(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined
  try {
    const words: unknown = JSON.parse(text)
    return Array.isArray(words) && words.every((word) => typeof word === "string") ? words : undefined
  } catch {
    return undefined
  }
}

/** A file that a flag names. Throws InvalidArgument. */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    throw new UsageError(`cannot read the ${what} "${file}": ${fileFailure(cause)}`, {
      cause,
      data: { usage: "file", what, file, reason: fileFailure(cause) },
      hint: "check the path: it is read from the current directory",
    })
  }
}

function wrong(message: string): UsageError {
  return new UsageError(message)
}
