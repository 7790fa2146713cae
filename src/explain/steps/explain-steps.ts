/** Makes of what a start does what a person reads: each step with its sentences' values and its lines of shell. */
import { basename, dirname, resolve } from "node:path"
import type { LaunchStep } from "../../container/container.ts"
import type { Networks } from "../../network/network.ts"
import type { OciConfig } from "../../spec/oci-runtime.ts"
import { rootlessUid } from "../../sys/fs/paths.ts"
import { cgroupStep, enteringGroup } from "./cgroup-steps.ts"
import { deviceStep, maskStep, mountStep } from "./mount-steps.ts"
import { idMapStep, namespaceStep } from "./namespace-steps.ts"
import { networkSteps } from "./network-steps.ts"
import { programStep } from "./program-step.ts"
import { filesStep, hostsStep, rootStep } from "./root-steps.ts"
import { shellWord } from "./shell-words.ts"
import { seccompStep, settingStep } from "./setting-steps.ts"
import type { ExplainedStep } from "./step.ts"

/** One step of a start as several of a reader's, from the kernel's own words where it has them. Changes nothing. */
export async function explainStep(step: LaunchStep, networks: () => Promise<Networks>): Promise<ExplainedStep[]> {
  const names = shortNames(step.bundle)
  const steps = await stepsOf(step, networks)
  const short = steps.map(({ key, values, shell }) => ({
    key,
    values: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? names.shorten(value) : value]),
    ),
    shell: shell.map(names.shorten),
  }))
  const [first, ...more] = short
  return step.kind !== "root" || first === undefined
    ? short
    : [{ ...first, shell: [...names.declare, ...first.shell] }, ...more]
}

/**
 * A container's id has 64 digits: as a variable it leaves room for what a line is about. Exported, so that the shells which the
 * lines start know it, too.
 */
function shortNames(bundle: string): { declare: string[]; shorten(line: string): string } {
  const id = basename(bundle)
  if (shellWord(bundle) !== bundle) return { declare: [], shorten: (line) => line }
  return {
    declare: [
      `export ID=${id} C=${dirname(bundle)}/${id}`,
      // ip, bridge and nft are not where an ordinary user's shell looks
      ...(rootlessUid() === undefined ? [] : ['export PATH="$PATH:/usr/sbin:/sbin"']),
    ],
    shorten: (line) => line.replaceAll(bundle, "$C").replaceAll(id, "$ID"),
  }
}

async function stepsOf(step: LaunchStep, networks: () => Promise<Networks>): Promise<ExplainedStep[]> {
  switch (step.kind) {
    case "root":
      return [rootStep(step)]
    case "files":
      return present(filesStep(step))
    case "created": {
      const { pid, bundle } = step
      const config = withWholeRoot(step.config, bundle)
      return present(
        cgroupStep(pid),
        namespaceStep(config, bundle, pid, enteringGroup(pid)),
        idMapStep(config),
        mountStep(config),
        deviceStep(config, rootlessUid() !== undefined),
        maskStep(config),
        settingStep(config),
      )
    }
    case "network": {
      const { id, pid, attachments, filesDirectory } = step
      const isJoined = attachments.some(({ endpoint }) => endpoint !== undefined)
      const seen = isJoined ? await (await networks()).observe(id, `/proc/${pid}/ns/net`) : undefined
      return [...networkSteps(step, seen), ...(isJoined ? hostsStep(filesDirectory) : [])]
    }
    case "ready":
      return [seccompStep(step.config), programStep(withWholeRoot(step.config, step.bundle), step.bundle)]
  }
}

/** config.md#root: a relative path begins at the bundle. */
function withWholeRoot(config: OciConfig, bundle: string): OciConfig {
  return { ...config, root: { ...config.root, path: resolve(bundle, config.root.path) } }
}

function present(...steps: readonly (ExplainedStep | undefined)[]): ExplainedStep[] {
  return steps.filter((step) => step !== undefined)
}
