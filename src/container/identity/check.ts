import { InvalidArgument } from "../../base/errors.ts"
import type { ResolvedOptions } from "../container.ts"

/** What needs neither image nor kernel. Throws InvalidArgument. */
export function checkIdentityOptions({ annotations, etc, extraHosts, process, groupAdd }: ResolvedOptions): void {
  checkAnnotations(annotations)
  if (etc?.noHosts === true && extraHosts.length > 0)
    throw new InvalidArgument("conflicting options: no hosts file and custom host-to-IP mapping", {
      field: "extraHosts",
    })
  if (process?.keepGroups === true && groupAdd.length > 0)
    throw new InvalidArgument("groups that are kept go with no other", { field: "groupAdd" })
}

function checkAnnotations(annotations: Readonly<Record<string, string>> = {}): void {
  for (const [name, value] of Object.entries(annotations)) {
    if (name === "" || /[\n\r\0]/.test(name + value))
      throw new InvalidArgument(`invalid annotation ${JSON.stringify(name.slice(0, 100))}`, {
        field: "annotations",
        hint: "a name, and a value of one line",
      })
    // runtimes hand it to the host's systemd, as a property of a unit that runs programs as root (CVE-2022-0811, CVE-2024-3154)
    if (name.startsWith("org.systemd.property."))
      throw new InvalidArgument(`the annotation "${name}" would change a unit of the host`, { field: "annotations" })
  }
}
