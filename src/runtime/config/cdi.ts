/** Devices by the Container Device Interface, from the files of this host. */
import { readFileSync, statSync } from "node:fs"
import { DataLoss, NotFound } from "../../base/errors.ts"
import { log } from "../../base/log.ts"
import { namesIn } from "../../base/names-in.ts"
import { mergeEdits, parseCdiName, parseCdiSpec, type CdiSpec, type ContainerEdits } from "../../spec/cdi.ts"
import type { DeviceRequest } from "../../spec/docker/device-request.ts"
import type { OciHooks, OciMount } from "../../spec/oci-runtime.ts"
import { parseYaml } from "../../sys/yaml.ts"
import type { ConfigInput } from "../runtime.ts"

/** In the order of precedence: a later one's device takes the place of an earlier one's. */
const DIRECTORIES = ["/etc/cdi", "/var/run/cdi"]
const MAX_BYTES = 4 * 1024 * 1024

/** What `names` ask for. Throws NotFound with the devices that there are. */
export function resolveCdi(names: readonly string[], directories: readonly string[] = DIRECTORIES): ContainerEdits {
  const specs = readSpecs(directories)
  const edits: ContainerEdits[] = []
  const used = new Set<CdiSpec>()
  for (const text of names) {
    const { kind, name } = parseCdiName(text)
    const spec = specs.findLast((one) => one.kind === kind && one.devices.some((device) => device.name === name))
    const device = spec?.devices.find((one) => one.name === name)
    if (spec === undefined || device === undefined) throw unresolvable(text, specs, directories)
    if (!used.has(spec) && spec.containerEdits !== undefined) edits.push(spec.containerEdits)
    used.add(spec)
    edits.push(device.containerEdits)
  }
  return mergeEdits(edits)
}

function namesOf(specs: readonly CdiSpec[]): string[] {
  return specs.flatMap(({ kind, devices }) => devices.map(({ name }) => `${kind}=${name}`))
}

function unresolvable(text: string, specs: readonly CdiSpec[], directories: readonly string[]): NotFound {
  const { kind } = parseCdiName(text)
  const [same, known] = [namesOf(specs.filter((spec) => spec.kind === kind)), namesOf(specs)]
  const isNvidia = kind === "nvidia.com/gpu" && same.length === 0
  return new NotFound(`unresolvable CDI devices ${text}`, {
    field: "devices",
    hint: isNvidia
      ? "no driver has described its GPUs: nvidia-ctk cdi generate > /etc/cdi/nvidia.yaml"
      : known.length > 0
        ? { valid: same.length > 0 ? same : known }
        : `no driver has described its devices in ${directories.join(" or ")}`,
  })
}

/** One that cannot be read is told of, and no other goes with it. */
function readSpecs(directories: readonly string[]): CdiSpec[] {
  return directories.flatMap((directory) =>
    namesIn(directory)
      .filter((name) => /\.(json|ya?ml)$/.test(name))
      .toSorted()
      .flatMap((name) => {
        const file = `${directory}/${name}`
        try {
          if (statSync(file).size > MAX_BYTES) throw new DataLoss(`it has more than ${MAX_BYTES} bytes`)
          return parseCdiSpec(parseYaml(readFileSync(file, "utf8")), `device description "${file}"`)
        } catch (error) {
          log.warn(`the device description "${file}" is left out`, { reason: String(error) })
          return []
        }
      }),
  )
}

/** The container with the edits. */
export function withEdits(input: ConfigInput, edits: ContainerEdits): ConfigInput {
  const { env = [], deviceNodes = [], mounts = [], additionalGids = [], intelRdt } = edits
  const devices = deviceNodes.map(requestOf)
  const binds = mounts.map(
    ({
      hostPath,
      containerPath,
      options = ["ro", "nosuid", "nodev", "rbind", "rprivate"],
      type = "bind",
    }): OciMount => ({
      destination: containerPath,
      source: hostPath,
      type,
      options: options.includes("bind") || options.includes("rbind") ? options : ["rbind", ...options],
    }),
  )
  return {
    ...input,
    env: [...input.env, ...env],
    devices: [...input.devices, ...devices],
    mounts: [...input.mounts, ...binds],
    user: {
      ...input.user,
      additionalGids: [...input.user.additionalGids, ...additionalGids.filter((gid) => gid !== 0)],
    },
    ...(intelRdt?.closID !== undefined && { rdtClass: intelRdt.closID }),
  }
}

type DeviceNode = NonNullable<ContainerEdits["deviceNodes"]>[number]

function requestOf({ path, hostPath = path, permissions = "rwm", fileMode, uid, gid }: DeviceNode): DeviceRequest {
  const request: DeviceRequest = { hostPath, containerPath: path, permissions }
  if (fileMode !== undefined) request.fileMode = fileMode
  if (uid !== undefined) request.uid = uid
  if (gid !== undefined) request.gid = gid
  return request
}

/** config.md#posix-platform-hooks, by stage. */
export function hooksOf({ hooks = [] }: ContainerEdits): OciHooks {
  const stages: OciHooks = {}
  for (const { hookName, ...hook } of hooks) (stages[hookName] ??= []).push(hook)
  return stages
}
