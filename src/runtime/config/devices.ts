import { lstatSync, readdirSync, realpathSync, statSync } from "node:fs"
import { join } from "node:path"
import { FailedPrecondition, InvalidArgument, NotFound } from "../../base/errors.ts"
import type { DeviceRequest } from "../../spec/docker/device-request.ts"
import type { DeviceCgroupRule } from "../../spec/docker/device-rule.ts"
import type { OciDevice, OciResources } from "../../spec/oci-runtime.ts"
import { deviceNumbers } from "../../sys/fs/device-numbers.ts"
import type { ConfigInput } from "../runtime.ts"

type DeviceRule = NonNullable<OciResources["devices"]>[number]

/** A device node of the host, and what a container may do with it. */
export interface HostDevice {
  hostPath: string
  /** Any of `rwm`. */
  access: string
  node: OciDevice
}

/** The host's devices that `requests` name; a directory means all devices below it. Throws NotFound, InvalidArgument. */
export function findDevices(requests: readonly DeviceRequest[]): HostDevice[] {
  return requests.flatMap(({ hostPath, containerPath, permissions, ...node }) => {
    if (!/^[rwm]{1,3}$/.test(permissions))
      throw new InvalidArgument(`invalid permissions "${permissions}" of device "${hostPath}"`, { hint: "any of rwm" })
    let path: string
    try {
      path = realpathSync(hostPath)
    } catch (cause) {
      throw new NotFound(`no such device: "${hostPath}"`, {
        field: "devices",
        hint: "check its path on the host, and whether its driver is loaded",
        cause,
      })
    }
    if (statSync(path).isDirectory()) return walk(path, containerPath, permissions)
    const device = describe(path, containerPath, permissions)
    if (device === undefined) throw new InvalidArgument(`"${hostPath}" is not a device`)
    return [{ ...device, node: { ...device.node, ...node } }]
  })
}

/** Every device of the host's /dev, for `--privileged`; those that every container has of its own are left out. */
export function allDevices(): HostDevice[] {
  return walk("/dev", "/dev", "rwm")
}

// config-linux.md#default-devices: the runtime makes them; a second /dev/tty, bound, is more than runc bears
const DEFAULT_DEVICES = ["null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"]
const OWN = new Set([...DEFAULT_DEVICES, "pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"])

function walk(directory: string, target: string, access: string): HostDevice[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (OWN.has(entry.name)) return []
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return walk(path, join(target, entry.name), access)
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) return []
    return describe(path, join(target, entry.name), access) ?? []
  })
}

function describe(hostPath: string, containerPath: string, access: string): HostDevice | undefined {
  const stat = lstatSync(hostPath, { bigint: true })
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined
  return {
    hostPath,
    access,
    node: {
      path: containerPath,
      type: stat.isBlockDevice() ? "b" : "c",
      ...deviceNumbers(stat.rdev),
      fileMode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
    },
  }
}

/** Docker's rules: nodes of any device may be made (mknod), but only the harmless ones be opened. */
export function deviceRules(
  devices: readonly HostDevice[],
  { privileged, deviceCgroupRules = [] }: Pick<ConfigInput, "privileged" | "deviceCgroupRules">,
): DeviceRule[] {
  if (privileged) return [{ allow: true, access: "rwm" }]
  const harmless = [
    [1, 3], // null
    [1, 5], // zero
    [1, 7], // full
    [1, 8], // random
    [1, 9], // urandom
    [5, 0], // tty
    [5, 1], // console
    [5, 2], // ptmx
  ]
  return [
    { allow: false, access: "rwm" },
    { allow: true, type: "c", access: "m" },
    { allow: true, type: "b", access: "m" },
    ...harmless.map(([major, minor]) => ({ allow: true, type: "c", major, minor, access: "rwm" })),
    { allow: true, type: "c", major: 136, access: "rwm" }, // pts
    ...devices.map(({ access, node: { type, major, minor } }) => ({ allow: true, type, major, minor, access })),
    ...deviceCgroupRules.map(toRule),
  ]
}

/** config-linux.md#allowed-device-list: `a` stands for both types where all devices are meant. */
function toRule({ type, major, minor, access }: DeviceCgroupRule): DeviceRule {
  return {
    allow: true,
    type,
    ...(major !== undefined && { major }),
    ...(minor !== undefined && { minor }),
    access,
  }
}

/** An ordinary user has no device cgroup: a rule would do nothing. Throws FailedPrecondition. */
export function checkDeviceRules(rules: readonly DeviceCgroupRule[] = [], rootless: boolean): void {
  if (rootless && rules.length > 0)
    throw new FailedPrecondition("device rules cannot be set by an ordinary user: the device cgroup is root's", {
      field: "deviceCgroupRules",
      hint: [
        "bind the device itself, with the rights that you have to it",
        { do: "set", field: "devices", value: "/dev/NAME" },
      ],
    })
}
