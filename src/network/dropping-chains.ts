import { findProgram } from "../sys/host.ts"
import { run } from "../sys/process/process.ts"

interface Listed {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string }
  rule?: { family: string; table: string; chain: string; expr: readonly object[] }
}

/** Chains of the host's own firewall at a hook that drop or reject something, or all that they do not accept: `ip filter FORWARD`. */
export async function droppingChains(hook: "forward" | "input", own: string): Promise<string[]> {
  const nft = findProgram("nft")
  if (nft === undefined) return []
  const { code, stdout } = await run([nft, "--json", "list", "ruleset"])
  return code === 0 ? chainsOf(JSON.parse(stdout) as { nftables: readonly Listed[] }, hook, own) : []
}

/** The same of what nft(8) has listed. Pure. */
export function chainsOf({ nftables }: { nftables: readonly Listed[] }, hook: string, own: string): string[] {
  const ends = new Set(
    nftables.flatMap(({ rule }) =>
      rule?.expr.some((one) => "drop" in one || "reject" in one) ? keyOf(rule, rule.chain) : [],
    ),
  )
  const leads = (key: string, seen: ReadonlySet<string> = new Set()): boolean =>
    !seen.has(key) && (ends.has(key) || targetsOf(nftables, key).some((next) => leads(next, new Set([...seen, key]))))
  return nftables.flatMap(({ chain }) => {
    if (chain?.hook !== hook || chain.table === own) return []
    const key = keyOf(chain, chain.name)
    if (chain.policy === "drop") return `${key} (policy drop)`
    return leads(key) ? key : []
  })
}

function targetsOf(nftables: readonly Listed[], key: string): string[] {
  return nftables.flatMap(({ rule }) => {
    if (rule === undefined || keyOf(rule, rule.chain) !== key) return []
    return rule.expr.flatMap((one) => {
      const { jump, goto } = one as { jump?: { target: string }; goto?: { target: string } }
      const target = jump?.target ?? goto?.target
      return target === undefined ? [] : keyOf(rule, target)
    })
  })
}

function keyOf({ family, table }: { family: string; table: string }, chain: string): string {
  return `${family} ${table} ${chain}`
}
