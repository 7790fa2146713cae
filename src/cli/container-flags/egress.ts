/** Flags for where a container may send, and nowhere else. */
import type { ContainerOptions } from "../../container/container.ts"
import { NOWHERE, parseEgressRule, type EgressRule } from "../../spec/docker/egress-rule.ts"
import { flag, type FlagValues } from "../flag.ts"

/** `none` is a list with nothing in it. */
export const ALLOW_NET_FLAG = flag.list(
  (text): readonly EgressRule[] => (text === NOWHERE ? [] : parseEgressRule(text)),
  "Allow traffic to this alone: ADDRESS[/BITS], NAME or *.NAME, each with [:PORT][/PROTOCOL]; none",
  "destination",
)

export const EGRESS_FLAGS = { allowNet: ALLOW_NET_FLAG }

/** What `run` and `create` ask for. */
export function egressOptions({ allowNet }: FlagValues<typeof EGRESS_FLAGS>): Pick<ContainerOptions, "egress"> {
  return allowNet.length === 0 ? {} : { egress: { allow: allowNet.flat() } }
}

/** What `update` asks for: `all` lifts what bounds the container. */
export const ALLOW_NET_CHANGE_FLAG = flag.list(
  (text): readonly EgressRule[] | "all" => (text === "all" ? text : text === NOWHERE ? [] : parseEgressRule(text)),
  "Allow traffic to this alone, in place of what was allowed (all lifts it)",
  "destination",
)

/** Undefined: nothing was said. */
export function egressChange(
  allowNet: readonly (readonly EgressRule[] | "all")[],
): { allow: readonly EgressRule[] | null } | undefined {
  if (allowNet.length === 0) return undefined
  const rules = allowNet.filter((one) => one !== "all")
  return { allow: rules.length < allowNet.length ? null : rules.flat() }
}
