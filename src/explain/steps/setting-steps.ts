import type { OciConfig } from "../../spec/oci-runtime.ts"
import { shellLine, shellWord } from "./shell-words.ts"
import type { ExplainedStep } from "./step.ts"

/** The host name and the kernel's settings that belong to the new namespaces. */
export function settingStep(config: OciConfig): ExplainedStep | undefined {
  const { hostname } = config
  const sysctls = Object.entries(config.linux.sysctl ?? {})
  const hasOwnNetwork = config.linux.namespaces.some(({ type, path }) => type === "network" && path === undefined)
  if (hostname === undefined && sysctls.length === 0 && !hasOwnNetwork) return undefined
  return {
    key: "settings",
    values: { hostname: hostname ?? "-", sysctls: sysctls.map(([name]) => name).join(" ") || "-" },
    shell: [
      ...(hostname === undefined ? [] : [`inside ${shellLine("hostname", hostname)}`]),
      // a new network namespace has this interface alone, and down
      ...(hasOwnNetwork ? ["inside ip link set lo up"] : []),
      ...sysctls.map(([name, value]) => {
        const write = `echo ${shellWord(value)} > /proc/sys/${name.replaceAll(".", "/")}`
        return `inside sh -c ${shellWord(write)}`
      }),
    ],
  }
}

/** The filter of system calls: only libseccomp can write one, so a shell has no line for it. */
export function seccompStep({ linux: { seccomp } }: OciConfig): ExplainedStep {
  if (seccomp === undefined) return { key: "noSeccomp", values: {}, shell: [] }
  const names = new Set(seccomp.syscalls.flatMap((rule) => (rule.action === "SCMP_ACT_ALLOW" ? rule.names : [])))
  return {
    key: "seccomp",
    values: { rules: seccomp.syscalls.length, allowed: names.size, action: seccomp.defaultAction },
    shell: [],
  }
}
