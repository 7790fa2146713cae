/** Flags of `run` and `create` that say whose namespaces a container has. */
import { InvalidArgument } from "../../base/errors.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import type { NamespaceOptions, TimeOffsets } from "../../container/container.ts"
import { NAMESPACE_MODES, parseIpcMode, parseNamespaceMode } from "../../spec/docker/namespace-mode.ts"
import { flag, type FlagValues } from "../flag.ts"

export const NAMESPACE_FLAGS = {
  cgroupns: flag.of(
    (text) => parseNamespaceMode(text, "CGROUP"),
    `Cgroup namespace to use (${NAMESPACE_MODES})`,
    "string",
  ),
  ipc: flag.of(parseIpcMode, "IPC mode to use", "string"),
  mntns: flag.of(readMountMode, "Mount namespace to use ('private' alone)", "string"),
  pid: flag.of((text) => parseNamespaceMode(text, "PID"), "PID namespace to use", "string"),
  timeOffset: flag.of(readTimeOffsets, "Seconds to add to clocks (monotonic=…,boottime=…)", "list"),
  timens: flag.of((text) => parseNamespaceMode(text, "TIME"), `Time namespace to use (${NAMESPACE_MODES})`, "string"),
  uts: flag.of((text) => parseNamespaceMode(text, "UTS"), "UTS namespace to use", "string"),
}

/** Undefined when none is asked for. */
export function namespaceOptions(flags: FlagValues<typeof NAMESPACE_FLAGS>): NamespaceOptions | undefined {
  const { pid, ipc, uts, cgroupns: cgroup, timens: time, timeOffset: timeOffsets } = flags
  const given = Object.entries({ pid, ipc, uts, cgroup, time, timeOffsets }).filter(([, value]) => value !== undefined)
  return given.length === 0 ? undefined : Object.fromEntries(given)
}

/** A mount namespace is the file system of a container: who shares it is no other container. */
function readMountMode(text: string): undefined {
  if (parseNamespaceMode(text, "MNT")?.kind !== "private")
    throw new InvalidArgument("a container has a mount namespace of its own: its root file system", {
      hint: "to see the files of another, run a program in it with exec, or share volumes",
    })
  return undefined
}

const CLOCKS = { monotonic: "monotonicSeconds", boottime: "boottimeSeconds" } as const
const MS = 1000

/** `monotonic=86400,boottime=-3h`. */
function readTimeOffsets(text: string): TimeOffsets {
  const offsets: TimeOffsets = {}
  for (const part of text.split(",")) {
    const [, clock = "", sign = "", amount = ""] = /^(\w+)=([+-]?)(\S+)$/.exec(part) ?? []
    if (clock !== "monotonic" && clock !== "boottime")
      throw new InvalidArgument(`invalid time offset "${part}"`, {
        hint: "expected monotonic=SECONDS,boottime=SECONDS; the kernel shifts no other clock",
      })
    const seconds = /^\d+$/.test(amount) ? Number(amount) : parseDuration(amount) / MS
    if (!Number.isInteger(seconds)) throw new InvalidArgument(`the time offset "${part}" is no whole number of seconds`)
    offsets[CLOCKS[clock]] = sign === "-" ? -seconds : seconds
  }
  return offsets
}
