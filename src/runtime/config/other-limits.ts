import { readdirSync } from "node:fs"
import { FailedPrecondition, InvalidArgument } from "../../base/errors.ts"
import type { OciResources } from "../../spec/oci-runtime.ts"
import type { ResourceLimits } from "../runtime.ts"
import { needs, type LimitSupport } from "./limit-support.ts"

/** Huge pages (hugetlb.rst). Throws FailedPrecondition when the kernel counts none of that size. */
export function hugepagesOf({ hugepages = [] }: ResourceLimits, support: LimitSupport): OciResources["hugepageLimits"] {
  if (hugepages.length === 0) return undefined
  const field = "resources.hugepages"
  needs("hugetlb", field, support)
  const sizes = pageSizes()
  return hugepages.map(({ pageSize, limitBytes }) => {
    if (!sizes.includes(pageSize))
      throw new InvalidArgument(`this host has no huge pages of ${pageSize}`, { field, hint: { valid: sizes } })
    if (support.hasFile?.("hugetlb", `hugetlb.${pageSize}.limit_in_bytes`) === false)
      throw new FailedPrecondition(
        `the limit cannot be enforced: this kernel does not count huge pages of ${pageSize}`,
        {
          field,
          hint: { do: "omit", field },
        },
      )
    return { pageSize, limit: limitBytes }
  })
}

/** `hugepages-2048kB` is `2MB` in the names of cgroup files. */
function pageSizes(): string[] {
  let names: string[]
  try {
    names = readdirSync("/sys/kernel/mm/hugepages")
  } catch {
    return []
  }
  return names.flatMap((name) => {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1])
    if (!(kib > 0)) return []
    if (kib >= 1024 * 1024) return `${kib / 1024 / 1024}GB`
    return kib >= 1024 ? `${kib / 1024}MB` : `${kib}KB`
  })
}

/** Handles and objects of RDMA devices (rdma.rst). Throws FailedPrecondition. */
export function rdmaOf({ rdma = [] }: ResourceLimits, support: LimitSupport): OciResources["rdma"] {
  if (rdma.length === 0) return undefined
  needs("rdma", "resources.rdma", support)
  return Object.fromEntries(
    rdma.map(({ device, handles, objects }) => [
      device,
      {
        ...(handles !== undefined && { hcaHandles: handles }),
        ...(objects !== undefined && { hcaObjects: objects }),
      },
    ]),
  )
}

/** config-linux.md#unified. The runtime makes a path of each name, so it is one file's and no other's. */
export function unifiedOf({ unified = {} }: ResourceLimits, support: LimitSupport): OciResources["unified"] {
  const names = Object.keys(unified)
  if (names.length === 0) return undefined
  const field = "resources.unified"
  if (support.cgroup !== "v2")
    throw new FailedPrecondition("files of cgroup v2 cannot be set: this host's controllers are on cgroup v1", {
      field,
      hint: "boot with systemd.unified_cgroup_hierarchy=1",
    })
  for (const name of names) {
    const [, controller] = /^([a-z]+)(?:\.[a-zA-Z0-9_]+)+$/.exec(name) ?? []
    if (controller === undefined || controller === "cgroup")
      throw new InvalidArgument(`"${name}" is no file of a cgroup v2 controller`, {
        field,
        hint: "such as memory.high",
      })
    needs(controller, field, support)
  }
  return { ...unified }
}
